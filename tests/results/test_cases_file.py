from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from busight.data.labels import LabelSchema
from busight.errors import DataError
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
        replace(CASE, sample_id="=HYPERLINK(1).png", group="'@g", logits=(-float("inf"), -1e-5)),
        replace(CASE, above_threshold=False, descriptor_prob_positive=None, prediction_set=LABELS.names, metadata=()),
    )
    write_cases(tmp_path / "cases.csv", cases, LABELS)
    found, labels = read_cases(tmp_path / "cases.csv")
    assert labels == LABELS
    # NaN is not equal to itself; everything else must be.
    assert [repr(case) for case in found] == [repr(case) for case in cases]
    assert "\n'=HYPERLINK(1).png,''@g,benign,malignant,'-inf,-1e-05," in (tmp_path / "cases.csv").read_text()


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
    with pytest.raises(DataError, match="more cells than the header"):
        read_cases(path)


def test_a_damaged_line_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    write_cases(path, [CASE], LABELS)
    path.write_text(path.read_text().replace("0.45", "much"))
    with pytest.raises(DataError, match="a line does not hold what its header says"):
        read_cases(path)


@pytest.mark.parametrize("column", ["target", "prediction"])
def test_a_class_that_the_header_does_not_name_is_refused(tmp_path: Path, column: str) -> None:
    path = tmp_path / "cases.csv"
    write_cases(path, [replace(CASE, sample_id="a", **{column: "cyst"})], LABELS)
    with pytest.raises(DataError, match=f"{column} 'cyst' is none of benign, malignant"):
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
