"""One explained image: its lesion, its class-activation map and its probabilities."""

from __future__ import annotations

from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from busight.model.explain.explained import Explained
from busight.report.figures.activation import activation_on, scale_within
from busight.report.figures.panels import (
    PREDICTED_STYLE,
    PROPOSAL_STYLE,
    bare,
    box,
    outline,
    panel_grid,
    probability_bars,
    show_grey,
)
from busight.report.render.figure_spec import FigureSpec
from busight.report.render.style import INK, MUTED
from busight.report.text.sanitise import short_label
from busight.types import Roi


def draw_explained(explanation: Explained, threshold: float | None) -> Figure:
    """Draw image with outline, activation, and probabilities with the threshold."""
    prediction = explanation.prediction
    figure, axes = panel_grid(3, 3, panel_height=2.5)
    lesion, activation, probs = axes
    show_grey(lesion, prediction.image)
    outline(lesion, prediction.mask, PREDICTED_STYLE)
    if prediction.descriptors is not None and prediction.descriptors.from_proposal:
        outline(lesion, prediction.descriptors.region, PROPOSAL_STYLE)
    box(lesion, prediction.roi)
    is_empty = prediction.mask is not None and not prediction.mask.any()
    lesion.set_title("no lesion outlined" if is_empty else "lesion as outlined", loc="left")
    if prediction.activation is None:
        bare(activation)
        activation.set_title("no activation map", loc="left")
    else:
        activation_on(activation, prediction.image, prediction.activation)
        scale_within(activation)
        heading = "least evidence against" if prediction.activation.max() <= 0 else "evidence for"
        activation.set_title(f"{heading} “{short_label(prediction.label, 14)}”", loc="left")
    _probabilities_on(probs, explanation, threshold)
    return figure


def probability_name(explanation: Explained) -> str:
    """Return the name of the bundle's probabilities: calibrated or not."""
    return "calibrated probability" if explanation.card.decision.calibration.calibrated else "uncalibrated probability"


def draw_rejected(explanation: Explained) -> Figure:
    """Draw the image alone."""
    figure, axes = panel_grid(1, 3, panel_height=2.5)
    show_grey(axes[0], explanation.prediction.image)
    axes[0].set_title("rejected", loc="left")
    return figure


def _probabilities_on(ax: Axes, explanation: Explained, threshold: float | None) -> None:
    prediction = explanation.prediction
    ax.set_title(f"{probability_name(explanation)[:-1]}ies", loc="left")
    marks = ["in the set" if name in (prediction.prediction_set or ()) else "" for name in prediction.classes]
    probs = prediction.calibrated_probs.tolist()
    probability_bars(ax, prediction.classes, probs, marks, bold=(prediction.label,))
    if threshold is not None and prediction.positive is not None:
        place = prediction.classes.index(prediction.positive)
        ax.plot([threshold, threshold], [place - 0.3, place + 0.3], color=INK, linewidth=1.4)
        ax.text(threshold, place + 0.33, "threshold", ha="left", va="top", fontsize=7, color=MUTED)
        ax.set(ylim=(len(prediction.classes) - 0.25, -0.75))


def _overlay_text(explanation: Explained) -> str:
    """Return the names of everything that is drawn on the image."""
    prediction = explanation.prediction
    text = "the image"
    if prediction.mask is not None and prediction.mask.any():
        text = "the predicted lesion outline (dashed)"
    if prediction.descriptors is not None and prediction.descriptors.from_proposal:
        text += ", the lesion proposal that the descriptors describe (dotted)"
    if prediction.roi != Roi(0, 0, *prediction.image.shape[:2]):
        text += ", and the box that was classified"
    return text


def figure_specs(explanation: Explained, threshold: float | None, shows_prediction: bool) -> list[FigureSpec]:
    """Return the page's figure.

    Args:
        explanation: The explanation of one prediction.
        threshold: The bundle's threshold, or None.
        shows_prediction: Whether anything but the image may be shown.
    """
    prediction = explanation.prediction
    if not shows_prediction:
        return [
            FigureSpec(
                name="image",
                title="The image",
                caption="The image alone: the prediction is not shown.",
                alt="An image that the bundle rejects.",
                draw=partial(draw_rejected, explanation),
                photographic=True,
            )
        ]
    probs = ", ".join(
        f"{name} {value:.2f}" for name, value in zip(prediction.classes, prediction.calibrated_probs, strict=True)
    )
    return [
        FigureSpec(
            name="image",
            title="The image and the prediction",
            caption=f"Left: {_overlay_text(explanation)}. Middle: the brighter, the more an area contributed to the "
            "prediction; the scale is relative to this image, and shows where, not why.",
            alt=f"An ultrasound image with outline, activation map and probabilities: {probs}.",
            draw=partial(draw_explained, explanation, threshold),
            photographic=True,
        )
    ]
