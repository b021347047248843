"""Predictions as lines: JSON lines or CSV, one a frame, failures included."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from busight.io.csv_text import csv_text
from busight.segment.roi import bounding_box
from busight.types import Failure, Prediction


def record_of(found: Prediction | Failure, classes: tuple[str, ...], show_refused: bool = False) -> dict[str, Any]:
    """Return one prediction or failure as a flat JSON object; every record has the same keys.

    ``refused`` says why an image is not answered; everything that was predicted is then null, unless asked for.

    ``finding`` is the most probable class; ``flagged`` says whether the last class (malignant) reaches the operating
    point of the bundle, which is chosen for a wanted sensitivity and is usually the more careful of the two.

    Areas are in pixels of the image and, where the pixel spacing is known, in mm²; the box is half-open and in the
    pixels of the file's whole frame.

    Args:
        found: What the predictor returned, or why it could not.
        classes: The bundle's class names.
        show_refused: Show what was predicted for refused images too.
    """
    if isinstance(found, Failure):
        return dict.fromkeys(_keys(classes)) | {"path": found.path, "frame": found.frame, "error": found.reason}
    record: dict[str, Any] = {"path": found.path, "frame": found.frame, "refused": found.refused}
    if found.refused and not show_refused:
        return dict.fromkeys(_keys(classes)) | record
    record |= {"finding": found.finding, "flagged": found.flagged}
    record["prediction_set"] = None if found.prediction_set is None else list(found.prediction_set)
    record["second_reader"] = None if found.second_reader is None else round(found.second_reader.malignant, 6)
    record["cautions"] = list(found.cautions)
    for kind, values in (
        ("logit", found.logits),
        ("raw_prob", found.raw_probs),
        ("calibrated_prob", found.calibrated_probs),
    ):
        record |= {f"{kind}_{name}": round(float(value), 6) for name, value in zip(classes, values, strict=True)}
    return record | _mask_fields(found) | {"error": None}


def _mask_fields(found: Prediction) -> dict[str, Any]:
    names = ("mask_area_px", "mask_area_mm2", "box_top", "box_left", "box_bottom", "box_right")
    fields: dict[str, Any] = dict.fromkeys((*names, "box_height_mm", "box_width_mm"))
    if found.mask is None:
        return fields
    fields["mask_area_px"] = int(np.count_nonzero(found.mask))
    box = bounding_box(found.mask)
    if box is not None:
        top, left = found.origin
        fields |= {"box_top": top + box.top, "box_left": left + box.left}
        fields |= {"box_bottom": top + box.bottom, "box_right": left + box.right}
    if found.pixel_spacing_mm is not None:
        row, column = found.pixel_spacing_mm
        fields["mask_area_mm2"] = round(fields["mask_area_px"] * row * column, 3)
        if box is not None:
            fields |= {"box_height_mm": round(box.height * row, 3), "box_width_mm": round(box.width * column, 3)}
    return fields


def _keys(classes: tuple[str, ...]) -> tuple[str, ...]:
    kinds = ("logit", "raw_prob", "calibrated_prob")
    return (
        *("path", "frame", "refused", "finding", "flagged", "prediction_set", "second_reader", "cautions"),
        *(f"{kind}_{name}" for kind in kinds for name in classes),
        *("mask_area_px", "mask_area_mm2", "box_top", "box_left", "box_bottom", "box_right"),
        *("box_height_mm", "box_width_mm", "error"),
    )


def csv_header(classes: tuple[str, ...]) -> str:
    """Return the CSV header line."""
    return _csv_line(list(_keys(classes)))


def csv_line(record: dict[str, Any]) -> str:
    """Return a record as one CSV line; null as empty, the words of a list parted by semicolons."""
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
