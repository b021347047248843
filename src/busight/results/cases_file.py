"""``cases.csv``: one line for each scored image."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from busight.errors import DataError
from busight.io.atomic import write_text
from busight.io.csv_text import csv_text
from busight.metrics.mask_scores import MASK_SCORES, MaskScores
from busight.results.run_record import Case

_SECOND = "second_reader"
"""A column that tables of before November 2026 do not have: read as empty."""

_KINDS = ("logit", "raw_prob", "calibrated_prob")


def write_cases(path: Path, cases: Sequence[Case], classes: tuple[str, ...]) -> None:
    """Write the cases with full precision; what is undefined is empty.

    Raises:
        OutputError: It could not be written.
    """
    write_text(path, csv_text([_header(classes), *map(_line, cases)]))


def read_cases(path: Path) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """Read what `write_cases` wrote: the same cases to the last digit, and their classes.

    Raises:
        DataError: The file is missing or is not a table of cases.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            table = csv.DictReader(stream, strict=True)
            rows, names = list(table), list(table.fieldnames or ())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); name the folder of a finished run") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a table of cases ({error}); make it anew with busight evaluate") from error
    classes = tuple(name.removeprefix("logit_") for name in names if name.startswith("logit_"))
    expected = _header(classes)
    if not classes or names not in (expected, [name for name in expected if name != _SECOND]):
        raise DataError(f"{path}: not a table of cases of this version; make it anew with busight evaluate")
    if not rows:
        raise DataError(f"{path}: holds no case; make it anew with busight evaluate")
    if any(None in row for row in rows):
        raise DataError(f"{path}: a line has more cells than the header; make it anew with busight evaluate")
    try:
        return tuple(_case(row, classes) for row in rows), classes
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: a line does not hold what its header says ({error}); make it anew") from error


def _header(classes: tuple[str, ...]) -> list[str]:
    vectors = [f"{kind}_{name}" for kind in _KINDS for name in classes]
    return [
        "sample_id",
        "group",
        "actual",
        "predicted",
        *vectors,
        *MASK_SCORES,
        "flagged",
        "prediction_set",
        "refused",
        _SECOND,
        "facts",
    ]


def _line(case: Case) -> list[str]:
    figures = [*case.logits, *case.raw_probs, *case.calibrated_probs, *case.mask.values]
    cells = ["" if value != value else repr(value) for value in figures]
    flagged, refused = ("" if one is None else str(int(one)) for one in (case.flagged, case.refused))
    inside = "" if case.prediction_set is None else json.dumps(case.prediction_set, ensure_ascii=False)
    second = "" if case.second_reader is None else repr(case.second_reader)
    facts = json.dumps(dict(case.facts), ensure_ascii=False)
    last = [flagged, inside, refused, second, facts]
    return [case.sample_id, case.group, case.actual or "", case.predicted, *cells, *last]


def _case(row: dict[str, str], classes: tuple[str, ...]) -> Case:
    def vector(kind: str) -> tuple[float, ...]:
        return tuple(float(row[f"{kind}_{name}"]) for name in classes)

    logits, raw, calibrated = map(vector, _KINDS)
    return Case(
        sample_id=row["sample_id"],
        group=row["group"],
        actual=row["actual"] or None,
        predicted=row["predicted"],
        logits=logits,
        raw_probs=raw,
        calibrated_probs=calibrated,
        mask=MaskScores(*(float(row[name] or "nan") for name in MASK_SCORES)),
        flagged=bool(int(row["flagged"])) if row["flagged"] else None,
        prediction_set=tuple(json.loads(row["prediction_set"])) if row["prediction_set"] else None,
        refused=bool(int(row["refused"])) if row["refused"] else None,
        second_reader=float(row[_SECOND]) if row.get(_SECOND) else None,
        facts=tuple(json.loads(row["facts"]).items()),
    )
