"""One image of one patient: its lesion, where the network looked, and what it makes of it."""

from __future__ import annotations

from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from busight.model.explain.explained import Explained
from busight.report.figures.activation import activation_on, scale_within
from busight.report.figures.panels import (
    ASSUMED_STYLE,
    PREDICTED_STYLE,
    bare,
    box,
    outline,
    panel_grid,
    probability_bars,
    show_grey,
)
from busight.report.render.plate import Plate
from busight.report.render.style import INK, MUTED
from busight.report.text.labels import short_label
from busight.types import Roi


def draw_explained(told: Explained, threshold: float | None) -> Figure:
    """Draw image with outline, activation, and probabilities with the operating point."""
    found = told.prediction
    figure, axes = panel_grid(3, 3, panel_height=2.5)
    lesion, activation, probs = axes
    show_grey(lesion, found.image)
    outline(lesion, found.mask, PREDICTED_STYLE)
    if found.descriptors is not None and found.descriptors.from_proposal:
        outline(lesion, found.descriptors.region, ASSUMED_STYLE)
    box(lesion, found.roi)
    nothing = found.mask is not None and not found.mask.any()
    lesion.set_title("no lesion outlined" if nothing else "lesion as outlined", loc="left")
    if found.activation is None:
        bare(activation)
        activation.set_title("no activation map", loc="left")
    else:
        activation_on(activation, found.image, found.activation)
        scale_within(activation)
        words = "what spoke least against" if found.activation.max() <= 0 else "what spoke for"
        activation.set_title(f"{words} “{short_label(found.label, 14)}”", loc="left")
    _bars(probs, told, threshold)
    return figure


def probability_words(told: Explained) -> str:
    """Return what the bundle's probabilities are to be called."""
    return "calibrated probability" if told.card.decision.calibration.calibrated else "uncalibrated probability"


def draw_refused(told: Explained) -> Figure:
    """Draw the image alone."""
    figure, axes = panel_grid(1, 3, panel_height=2.5)
    show_grey(axes[0], told.prediction.image)
    axes[0].set_title("not answered", loc="left")
    return figure


def _bars(ax: Axes, told: Explained, threshold: float | None) -> None:
    found = told.prediction
    ax.set_title(f"{probability_words(told)[:-1]}ies", loc="left")
    marks = ["in the set" if name in (found.prediction_set or ()) else "" for name in found.classes]
    probability_bars(ax, found.classes, found.calibrated_probs.tolist(), marks, bold=(found.label,))
    if threshold is not None and found.positive is not None:
        last = found.classes.index(found.positive)
        ax.plot([threshold, threshold], [last - 0.3, last + 0.3], color=INK, linewidth=1.4)
        ax.text(threshold, last + 0.33, "threshold", ha="left", va="top", fontsize=7, color=MUTED)
        ax.set(ylim=(last + 0.75, -0.75))


def _lesion_words(told: Explained) -> str:
    """Say what is drawn on the image."""
    found = told.prediction
    drawn = "the image"
    if found.mask is not None and found.mask.any():
        drawn = "the lesion as the network outlined it (dashed)"
    if found.descriptors is not None and found.descriptors.from_proposal:
        drawn += ", the lesion proposal, which the descriptors describe (dotted)"
    if found.roi != Roi(0, 0, *found.image.shape[:2]):
        drawn += ", and the box that was classified"
    return drawn


def plates(told: Explained, threshold: float | None, answered: bool) -> list[Plate]:
    """Return the page's figure.

    Args:
        told: What is to be shown.
        threshold: Of the operating point, or None.
        answered: Whether anything but the image may be shown.
    """
    found = told.prediction
    if not answered:
        return [
            Plate(
                name="image",
                title="The image",
                reading="Nothing is shown of what the network makes of it.",
                alt="An image that the bundle does not answer.",
                draw=partial(draw_refused, told),
                photographic=True,
            )
        ]
    probs = ", ".join(f"{name} {value:.2f}" for name, value in zip(found.classes, found.calibrated_probs, strict=True))
    return [
        Plate(
            name="image",
            title="The image and the answer",
            reading=f"Left: {_lesion_words(told)}. Middle: the brighter, the more a place spoke for the answer; the "
            "scale is relative to this image, and says where, not why.",
            alt=f"An ultrasound image with outline, activation map and probabilities: {probs}.",
            draw=partial(draw_explained, told, threshold),
            photographic=True,
        )
    ]
