"""The scores of every fold as points, with the score over all of them and its interval."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

from busight.report.blocks.scores_table import find_score, score_name
from busight.report.render.plate import Plate
from busight.report.render.style import ACCENT, FULL_WIDTH, INK, MUTED, new_figure
from busight.report.text.headline import HEADLINE
from busight.results.run_record import RunRecord


def draw_fold_scores(record: RunRecord) -> Figure:
    """Draw one row a score: a point for each fold, a bar for the interval of the score over all folds."""
    rows = [(metric, of) for metric, of in HEADLINE if find_score(record.sheet, metric, of)]
    figure = new_figure(FULL_WIDTH, 0.9 + 0.45 * len(rows))
    ax = figure.add_subplot()
    for place, (metric, of) in enumerate(rows):
        values = [score.value for fold in record.folds if (score := find_score(fold.sheet, metric, of))]
        # Spread evenly within the row, fold after fold, so that equal values do not hide one another.
        spread = place + np.linspace(-0.18, 0.18, len(values))
        ax.plot(values, spread, "o", color=MUTED, markersize=4, markerfacecolor="none", zorder=2)
        score = find_score(record.sheet, metric, of)
        if score is None or math.isnan(score.value):
            continue
        ax.plot([score.low, score.high], [place, place], color=ACCENT, linewidth=5, alpha=0.35, zorder=1)
        ax.plot(score.value, place, "D", color=ACCENT, markersize=6, zorder=3)
        ax.text(1.02, place, f"{score.value:.3f}", va="center", color=INK, transform=ax.get_yaxis_transform())
    ax.set_yticks(range(len(rows)), [score_name(metric, of) for metric, of in rows])
    ax.invert_yaxis()
    ax.set_xlim(right=1.01)
    ax.set_xlabel("score")
    ax.grid(visible=False, axis="y")
    return figure


def plates(record: RunRecord) -> list[Plate]:
    """Return the one figure, or none where nothing was cross-validated."""
    if not record.folds:
        return []
    accuracy = [fold.sheet.get("accuracy").value for fold in record.folds]
    return [
        Plate(
            name="fold-scores",
            title="Fold by fold",
            reading="Circles are single folds, the diamond is the score over all images, the bar its interval. Folds "
            "that lie far apart say how much one lucky split could have flattered.",
            alt=f"Scores of {len(record.folds)} folds; accuracy from {min(accuracy):.3f} to {max(accuracy):.3f}.",
            draw=lambda: draw_fold_scores(record),
        )
    ]
