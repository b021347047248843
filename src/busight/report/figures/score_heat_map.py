"""The classification report as a heat map: one row a class, one column a score."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from busight.metrics.table import ScoreSheet
from busight.report.blocks.scores_table import find_score
from busight.report.render.plate import Plate
from busight.report.render.style import FULL_WIDTH, SEQUENTIAL, new_figure, text_on
from busight.report.text.labels import short_label
from busight.results.run_record import RunRecord

_COLUMNS = (("precision", "precision"), ("sensitivity", "recall\n(sensitivity)"), ("f1", "F1"))


def draw_score_heat_map(sheet: ScoreSheet) -> Figure:
    """Draw precision, recall and F1 of each class and their averages; undefined cells stay white with a dash."""
    rows = [*sheet.classes, *(of for of in ("macro", "weighted") if find_score(sheet, "f1", of))]
    found = [[find_score(sheet, metric, of) for metric, _ in _COLUMNS] for of in rows]
    values = np.array([[score.value if score else np.nan for score in line] for line in found])
    figure = new_figure(FULL_WIDTH, 0.9 + 0.42 * len(rows))
    ax = figure.add_subplot()
    drawn = ax.imshow(values, cmap=SEQUENTIAL, vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        text = "–" if np.isnan(value) else f"{value:.3f}"
        ax.text(column, row, text, ha="center", va="center", color=text_on(float(np.nan_to_num(value))))
    support = dict(zip(sheet.classes, sheet.support, strict=True))
    ax.set_xticks(range(len(_COLUMNS)), [label for _, label in _COLUMNS])
    ax.set_yticks(range(len(rows)), [f"{short_label(of, 20)} (n = {support.get(of, sheet.n_images)})" for of in rows])
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.axhline(len(sheet.classes) - 0.5, color="white", linewidth=4)
    figure.colorbar(drawn, ax=ax, label="score", fraction=0.04, pad=0.02)
    return figure


def plates(record: RunRecord) -> list[Plate]:
    """Return the one figure."""
    sheet = record.sheet
    told = (
        f"{name}: {label.split()[0]} {score.value:.3f}"
        for name in sheet.classes
        for metric, label in _COLUMNS
        if (score := find_score(sheet, metric, name)) and not np.isnan(score.value)
    )
    return [
        Plate(
            name="classification-report",
            title="Classification report",
            reading="Darker is better. Precision asks how many of those called a class are of it; recall asks how many "
            "of a class were found. Macro treats the classes alike, weighted counts every image alike.",
            alt=f"Heat map of scores. {'; '.join(told)}.",
            draw=lambda: draw_score_heat_map(sheet),
        )
    ]
