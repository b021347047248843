"""Where the network looked: class-activation maps over the images."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from busight.report.figures.panels import distinct_pictures, is_wrong, panel_grid, show_grey, title
from busight.report.render.plate import Plate
from busight.report.text.labels import short_label
from busight.results.run_record import RunRecord, StagePicture
from busight.types import FloatArray, Image

# A perceptual map: lightness rises with the value, so that grey print keeps the meaning. Without magma's palest tenth,
# which over an ultrasound image would pass for bright tissue.
_MAP = LinearSegmentedColormap.from_list("magma-to-peach", colormaps["magma"](np.linspace(0.05, 0.88, 128)))
_CONTOUR_AT = 0.5


def relative_activation(activation: NDArray[np.float32]) -> FloatArray:
    """Scale a map to 0–1 within its picture; a map without differences, or with a value that is no number, is all 0.

    Places that speak against the class count like the one that says least: one dark corner would brighten all else.

    Example:
        >>> relative_activation(np.array([[1, 2], [3, 5]], dtype=np.float32)).tolist()
        [[0.0, 0.25], [0.5, 1.0]]
        >>> relative_activation(np.array([[-9, 1, 2]], dtype=np.float32)).tolist()
        [[0.0, 0.5, 1.0]]
    """
    values = activation.astype(np.float64)
    if values.max() > 0:
        values = np.maximum(values, 0)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(high - low) or high == low:
        return np.zeros_like(values)
    return (values - low) / (high - low)


def activation_on(ax: Axes, image: Image, activation: NDArray[np.float32] | None) -> None:
    """Lay a map over the grey image, the stronger the denser; a line surrounds its upper half."""
    if activation is None:
        return
    show_grey(ax, image)
    share = relative_activation(activation)
    ax.imshow(share, cmap=_MAP, vmin=0, vmax=1, alpha=0.1 + 0.55 * share)
    if share.max() > _CONTOUR_AT and min(share.shape) > 1:  # a strip shrinks to a single row, which has no contour
        ax.contour(share, [_CONTOUR_AT], colors=["white"], linewidths=1)


def scale_within(ax: Axes) -> None:
    """Put the colour scale below a single overlay, inside its own panel so that its neighbours keep their size."""
    bar = ax.inset_axes((0.0, -0.09, 1.0, 0.04))
    _colour_bar(bar.figure, cax=bar, orientation="horizontal")


def _colour_bar(figure: Figure | SubFigure, **place: Any) -> None:
    """Draw the scale that says what the colours mean, with the white line at the half."""
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), cmap=_MAP), ticks=[0, 0.5, 1], **place)
    bar.set_ticklabels(["least", "half", "most"], fontsize=7.5)
    bar.ax.tick_params(length=0, pad=2)
    across = place.get("orientation") == "horizontal"
    (bar.ax.axvline if across else bar.ax.axhline)(_CONTOUR_AT, color="white", linewidth=1.2)


def draw_activation_overlays(pictures: list[StagePicture]) -> Figure:
    """Draw a grid of overlays with one colour bar."""
    figure, axes = panel_grid(len(pictures), 4)
    for ax, picture in zip(axes, pictures, strict=True):
        activation_on(ax, picture.image, picture.activation)
        case = picture.case
        verdict = f"{'✗ ' if is_wrong(case) else ''}for “{short_label(case.predicted, 18)}”"
        title(ax, [verdict, short_label(case.sample_id, 24)], weight="bold" if is_wrong(case) else "normal")
    _colour_bar(figure, ax=axes, panchor=False, fraction=0.03, pad=0.015, shrink=0.6, aspect=24)
    return figure


def plates(record: RunRecord) -> list[Plate]:
    """Return one grid of up to twelve overlays, or none where the network gives no map."""
    pictures = [picture for picture in distinct_pictures(record, 12) if picture.activation is not None]
    if not pictures:
        return []
    return [
        Plate(
            name="activation-overlays",
            title="Where the network looked",
            reading="Bright areas spoke most for the predicted class; the white line surrounds the upper half of the "
            "scale, which is relative to each picture. A map shows where, not why; a bright wrong place under a right "
            "answer is a warning.",
            alt=f"{len(pictures)} ultrasound images overlaid with class-activation maps of the predicted class.",
            draw=lambda: draw_activation_overlays(pictures),
            photographic=True,
        )
    ]
