"""``cases.csv``: one line for each evaluated image."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from busight.data.labels import LabelSchema
from busight.errors import DataError
from busight.io.atomic import write_json, write_text
from busight.io.csv_text import csv_number, csv_text, original_text, raw_rows
from busight.metrics.mask_scores import MASK_SCORES, MaskScores
from busight.results.case import Case

T = TypeVar("T")

_VECTORS = ("logit", "raw_prob", "calibrated_prob")
_REMEDY = "restore the file as it was written, or make it anew with busight evaluate"

LABELS_FILE = "labels.json"
"""The label schema beside a table of cases, as a folder of images may have it."""


def write_cases(path: Path, cases: Sequence[Case], labels: LabelSchema) -> None:
    """Write the cases with full precision, and ``labels.json`` beside them; undefined values are empty.

    Raises:
        OutputError: The file could not be written.
    """
    write_json(path.with_name(LABELS_FILE), asdict(labels))
    write_text(path, csv_text([_header(labels.names), *map(_line, cases)]))


def read_cases(path: Path) -> tuple[tuple[Case, ...], LabelSchema]:
    """Read the file that `write_cases` wrote: the same cases to the last digit, and their label schema.

    Raises:
        DataError: The file is missing or is not a table of cases.
    """
    try:
        lines = raw_rows(path.read_bytes().decode())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); name the folder of a finished run") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a table of cases ({error}); make it anew with busight evaluate") from error
    names, lines = (lines[0][1], lines[1:]) if lines else ([], [])
    classes = tuple(name.removeprefix("logit_") for name in names if name.startswith("logit_"))
    if not classes or names != _header(classes):
        raise DataError(f"{path}: not a table of cases of this version; make it anew with busight evaluate")
    if not lines:
        raise DataError(f"{path}: holds no case; make it anew with busight evaluate")
    cases = []
    for number, cells in lines:
        if len(cells) != len(names):
            raise DataError(f"{path}: line {number} has {len(cells)} cells, its header {len(names)}; {_REMEDY}")
        row = _Row(path, number, dict(zip(names, map(original_text, cells), strict=True)))
        cases.append(_case(row, classes))
    return tuple(cases), _labels(path.with_name(LABELS_FILE), classes)


def _labels(path: Path, classes: tuple[str, ...]) -> LabelSchema:
    try:
        labels = TypeAdapter(LabelSchema).validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror
        raise DataError(
            f"{path}: cannot be read ({reason}); copy it with its table of cases, or make both anew"
        ) from error
    if labels.names != classes:
        raise DataError(f"{path}: names other classes than its table of cases; copy both, or make them anew")
    return labels


def _header(classes: tuple[str, ...]) -> list[str]:
    return [
        "sample_id",
        "group",
        "target",
        "prediction",
        *(f"{kind}_{name}" for kind in _VECTORS for name in classes),
        *MASK_SCORES,
        "above_threshold",
        "prediction_set",
        "rejected",
        "descriptor_prob_positive",
        "metadata",
    ]


def _line(case: Case) -> list[str]:
    return [
        case.sample_id,
        case.group,
        case.target,
        case.prediction,
        *map(csv_number, (*case.logits, *case.raw_probs, *case.calibrated_probs, *case.mask_scores.values)),
        _truth_value(case.above_threshold),
        "" if case.prediction_set is None else json.dumps(case.prediction_set, ensure_ascii=False),
        _truth_value(case.rejected),
        "" if case.descriptor_prob_positive is None else csv_number(case.descriptor_prob_positive),
        json.dumps(dict(case.metadata), ensure_ascii=False),
    ]


def _truth_value(value: bool | None) -> str:
    return "" if value is None else str(int(value))


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a table of cases: the number of its last line in the file, and its cells by column."""

    path: Path
    line: int
    cells: dict[str, str]

    def read(self, column: str, of: Callable[[str], T], rule: str) -> T:
        """Return the value of a cell.

        Raises:
            DataError: ``of`` raises for it; the message names file, line, column and rule.
        """
        try:
            return of(self.cells[column])
        except (LookupError, TypeError, ValueError) as error:
            value = repr(self.cells[column]) if self.cells[column] else "an empty cell"
            raise DataError(
                f"{self.path}: line {self.line}, column {column}: {value:.40} is not {rule}; {_REMEDY}"
            ) from error


def _case(row: _Row, classes: tuple[str, ...]) -> Case:
    a_class = f"one of {', '.join(classes)}"

    def probabilities(kind: str) -> tuple[float, ...]:
        return tuple(row.read(f"{kind}_{name}", _probability, "a probability from 0 to 1") for name in classes)

    def truth_value(column: str) -> bool | None:
        return row.read(column, lambda cell: {"": None, "0": False, "1": True}[cell], "0, 1 or empty")

    def class_name(cell: str) -> str:
        return classes[classes.index(cell)]

    def class_names(cell: str) -> tuple[str, ...] | None:
        return tuple(map(class_name, _json(cell, list))) if cell else None

    return Case(
        sample_id=row.read("sample_id", _filled, "a name"),
        group=row.read("group", _filled, "a name"),
        target=row.read("target", class_name, a_class),
        prediction=row.read("prediction", class_name, a_class),
        logits=tuple(row.read(f"logit_{name}", _finite, "a finite number") for name in classes),
        raw_probs=probabilities("raw_prob"),
        calibrated_probs=probabilities("calibrated_prob"),
        mask_scores=MaskScores(*(row.read(name, _score, "a finite number, or empty") for name in MASK_SCORES)),
        above_threshold=truth_value("above_threshold"),
        prediction_set=row.read("prediction_set", class_names, "a JSON list of classes, or empty"),
        rejected=truth_value("rejected"),
        descriptor_prob_positive=row.read(
            "descriptor_prob_positive",
            lambda cell: _probability(cell) if cell else None,
            "a probability from 0 to 1, or empty",
        ),
        metadata=row.read("metadata", lambda cell: tuple(_json(cell, dict).items()), "a JSON object"),
    )


def _filled(cell: str) -> str:
    if not cell:
        raise ValueError(cell)
    return cell


def _finite(cell: str) -> float:
    value = float(cell)
    if not math.isfinite(value):
        raise ValueError(cell)
    return value


def _score(cell: str) -> float:
    return _finite(cell) if cell else math.nan


def _probability(cell: str) -> float:
    value = _finite(cell)
    if not 0 <= value <= 1:
        raise ValueError(cell)
    return value


def _json(cell: str, kind: type[T]) -> T:
    value = json.loads(cell)
    if not isinstance(value, kind):
        raise TypeError(cell)
    return value
