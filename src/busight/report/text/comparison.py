"""A comparison as text: a table of differences, the tests, and a plain sentence."""

from __future__ import annotations

import math

from busight.experiments.compare import RunComparison
from busight.metrics.intervals import MIN_GROUPS
from busight.metrics.paired import Comparison, Difference
from busight.report.blocks.metric_tables import LOWER_IS_BETTER, metric_label
from busight.report.text.columns import aligned
from busight.report.text.headline import headline_names
from busight.report.text.numbers import interval_text

_ALSO_SHOWN = (("brier", "overall"), ("log_loss", "overall"), ("ece", "overall"))


def comparison_lines(run_comparison: RunComparison) -> list[str]:
    """Return the lines for a terminal: both runs, the differences, the tests, and one sentence."""
    comparison = run_comparison.comparison
    only = ""
    if run_comparison.only_first or run_comparison.only_second:
        only = f" (only in A: {run_comparison.only_first}, only in B: {run_comparison.only_second})"
    return [
        f"A: {run_comparison.first}",
        f"B: {run_comparison.second}",
        f"shared test images: {comparison.n_images} in {comparison.n_groups} groups, repeats: "
        f"{comparison.repeats}{only}",
        "",
        *_table(comparison),
        "",
        *_tests(comparison),
        "",
        sentence(comparison),
    ]


def _table(comparison: Comparison) -> list[str]:
    rows = [
        (
            metric_label(*name) + " ↓" * (name[0] in LOWER_IS_BETTER),
            f"{difference.first:.3f}",
            f"{difference.second:.3f}",
            difference_text(difference),
        )
        for name in (*headline_names(comparison), *_ALSO_SHOWN)
        if (difference := comparison.differences.find(*name)) and not math.isnan(difference.value)
    ]
    return aligned([("metric", "A", "B", f"B − A ({comparison.level:.0%} interval)"), *rows])


def difference_text(difference: Difference) -> str:
    """Return ``"+0.021 (+0.004 to +0.039)"``.

    Example:
        >>> difference_text(Difference("auroc", "macro", 0.9, 0.88, -0.02, -0.05, 0.01))
        '−0.020 (−0.050 to +0.010)'
    """
    return f"{difference.value:+.3f} ({interval_text(difference.low, difference.high, '+.3f')})".replace("-", "−")


def sentence(comparison: Comparison) -> str:
    """Return the conclusion in one sentence, by the macro AUROC (where defined, else the accuracy) and its interval."""
    preferred = (("auroc", "macro"), ("auroc", comparison.positive or comparison.classes[-1]), ("accuracy", "overall"))
    differences = (comparison.differences.find(metric, of) for metric, of in preferred)
    defined = [d for d in differences if d is not None and not math.isnan(d.value)]
    difference = next((d for d in defined if not math.isnan(d.low)), defined[0])
    name = metric_label(difference.metric, difference.of)
    name = name if name.startswith("AUROC") else name.lower()
    interval = f"{comparison.level:.0%} interval {interval_text(difference.low, difference.high, '+.3f')}"
    on = f"on {comparison.n_images} shared images"
    if comparison.n_groups < MIN_GROUPS:
        return f"{comparison.n_groups} independent groups are too few to compare anything; share more test images."
    if not (difference.low > 0 or difference.high < 0):
        return f"No difference in {name} has been shown {on} ({difference.value:+.3f}, {interval}).".replace("(-", "(−")
    better, worse = ("B", "A") if difference.value > 0 else ("A", "B")
    return f"{better} is better than {worse} by {abs(difference.value):.3f} of {name} {on} (B − A: {interval})."


def _tests(comparison: Comparison) -> list[str]:
    lines = []
    for index, name in enumerate(comparison.classes):
        p_values = [tests[index].p_value for tests in comparison.delong if tests[index] is not None]  # type: ignore[union-attr]
        if p_values:
            lines.append(f"DeLong, clustered, AUROC of {name}: {_p_text(p_values)}")
    only = ", ".join(f"{test.only_first}/{test.only_second}" for test in comparison.mcnemar)
    p_text = _p_text([test.p_value for test in comparison.mcnemar])
    lines.append(f"McNemar, right only by A / only by B: {only}; {p_text} (takes images as independent)")
    return lines


def _p_text(p_values: list[float]) -> str:
    """Return the p-values of the repeats; they are not independent and are therefore not merged into one."""
    return "p = " + ", ".join(
        "undefined (no variance)" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}" for p in p_values
    )
