import math

import pytest

from busight.metrics.table import MetricEstimate, MetricRows, MetricTable
from busight.report.blocks.metric_tables import (
    class_rows,
    estimate_text,
    overall_rows,
    resampling_note,
    subset_rows,
    undefined_resample_rows,
)

NAN = math.nan


def table(*estimates: MetricEstimate, support: tuple[int, int] = (6, 4)) -> MetricTable:
    confusion, rows = ((support[0], 0), (0, support[1])), MetricRows(estimates)
    return MetricTable(
        ("benign", "malignant"), "malignant", None, sum(support), 8, support, confusion, rows, 500, 0.95, 3
    )


def test_a_value_stands_with_its_interval() -> None:
    assert (
        estimate_text(MetricEstimate("accuracy", "overall", 0.8741, 0.8119, 0.9212, 117, 117), table())
        == "0.874 (0.812–0.921)"
    )


def test_a_negative_end_is_spelled_out() -> None:
    assert (
        estimate_text(MetricEstimate("kappa", "overall", 0.1, -0.05, 0.2, 9, 9), table()) == "0.100 (−0.050 to 0.200)"
    )


def test_a_missing_interval_says_why() -> None:
    assert (
        estimate_text(MetricEstimate("accuracy", "overall", 1.0, NAN, NAN, 1, 1), table())
        == "1.000 (no interval: 1 group)"
    )
    alike = MetricEstimate("auroc", "macro", 0.5, NAN, NAN, 20, 20)
    assert estimate_text(alike, table()) == "0.500 (no interval: all cases alike)"


@pytest.mark.parametrize(
    ("estimate", "support", "reason"),
    [
        (MetricEstimate("sensitivity", "malignant", NAN, NAN, NAN, 0, 0), (6, 0), "no test case of malignant"),
        (MetricEstimate("auroc", "macro", NAN, NAN, NAN, 6, 6), (6, 0), "no test case of malignant"),
        (MetricEstimate("auroc", "benign", NAN, NAN, NAN, 6, 6), (6, 0), "no test case of another class"),
        (MetricEstimate("precision", "malignant", NAN, NAN, NAN, 0, 0), (6, 4), "never predicted"),
        (MetricEstimate("precision", "macro", NAN, NAN, NAN, 10, 10), (6, 4), "a class was never predicted"),
        (MetricEstimate("dice", "lesion images", NAN, NAN, NAN, 0, 0), (6, 4), "no case it can be measured on"),
        (MetricEstimate("mcc", "overall", NAN, NAN, NAN, 10, 10), (6, 4), "not defined for these cases"),
    ],
)
def test_an_undefined_metric_gives_its_reason(estimate: MetricEstimate, support: tuple[int, int], reason: str) -> None:
    assert estimate_text(estimate, table(support=support)) == f"undefined: {reason}"


def test_every_metric_is_in_exactly_one_table() -> None:
    estimates = (
        MetricEstimate("accuracy", "overall", 0.9, 0.8, 1.0, 10, 10),
        MetricEstimate("f1", "benign", 0.91, 0.8, 1.0, 6, 6),
        MetricEstimate("f1", "macro", 0.92, 0.8, 1.0, 10, 10),
        MetricEstimate("dice", "lesion images", 0.93, 0.8, 1.0, 4, 4),
    )
    full = table(*estimates)
    header, rows = class_rows(full)
    assert overall_rows(full) == [("Accuracy", "0.900 (0.800–1.000)", "10")]
    assert header == ["metric", "benign", "malignant", "macro"]
    assert rows == [["Images", "6", "4", "10"], ["F1", "0.910 (0.800–1.000)", "–", "0.920 (0.800–1.000)"]]
    assert subset_rows(full) == [("Dice", "lesion images", "0.930 (0.800–1.000)", "4")]


def test_the_note_counts_groups_and_names_the_intervals() -> None:
    note = resampling_note(table())
    assert "500 bootstrap resamples of 8 groups" in note
    assert "Where fewer than 10 groups are behind a metric, there is none" in note


def test_left_out_resamples_are_listed() -> None:
    full = table(
        MetricEstimate("f1", "benign", 0.9, 0.8, 1.0, 6, 7, 7), MetricEstimate("mcc", "overall", 0.9, 0.8, 1.0, 6, 6)
    )
    assert undefined_resample_rows(full) == [("F1", "benign", "7 of 500")]
