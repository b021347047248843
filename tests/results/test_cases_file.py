from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from busight.data.labels import LabelSchema
from busight.errors import DataError
from busight.io.csv_text import csv_rows, csv_text
from busight.metrics.mask_scores import MaskScores
from busight.results.case import Case
from busight.results.cases_file import read_cases, write_cases

NAN = float("nan")
CASE = Case(
    sample_id='b, "1"\n',
    group="g",
    target="benign",
    prediction="malignant",
    logits=(0.1, 1 / 3),
    raw_probs=(0.4, 0.6),
    calibrated_probs=(0.45, 0.55),
    mask_scores=MaskScores(dice=0.7, iou=NAN, annotated_area_fraction=0.0, predicted_area_fraction=1e-17),
    above_threshold=True,
    descriptor_prob_positive=1 / 7,
    metadata=(("device", 'GE "Logiq", E9'), ("BI-RADS", "4")),
)
LABELS = LabelSchema(("benign", "malignant"), "malignant")


def test_cases_come_back_to_the_last_digit(tmp_path: Path) -> None:
    cases = (
        CASE,
        replace(CASE, above_threshold=None, mask_scores=MaskScores(iou=0.25), prediction_set=(), rejected=True),
        replace(CASE, sample_id="=HYPERLINK(1).png", group="'@g", logits=(-2.5, -1e-5)),
        replace(CASE, above_threshold=False, descriptor_prob_positive=None, prediction_set=LABELS.names, metadata=()),
    )
    write_cases(tmp_path / "cases.csv", cases, LABELS)
    found, labels = read_cases(tmp_path / "cases.csv")
    assert labels == LABELS
    # NaN is not equal to itself; everything else must be.
    assert [repr(case) for case in found] == [repr(case) for case in cases]
    assert "\n'=HYPERLINK(1).png,''@g,benign,malignant,-2.5,-1e-05," in (tmp_path / "cases.csv").read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "name the folder of a finished run"),
        (b"", "not a table of cases"),
        (b"sample_id,group\na,b\n", "not a table of cases"),
        (b"\xff\xfe\x00", "not a table of cases"),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "cases.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_cases(path)


def test_a_line_with_a_cell_too_many_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    write_cases(path, [CASE], LABELS)
    path.write_text(path.read_text().rstrip("\n") + ",more\n")
    with pytest.raises(DataError, match="line 3 has 33 cells, its header 32"):
        read_cases(path)


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [
        ("group", "", "an empty cell is not a name"),
        ("target", "cyst", "'cyst' is not one of benign, malignant"),
        ("prediction", "", "an empty cell is not one of benign, malignant"),
        ("logit_benign", "nan", "'nan' is not a finite number"),
        ("logit_benign", "-inf", "'-inf' is not a finite number"),
        ("raw_prob_malignant", "", "an empty cell is not a probability from 0 to 1"),
        ("calibrated_prob_benign", "much", "'much' is not a probability from 0 to 1"),
        ("calibrated_prob_benign", "1.5", "'1.5' is not a probability from 0 to 1"),
        ("dice", "inf", "'inf' is not a finite number, or empty"),
        ("above_threshold", "2", "'2' is not 0, 1 or empty"),
        ("prediction_set", '["cyst"]', """'["cyst"]' is not a JSON list of classes"""),
        ("descriptor_prob_positive", "nan", "'nan' is not a probability from 0 to 1, or empty"),
        ("metadata", "[1]", r"'[1]' is not a JSON object"),
    ],
)
def test_a_damaged_cell_is_named_by_line_and_column(tmp_path: Path, column: str, cell: str, rule: str) -> None:
    path = tmp_path / "cases.csv"
    write_cases(path, [replace(CASE, sample_id="a"), replace(CASE, sample_id="b")], LABELS)
    rows = csv_rows(path.read_text())
    rows[2][rows[0].index(column)] = cell
    path.write_text(csv_text(rows))
    told = f"{path}: line 3, column {column}: {rule}"
    with pytest.raises(DataError, match=rf"{re.escape(told)}.*; restore the file as it was written, or make it anew"):
        read_cases(path)


def test_a_table_with_other_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    write_cases(path, [CASE], LABELS)
    path.write_text(path.read_text().replace("above_threshold", "flagged"))
    with pytest.raises(DataError, match="not a table of cases of this version; make it anew"):
        read_cases(path)


def test_labels_that_do_not_belong_to_the_table_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    write_cases(path, [CASE], LABELS)
    (tmp_path / "labels.json").write_text('{"names": ["benign", "cyst"]}')
    with pytest.raises(DataError, match=r"labels\.json: names other classes than its table"):
        read_cases(path)
    (tmp_path / "labels.json").unlink()
    with pytest.raises(DataError, match=r"labels\.json: cannot be read .*copy it with its table"):
        read_cases(path)
