from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict, replace

import pytest

from busight.metrics.paired import Difference
from busight.metrics.table import MetricEstimate, MetricRows, MetricTable


def estimate(metric: str, of: str, value: float) -> MetricEstimate:
    return MetricEstimate(metric, of, value, value - 0.1, value + 0.1, 20, 20)


ACCURACY = estimate("accuracy", "overall", 0.9)
MACRO = estimate("auroc", "macro", 0.8)
MALIGNANT = estimate("auroc", "malignant", 0.7)
TABLE = MetricTable(
    ("a", "b"), "b", None, 4, 3, (2, 2), ((2, 0), (0, 2)), MetricRows((ACCURACY, MACRO, MALIGNANT)), 10, 0.95, 0
)


def test_a_metric_is_found_by_its_name_and_what_it_is_of() -> None:
    assert TABLE.get("accuracy") is TABLE.find("accuracy") is ACCURACY
    assert TABLE.get("auroc", "malignant") is MALIGNANT
    assert (TABLE.find("auroc"), TABLE.find("auroc", "benign"), TABLE.find("dice", "macro")) == (None, None, None)
    with pytest.raises(KeyError, match="no metric 'auroc' of 'benign'"):
        TABLE.get("auroc", "benign")


def test_other_records_are_looked_up_alike_and_stay_in_order() -> None:
    rows = MetricRows(Difference("auroc", of, 0.5, 0.6, 0.1, 0.0, 0.2) for of in ("b", "a"))
    assert [row.of for row in rows] == ["b", "a"]
    assert rows.get("auroc", "a") is rows[1]
    assert MetricRows() == ()


def test_a_looked_up_table_is_compared_copied_and_written_like_any_other() -> None:
    assert deepcopy(TABLE) == TABLE
    changed = replace(TABLE, rows=MetricRows((MACRO,)))
    assert (changed.find("accuracy"), changed.get("auroc", "macro")) == (None, MACRO)
    assert [row["metric"] for row in asdict(TABLE)["rows"]] == ["accuracy", "auroc", "auroc"]
