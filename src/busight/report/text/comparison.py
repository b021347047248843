"""A comparison in words: a table of differences and a plain sentence."""

from __future__ import annotations

import math

from busight.experiments.compare import RunComparison
from busight.metrics.paired import Comparison, Difference
from busight.report.blocks.scores_table import LOWER_IS_BETTER, score_name
from busight.report.text.headline import HEADLINE

_SHOWN = (
    *HEADLINE,
    ("operating_sensitivity", "malignant"),
    ("operating_specificity", "malignant"),
    ("brier", "overall"),
    ("log_loss", "overall"),
    ("ece", "overall"),
)


_FEW = 10
"""Groups below which the bootstrap's intervals are known to be too narrow."""


def comparison_lines(found: RunComparison) -> list[str]:
    """Return what a terminal shows: who, the differences, the tests, and one sentence."""
    comparison = found.comparison
    lines = [
        f"A: {found.first}",
        f"B: {found.second}",
        f"shared test images: {comparison.n_images} in {comparison.n_groups} groups, repeats: {comparison.repeats}"
        + (f" (only in A: {found.only_first}, only in B: {found.only_second})" if _lonely(found) else ""),
        "",
    ]
    return [*lines, *_table(comparison), "", *_tests(comparison), "", sentence(comparison)]


def _table(comparison: Comparison) -> list[str]:
    shown = [one for which in _SHOWN if (one := _find(comparison, *which)) and not math.isnan(one.value)]
    names = [score_name(one.metric, one.of) + " ↓" * (one.metric in LOWER_IS_BETTER) for one in shown]
    width = max(map(len, [*names, "score"]))
    rows = [
        f"{name:<{width}}  {one.first:6.3f}  {one.second:6.3f}  {difference_text(one)}"
        for name, one in zip(names, shown, strict=True)
    ]
    return [f"{'score':<{width}}  {'A':>6}  {'B':>6}  B − A ({comparison.level:.0%} interval)", *rows]


def difference_text(difference: Difference) -> str:
    """Return ``"+0.021 (+0.004 to +0.039)"``.

    Example:
        >>> difference_text(Difference("auroc", "macro", 0.9, 0.88, -0.02, -0.05, 0.01))
        '−0.020 (−0.050 to +0.010)'
    """
    text = f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"
    return text.replace("-", "−")


def sentence(comparison: Comparison) -> str:
    """Say in one sentence what was shown, by the macro AUROC (where defined, else the accuracy) and its interval."""
    wanted = (("auroc", "macro"), ("auroc", comparison.classes[-1]), ("accuracy", "overall"))
    found = (_find(comparison, metric, of) for metric, of in wanted)
    difference = next(one for one in found if one is not None and not math.isnan(one.value))
    name = score_name(difference.metric, difference.of)
    name = name if name.startswith("AUROC") else name.lower()
    span = f"{comparison.level:.0%} interval {difference.low:+.3f} to {difference.high:+.3f}".replace("-", "−")
    on = f"on {comparison.n_images} shared images"
    if comparison.n_groups < _FEW:
        return f"{comparison.n_groups} independent groups are too few to compare anything; share more test images."
    if not (difference.low > 0 or difference.high < 0):
        return f"No difference in {name} has been shown {on} ({difference.value:+.3f}, {span}).".replace("(-", "(−")
    better, worse = ("B", "A") if difference.value > 0 else ("A", "B")
    return f"{better} is better than {worse} by {abs(difference.value):.3f} of {name} {on} (B − A: {span})."


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
    return "p = " + ", ".join("< 0.001" if p < 0.001 else f"{p:.3f}" for p in p_values)


def _find(comparison: Comparison, metric: str, of: str) -> Difference | None:
    return next((one for one in comparison.differences if (one.metric, one.of) == (metric, of)), None)


def _lonely(found: RunComparison) -> bool:
    return bool(found.only_first or found.only_second)
