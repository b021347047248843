"""Class-activation maps over the images."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from busight.data.shrink import shrink
from busight.report.figures.panels import LARGEST_SHOWN, extent_of, panel_grid, show_grey, shown_cases, title
from busight.report.render.figure_spec import FigureSpec
from busight.report.text.sanitise import short_label
from busight.results.case import StageImages
from busight.results.records import ResultRecord
from busight.types import FloatArray, Image

# A perceptual map: lightness rises with the value, so that grey print keeps the meaning. Without magma's palest tenth,
# which over an ultrasound image would pass for bright tissue.
_MAP = LinearSegmentedColormap.from_list("magma-to-peach", colormaps["magma"](np.linspace(0.05, 0.88, 128)))
_CONTOUR_AT = 0.5


def relative_activation(activation: NDArray[np.float32]) -> FloatArray:
    """Scale a map to 0–1 within its image; a map without differences, or with a value that is no number, is all 0.

    Negative values count as 0 where there are positive ones: one dark corner would brighten all else.

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
    share = relative_activation(shrink(activation, LARGEST_SHOWN))
    place = extent_of(image)
    ax.imshow(share, cmap=_MAP, vmin=0, vmax=1, alpha=0.1 + 0.55 * share, extent=place)
    if share.max() > _CONTOUR_AT and min(share.shape) > 1:  # a strip shrinks to a single row, which has no contour
        rows, columns = (np.linspace(0, side - 1, n) for side, n in zip(image.shape[:2], share.shape, strict=True))
        ax.contour(columns, rows, share, [_CONTOUR_AT], colors=["white"], linewidths=1)


def scale_within(ax: Axes) -> None:
    """Draw the colour scale below a single overlay, inside its own panel so that its neighbours keep their size."""
    bar = ax.inset_axes((0.0, -0.09, 1.0, 0.04))
    _colour_bar(bar.figure, cax=bar, orientation="horizontal")


def _colour_bar(figure: Figure | SubFigure, **place: Any) -> None:
    """Draw the colour scale, with the white line at the half."""
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), cmap=_MAP), ticks=[0, 0.5, 1], **place)
    bar.set_ticklabels(["least", "half", "most"], fontsize=7.5)
    bar.ax.tick_params(length=0, pad=2)
    across = place.get("orientation") == "horizontal"
    (bar.ax.axvline if across else bar.ax.axhline)(_CONTOUR_AT, color="white", linewidth=1.2)


def draw_activation_overlays(cases: list[StageImages]) -> Figure:
    """Draw a grid of overlays with one colour bar."""
    figure, axes = panel_grid(len(cases), 4)
    for ax, stages in zip(axes, cases, strict=True):
        activation_on(ax, stages.image, stages.activation)
        case = stages.case
        heading = f"{'✗ ' if case.is_error else ''}for “{short_label(case.prediction, 18)}”"
        title(ax, [heading, short_label(case.sample_id, 24)], weight="bold" if case.is_error else "normal")
    _colour_bar(figure, ax=axes, panchor=False, fraction=0.03, pad=0.015, shrink=0.6, aspect=24)
    return figure


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return one grid of up to twelve overlays, or none where the network has no map."""
    cases = [stages for stages in shown_cases(record, 12) if stages.activation is not None]
    if not cases:
        return []
    return [
        FigureSpec(
            name="activation-overlays",
            title="Class-activation maps",
            caption="Bright areas contributed most to the predicted class; the white line surrounds the upper half "
            "of the scale, which is relative to each image. A map shows where, not why; a bright area away from the "
            "lesion under a right prediction is a warning.",
            alt=f"{len(cases)} ultrasound images overlaid with class-activation maps of the predicted class.",
            draw=lambda: draw_activation_overlays(cases),
            photographic=True,
        )
    ]
