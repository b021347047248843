"""Prediction records: JSON lines or CSV, one per frame, failures included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from busight.data.labels import LabelSchema
from busight.data.stored_grid import on_stored_grid, stored_spacing_mm
from busight.io.csv_text import csv_text
from busight.model.bundle.card import Card
from busight.segment.roi import bounding_box
from busight.types import Failure, ImageRef, Prediction, Rejected, prediction_of

_CALIBRATED = "calibrated_prob"
_VECTORS = ("logit", "raw_prob", _CALIBRATED)


def record_of(answer: Prediction | Rejected | Failure, card: Card, show_rejected: bool = False) -> dict[str, Any]:
    """Return a prediction, rejection or failure as a flat JSON object; every record has the same keys.

    ``rejected`` is the reason of a rejection; all predicted values are then null, unless requested. ``label`` is the
    most probable class; ``above_threshold`` says whether the positive class reaches the model's threshold, which is
    chosen for a wanted sensitivity and is usually the more sensitive of the two.

    Areas are in pixels of the file and, where the pixel spacing is known, in mm²; the box is half-open and in the
    pixels of the file's whole frame.

    Args:
        answer: The prediction, rejection or failure.
        card: The model's card.
        show_rejected: Include the predictions of rejected images.
    """
    labels = card.labels
    record: dict[str, Any] = dict.fromkeys(record_keys(labels)) | _identity(answer.ref)
    record |= {"model": card.name, "model_digest": card.digest}
    if isinstance(answer, Failure):
        return record | {"error": answer.reason}
    if isinstance(answer, Rejected):
        record["rejected"] = answer.reason
        if not show_rejected:
            return record
    prediction = prediction_of(answer)
    record |= {"label": prediction.label, "above_threshold": prediction.above_threshold}
    record["prediction_set"] = None if prediction.prediction_set is None else list(prediction.prediction_set)
    evidence = prediction.descriptors
    record["descriptor_prob_positive"] = None if evidence is None else round(evidence.prob_positive, 6)
    record["warnings"] = list(prediction.warnings)
    vectors = (prediction.logits, prediction.raw_probs, prediction.calibrated_probs)
    for kind, values in zip(_VECTORS, vectors, strict=True):
        record |= {f"{kind}_{name}": round(float(value), 6) for name, value in zip(labels.names, values, strict=True)}
    return record | _mask_fields(prediction)


def _identity(ref: ImageRef) -> dict[str, Any]:
    return {
        "path": ref.path,
        "frame": ref.frame,
        "SOPInstanceUID": ref.SOPInstanceUID,
        "StudyInstanceUID": ref.StudyInstanceUID,
    }


def _mask_fields(prediction: Prediction) -> dict[str, Any]:
    if prediction.mask is None:
        return {}
    mask, spacing_mm = on_stored_grid(prediction.mask, prediction.ref), stored_spacing_mm(prediction.ref)
    fields: dict[str, Any] = {"mask_area_px": int(np.count_nonzero(mask))}
    box = bounding_box(mask)
    if box is not None:
        top, left = prediction.ref.origin
        fields |= {"box_top": top + box.top, "box_left": left + box.left}
        fields |= {"box_bottom": top + box.bottom, "box_right": left + box.right}
    if spacing_mm is not None:
        row, column = spacing_mm
        fields["mask_area_mm2"] = round(fields["mask_area_px"] * row * column, 3)
        if box is not None:
            fields |= {"box_height_mm": round(box.height * row, 3), "box_width_mm": round(box.width * column, 3)}
    return fields


def calibrated_probs_of(record: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the calibrated probability of each class in a record; None where nothing was predicted.

    Example:
        >>> calibrated_probs_of({"path": "a.png", "calibrated_prob_benign": 0.75, "calibrated_prob_malignant": 0.25})
        {'benign': 0.75, 'malignant': 0.25}
    """
    prefix = f"{_CALIBRATED}_"
    return {name.removeprefix(prefix): value for name, value in record.items() if name.startswith(prefix)}


def record_keys(labels: LabelSchema) -> tuple[str, ...]:
    """Return the keys of every record, in order."""
    return (
        *("path", "frame", "SOPInstanceUID", "StudyInstanceUID", "model", "model_digest"),
        *("rejected", "label", "above_threshold", "prediction_set", "descriptor_prob_positive", "warnings"),
        *(f"{kind}_{name}" for kind in _VECTORS for name in labels.names),
        *("mask_area_px", "mask_area_mm2", "box_top", "box_left", "box_bottom", "box_right"),
        *("box_height_mm", "box_width_mm", "error"),
    )


def csv_header(labels: LabelSchema) -> str:
    """Return the CSV header line."""
    return _csv_line(list(record_keys(labels)))


def csv_line(record: dict[str, Any]) -> str:
    """Return a record as one CSV line; null as empty, the texts of a list separated by semicolons."""
    return _csv_line([_cell(value) for value in record.values()])


def json_line(record: dict[str, Any]) -> str:
    """Return a record as one JSON line."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False)


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return "; ".join(value) if isinstance(value, list) else value


def _csv_line(cells: list[Any]) -> str:
    return csv_text([cells]).removesuffix("\n")
