"""One case through every stage of the chain: raw, enhanced, segmented, region, activation, probabilities."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from busight.report.figures.activation import activation_on, scale_within
from busight.report.figures.panels import (
    DRAWN_STYLE,
    PREDICTED_STYLE,
    bare,
    box,
    outline,
    outline_legend,
    panel_grid,
    probability_bars,
    show_grey,
)
from busight.report.render.plate import Plate
from busight.report.render.style import INK, MUTED
from busight.report.text.labels import file_stem, short_label
from busight.results.run_record import Case, RunRecord, StagePicture


def draw_walk(picture: StagePicture, classes: tuple[str, ...]) -> Figure:
    """Draw the six stages of one case, read like text: three above, three below."""
    figure, axes = panel_grid(6, 3, panel_height=2.35)
    raw, enhanced, segmented, region, activation, probabilities = axes
    show_grey(raw, picture.image)
    show_grey(enhanced, picture.enhanced)
    if np.array_equal(picture.image, picture.enhanced):
        _note(enhanced, "no filter in this recipe")
    show_grey(segmented, picture.image)
    outline(segmented, picture.true_mask, DRAWN_STYLE)
    outline(segmented, picture.mask, PREDICTED_STYLE)
    box(segmented, picture.roi)
    if picture.mask is None:
        _note(segmented, "this chain does not segment")
    elif not picture.mask.any():
        _note(segmented, "no lesion found")
    show_grey(region, picture.region)
    if picture.activation is None:
        _note(activation, "no activation map")
    else:
        activation_on(activation, picture.image, picture.activation)
        scale_within(activation)
    probabilities_on(probabilities, picture.case, classes)
    names = ("raw", "enhanced", "segmented", "region", "activation", "probabilities")
    for number, (ax, name) in enumerate(zip(axes, names, strict=True), start=1):
        ax.set_title(f"{number}  {name}", loc="left")
    if picture.mask is not None or picture.true_mask is not None:
        outline_legend(figure)
    return figure


def probabilities_on(ax: Axes, case: Case, classes: tuple[str, ...]) -> None:
    """Draw calibrated probabilities as bars and raw ones as ticks; names stand above the bars, the value beside."""
    named = [(("actual", name == case.actual), ("predicted", name == case.predicted)) for name in classes]
    marks = [", ".join(mark for mark, is_so in pair if is_so) for pair in named]
    probability_bars(ax, classes, case.calibrated_probs, marks, bold=(case.actual or "", case.predicted))
    ax.plot(case.raw_probs, range(len(classes)), linestyle="none", marker="|", markersize=13, color=INK, label="raw")


def _note(ax: Axes, text: str) -> None:
    bare(ax)
    ax.text(
        0.5,
        0.5,
        text,
        transform=ax.transAxes,
        ha="center",
        va="center",
        fontsize=8,
        color=MUTED,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85},
    )


def plates(record: RunRecord) -> list[Plate]:
    """Return one figure for each case that walks through the chain."""
    return [_plate(picture, record.classes, number) for number, picture in enumerate(record.walks, start=1)]


def _plate(picture: StagePicture, classes: tuple[str, ...], number: int) -> Plate:
    case = picture.case
    actual = case.actual or "unlabelled"
    probs = ", ".join(f"{name} {value:.2f}" for name, value in zip(classes, case.calibrated_probs, strict=True))
    return Plate(
        name=f"walk-{number}-{file_stem(actual)}",
        title=f"One {short_label(actual)} case through the chain: {short_label(case.sample_id, 60)}",
        reading="Follow the numbers: the picture as it came, after enhancement, with the lesion outlines and the "
        "dotted box of the region, what the network saw, where it looked (brighter: more), and what it concluded. Bars "
        "are calibrated probabilities; the ticks are those before calibration.",
        alt=f"Six panels of one {actual} case, called {case.predicted}. Calibrated probabilities: {probs}.",
        draw=partial(draw_walk, picture, classes),
        photographic=True,
    )
