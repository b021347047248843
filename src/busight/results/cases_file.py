"""``cases.csv``: one line for each evaluated image."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from busight.data.labels import LabelSchema
from busight.errors import DataError
from busight.io.atomic import write_json, write_text
from busight.io.csv_text import csv_number, csv_rows, csv_text
from busight.metrics.mask_scores import MASK_SCORES, MaskScores
from busight.results.case import Case

_VECTORS = ("logit", "raw_prob", "calibrated_prob")


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
        lines = csv_rows(path.read_bytes().decode())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); name the folder of a finished run") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a table of cases ({error}); make it anew with busight evaluate") from error
    names, cells = (lines[0], lines[1:]) if lines else ([], [])
    classes = tuple(name.removeprefix("logit_") for name in names if name.startswith("logit_"))
    if not classes or names != _header(classes):
        raise DataError(f"{path}: not a table of cases of this version; make it anew with busight evaluate")
    if not cells:
        raise DataError(f"{path}: holds no case; make it anew with busight evaluate")
    if any(len(row) > len(names) for row in cells):
        raise DataError(f"{path}: a line has more cells than the header; make it anew with busight evaluate")
    try:
        cases = tuple(_case(dict(zip(names, row, strict=True)), classes) for row in cells)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: a line does not hold what its header says ({error}); make it anew") from error
    return cases, _labels(path.with_name(LABELS_FILE), classes)


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


def _case(row: dict[str, str], classes: tuple[str, ...]) -> Case:
    def vector(kind: str) -> tuple[float, ...]:
        return tuple(float(row[f"{kind}_{name}"]) for name in classes)

    def truth_value(column: str) -> bool | None:
        return bool(int(row[column])) if row[column] else None

    for column in ("target", "prediction"):
        if row[column] not in classes:
            raise ValueError(f"{column} {row[column]!r} is none of {', '.join(classes)}")
    logits, raw_probs, calibrated_probs = map(vector, _VECTORS)
    descriptor_prob = row["descriptor_prob_positive"]
    return Case(
        sample_id=row["sample_id"],
        group=row["group"],
        target=row["target"],
        prediction=row["prediction"],
        logits=logits,
        raw_probs=raw_probs,
        calibrated_probs=calibrated_probs,
        mask_scores=MaskScores(*(float(row[name] or "nan") for name in MASK_SCORES)),
        above_threshold=truth_value("above_threshold"),
        prediction_set=tuple(json.loads(row["prediction_set"])) if row["prediction_set"] else None,
        rejected=truth_value("rejected"),
        descriptor_prob_positive=float(descriptor_prob) if descriptor_prob else None,
        metadata=tuple(json.loads(row["metadata"]).items()),
    )
