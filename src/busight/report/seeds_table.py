"""The spread over seeds as a table for the terminal."""

from __future__ import annotations

from busight.pipeline.seeds import SeedScore, SeedsRecord
from busight.report.headline import HEADLINE
from busight.report.scores_table import score_name


def seeds_lines(record: SeedsRecord) -> list[str]:
    """Return what a terminal shows: what was repeated, and a row a figure."""
    shown = [one for which in HEADLINE if (one := record.find(*which)) is not None and one.spread.seeds]
    names = [score_name(one.metric, one.of) for one in shown]
    width = max(map(len, [*names, "score"]))
    head = f"{'score':<{width}}   mean (interval of the mean)    deviation  least–greatest  one seed's interval"
    return [
        f"{len(record.seeds)} seeds; {record.n_train:.0f} training and {record.n_test:.0f} test images each; copies "
        f"on two sides of a split: {record.crossing_pairs:.0f}",
        head,
        *(f"{name:<{width}}  {_row(one)}" for name, one in zip(names, shown, strict=True)),
    ]


def _row(score: SeedScore) -> str:
    spread = score.spread
    missing = len(score.values) - spread.seeds
    single = f"{score.single_low:.3f}–{score.single_high:.3f}"
    text = (
        f"{spread.mean:6.3f} ({spread.low:.3f} to {spread.high:.3f})         {spread.deviation:.3f}      "
        f"{spread.least:.3f}–{spread.greatest:.3f}     "
        + (single if score.single_low == score.single_low else "none: too few groups")
    )
    return text + (f"  (undefined for {missing} seeds)" if missing else "")
