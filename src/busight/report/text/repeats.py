"""Metrics over several seeds as a table for the terminal."""

from __future__ import annotations

from busight.report.blocks.metric_tables import metric_label
from busight.report.text.columns import aligned
from busight.report.text.headline import headline_names
from busight.results.repeat_record import RepeatedMetric, RepeatRecord

_HEADER = ("metric", "mean (its interval)", "std", "min–max", "interval of one seed")


def repeat_lines(record: RepeatRecord) -> list[str]:
    """Return the lines for a terminal: the experiment, and a row per metric."""
    metrics = [
        metric for name in headline_names(record) if (metric := record.metrics.find(*name)) and metric.spread.seeds
    ]
    return [
        f"{len(record.seeds)} seeds; {record.n_train:.0f} training and {record.n_test:.0f} test images each; "
        f"near-duplicate pairs in two subsets of a split: {record.leaking_pairs:.0f}",
        *aligned([_HEADER, *map(_row, metrics)]),
    ]


def _row(metric: RepeatedMetric) -> tuple[str, ...]:
    spread = metric.spread
    n_undefined = len(metric.values) - spread.seeds
    single = "none: too few groups"
    if metric.single_low == metric.single_low:
        single = f"{metric.single_low:.3f}–{metric.single_high:.3f}"
    return (
        metric_label(metric.metric, metric.of),
        f"{spread.mean:.3f} ({spread.low:.3f} to {spread.high:.3f})",
        f"{spread.std:.3f}",
        f"{spread.min:.3f}–{spread.max:.3f}",
        single + (f" (undefined for {n_undefined} seeds)" if n_undefined else ""),
    )
