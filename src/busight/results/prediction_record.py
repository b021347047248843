"""Predictions as lines: JSON lines or CSV, one a frame, failures included."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from busight.io.csv_text import csv_text
from busight.segment.roi import bounding_box
from busight.types import Failure, Prediction

_VECTORS = ("logit", "raw_prob", "calibrated_prob")
_DECISION_KEYS = (
    "rejected_ood",
    "finding",
    "above_threshold",
    "prediction_set",
    "descriptor_prob_malignant",
    "warnings",
)
_MASK_KEYS = (
    "mask_area_px",
    "mask_area_mm2",
    "box_top",
    "box_left",
    "box_bottom",
    "box_right",
    "box_height_mm",
    "box_width_mm",
)


def record_of(
    prediction: Prediction | Failure, classes: tuple[str, ...], show_rejected: bool = False
) -> dict[str, Any]:
    """Return one prediction or failure as a flat JSON object; every record has the same keys.

    ``rejected_ood`` says why an image is rejected as out of distribution; everything that was predicted is then null,
    unless asked for.

    ``finding`` is the most probable class; ``above_threshold`` says whether the last class (malignant) reaches the
    operating point of the bundle, which is chosen for a wanted sensitivity and is usually the more careful of the two.

    Areas are in pixels of the image and, where the pixel spacing is known, in mm²; the box is half-open and in the
    pixels of the file's whole frame.

    Args:
        prediction: Of the predictor, or why there is none.
        classes: The bundle's class names.
        show_rejected: Show what was predicted for rejected images too.
    """
    if isinstance(prediction, Failure):
        failure = {"path": prediction.path, "frame": prediction.frame, "error": prediction.reason}
        return dict.fromkeys(_keys(classes)) | failure
    record: dict[str, Any] = {
        "path": prediction.path,
        "frame": prediction.frame,
        "rejected_ood": prediction.refused,
    }
    if prediction.refused and not show_rejected:
        return dict.fromkeys(_keys(classes)) | record
    descriptor_model = prediction.second_reader
    record |= {
        "finding": prediction.finding,
        "above_threshold": prediction.flagged,
        "prediction_set": None if prediction.prediction_set is None else list(prediction.prediction_set),
        "descriptor_prob_malignant": None if descriptor_model is None else round(descriptor_model.malignant, 6),
        "warnings": list(prediction.cautions),
    }
    vectors = (prediction.logits, prediction.raw_probs, prediction.calibrated_probs)
    for kind, values in zip(_VECTORS, vectors, strict=True):
        record |= {f"{kind}_{name}": round(float(value), 6) for name, value in zip(classes, values, strict=True)}
    return record | _mask_fields(prediction) | {"error": None}


def _mask_fields(prediction: Prediction) -> dict[str, Any]:
    fields: dict[str, Any] = dict.fromkeys(_MASK_KEYS)
    if prediction.mask is None:
        return fields
    fields["mask_area_px"] = int(np.count_nonzero(prediction.mask))
    box = bounding_box(prediction.mask)
    if box is not None:
        top, left = prediction.origin
        fields |= {"box_top": top + box.top, "box_left": left + box.left}
        fields |= {"box_bottom": top + box.bottom, "box_right": left + box.right}
    if prediction.pixel_spacing_mm is not None:
        row, column = prediction.pixel_spacing_mm
        fields["mask_area_mm2"] = round(fields["mask_area_px"] * row * column, 3)
        if box is not None:
            fields |= {"box_height_mm": round(box.height * row, 3), "box_width_mm": round(box.width * column, 3)}
    return fields


def _keys(classes: tuple[str, ...]) -> tuple[str, ...]:
    vectors = (f"{kind}_{name}" for kind in _VECTORS for name in classes)
    return ("path", "frame", *_DECISION_KEYS, *vectors, *_MASK_KEYS, "error")


def csv_header(classes: tuple[str, ...]) -> str:
    """Return the CSV header line."""
    return _csv_line(list(_keys(classes)))


def csv_line(record: dict[str, Any]) -> str:
    """Return a record as one CSV line; null as empty, the items of a list separated by semicolons."""
    return _csv_line([_cell(value) for value in record.values()])


def json_line(record: dict[str, Any]) -> str:
    """Return a record as one JSON line."""
    return json.dumps(record, ensure_ascii=False)


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return "; ".join(value) if isinstance(value, list) else value


def _csv_line(cells: list[Any]) -> str:
    return csv_text([cells]).removesuffix("\n")
