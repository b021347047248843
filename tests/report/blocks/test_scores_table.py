import math

import pytest

from busight.metrics.table import Score, ScoreSheet
from busight.report.blocks.scores_table import (
    class_rows,
    left_out_rows,
    other_rows,
    overall_rows,
    resampling_note,
    score_text,
)

NAN = math.nan


def sheet(*scores: Score, support: tuple[int, int] = (6, 4)) -> ScoreSheet:
    confusion = ((support[0], 0), (0, support[1]))
    return ScoreSheet(("benign", "malignant"), sum(support), 8, support, confusion, scores, 500, 0.95, 3)


def test_a_value_stands_with_its_interval() -> None:
    assert score_text(Score("accuracy", "overall", 0.8741, 0.8119, 0.9212, 117), sheet()) == "0.874 (0.812–0.921)"


def test_a_negative_end_is_spelled_out() -> None:
    assert score_text(Score("kappa", "overall", 0.1, -0.05, 0.2, 9), sheet()) == "0.100 (−0.050 to 0.200)"


def test_a_missing_interval_says_why() -> None:
    assert score_text(Score("accuracy", "overall", 1.0, NAN, NAN, 1), sheet()) == "1.000 (no interval: too few groups)"


@pytest.mark.parametrize(
    ("score", "support", "reason"),
    [
        (Score("sensitivity", "malignant", NAN, NAN, NAN, 0), (6, 0), "no test case of malignant"),
        (Score("auroc", "macro", NAN, NAN, NAN, 6), (6, 0), "no test case of malignant"),
        (Score("auroc", "benign", NAN, NAN, NAN, 6), (6, 0), "no test case of another class"),
        (Score("precision", "malignant", NAN, NAN, NAN, 0), (6, 4), "never predicted"),
        (Score("precision", "macro", NAN, NAN, NAN, 10), (6, 4), "a class was never predicted"),
        (Score("dice", "lesion images", NAN, NAN, NAN, 0), (6, 4), "no case it can be measured on"),
        (Score("mcc", "overall", NAN, NAN, NAN, 10), (6, 4), "not defined for these cases"),
    ],
)
def test_an_undefined_score_gives_its_reason(score: Score, support: tuple[int, int], reason: str) -> None:
    assert score_text(score, sheet(support=support)) == f"undefined: {reason}"


def test_every_score_is_in_exactly_one_table() -> None:
    scores = (
        Score("accuracy", "overall", 0.9, 0.8, 1.0, 10),
        Score("f1", "benign", 0.91, 0.8, 1.0, 6),
        Score("f1", "macro", 0.92, 0.8, 1.0, 10),
        Score("dice", "lesion images", 0.93, 0.8, 1.0, 4),
    )
    full = sheet(*scores)
    header, rows = class_rows(full)
    assert overall_rows(full) == [("Accuracy", "0.900 (0.800–1.000)", "10")]
    assert header == ["score", "benign", "malignant", "macro"]
    assert rows == [["Images", "6", "4", "10"], ["F1", "0.910 (0.800–1.000)", "–", "0.920 (0.800–1.000)"]]
    assert other_rows(full) == [("Dice", "lesion images", "0.930 (0.800–1.000)", "4")]


def test_the_note_counts_groups_and_warns_of_intervals_without_width() -> None:
    assert "500 bootstrap resamples of 8 groups" in resampling_note(sheet())
    assert "rule of three" not in resampling_note(sheet(Score("f1", "benign", 0.9, 0.8, 1.0, 6)))
    assert "rule of three" in resampling_note(sheet(Score("f1", "benign", 1.0, 1.0, 1.0, 6)))


def test_left_out_resamples_are_listed() -> None:
    full = sheet(Score("f1", "benign", 0.9, 0.8, 1.0, 6, 7), Score("mcc", "overall", 0.9, 0.8, 1.0, 6))
    assert left_out_rows(full) == [("F1", "benign", "7 of 500")]
