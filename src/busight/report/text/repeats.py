"""The spread over seeds as a table for the terminal."""

from __future__ import annotations

from busight.experiments.repeat import SeedScore, SeedsRecord
from busight.report.blocks.scores_table import score_name
from busight.report.text.headline import HEADLINE

_HEADER = ("score", "mean (its interval)", "deviation", "least–greatest", "interval of one seed")


def seeds_lines(record: SeedsRecord) -> list[str]:
    """Return what a terminal shows: what was repeated, and a row a figure."""
    shown = [one for which in HEADLINE if (one := record.find(*which)) is not None and one.spread.seeds]
    rows = [_HEADER, *map(_row, shown)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    return [
        f"{len(record.seeds)} seeds; {record.n_train:.0f} training and {record.n_test:.0f} test images each; copies "
        f"on two sides of a split: {record.crossing_pairs:.0f}",
        *("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows),
    ]


def _row(score: SeedScore) -> tuple[str, ...]:
    spread = score.spread
    missing = len(score.values) - spread.seeds
    single = "none: too few groups"
    if score.single_low == score.single_low:
        single = f"{score.single_low:.3f}–{score.single_high:.3f}"
    return (
        score_name(score.metric, score.of),
        f"{spread.mean:.3f} ({spread.low:.3f} to {spread.high:.3f})",
        f"{spread.deviation:.3f}",
        f"{spread.least:.3f}–{spread.greatest:.3f}",
        single + (f" (undefined for {missing} seeds)" if missing else ""),
    )
