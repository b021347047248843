"""Pipeline stages of one case: raw, enhanced, segmented, region, activation, probabilities."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from busight.report.figures.activation import activation_on, scale_within
from busight.report.figures.panels import (
    ANNOTATED_STYLE,
    PREDICTED_STYLE,
    bare,
    box,
    outline,
    outline_legend,
    panel_grid,
    probability_bars,
    show_grey,
)
from busight.report.render.figure_spec import FigureSpec
from busight.report.render.style import INK, MUTED
from busight.report.text.sanitise import file_stem, short_label
from busight.results.case import Case, StageImages
from busight.results.records import ModelRecord, ResultRecord


def draw_stages(stages: StageImages, classes: tuple[str, ...]) -> Figure:
    """Draw the six stages of one case: three above, three below."""
    figure, axes = panel_grid(6, 3, panel_height=2.35)
    raw, enhanced, segmented, region, activation, probabilities = axes
    show_grey(raw, stages.image)
    show_grey(enhanced, stages.enhanced)
    if np.array_equal(stages.image, stages.enhanced):
        _note(enhanced, "no filter in this recipe")
    show_grey(segmented, stages.image)
    outline(segmented, stages.annotated_mask, ANNOTATED_STYLE)
    outline(segmented, stages.mask, PREDICTED_STYLE)
    box(segmented, stages.roi)
    if stages.mask is None:
        _note(segmented, "this chain does not segment")
    elif not stages.mask.any():
        _note(segmented, "no lesion predicted")
    show_grey(region, stages.region)
    if stages.activation is None:
        _note(activation, "no activation map")
    else:
        activation_on(activation, stages.image, stages.activation)
        scale_within(activation)
    probabilities_on(probabilities, stages.case, classes)
    names = ("raw", "enhanced", "segmented", "region", "activation", "probabilities")
    for number, (ax, name) in enumerate(zip(axes, names, strict=True), start=1):
        ax.set_title(f"{number}  {name}", loc="left")
    if stages.mask is not None or stages.annotated_mask is not None:
        outline_legend(figure)
    return figure


def probabilities_on(ax: Axes, case: Case, classes: tuple[str, ...]) -> None:
    """Draw calibrated probabilities as bars and raw ones as ticks; names stand above the bars, the value beside."""
    roles = [(("target", name == case.target), ("prediction", name == case.prediction)) for name in classes]
    marks = [", ".join(role for role, applies in of_class if applies) for of_class in roles]
    probability_bars(ax, classes, case.calibrated_probs, marks, bold=(case.target, case.prediction))
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


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return one figure for each example case."""
    if not isinstance(record, ModelRecord):
        return []
    return [_figure_spec(stages, record.classes, number) for number, stages in enumerate(record.example_cases, start=1)]


def _figure_spec(stages: StageImages, classes: tuple[str, ...], number: int) -> FigureSpec:
    case = stages.case
    probs = ", ".join(f"{name} {value:.2f}" for name, value in zip(classes, case.calibrated_probs, strict=True))
    return FigureSpec(
        name=f"stages-{number}-{file_stem(case.target)}",
        title=f"Stages of one {short_label(case.target)} case: {short_label(case.sample_id, 60)}",
        caption="In order: the image as read, the enhanced image, the image with the lesion outlines and the dotted "
        "box of the region of interest, the input of the network, its activation map (brighter: more), and its "
        "probabilities. Bars are calibrated probabilities; the ticks are those before calibration.",
        alt=f"Six panels of one {case.target} case, predicted {case.prediction}. Calibrated probabilities: {probs}.",
        draw=partial(draw_stages, stages, classes),
        photographic=True,
    )
