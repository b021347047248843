"""Prediction records as Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from busight.data.labels import LabelSchema
from busight.results.prediction_record import record_keys
from busight.results.record_file import as_written

_TEXTS = ("path", "SOPInstanceUID", "StudyInstanceUID", "model", "model_digest", "rejected", "label", "error")
_TYPES = {
    **dict.fromkeys(_TEXTS, pa.string()),
    **dict.fromkeys(("frame", "box_top", "box_left", "box_bottom", "box_right"), pa.int32()),
    **dict.fromkeys(("prediction_set", "warnings"), pa.list_(pa.string())),
    **{"above_threshold": pa.bool_(), "mask_area_px": pa.int64()},
}
"""Of the columns that are not float64."""


def schema_of(labels: LabelSchema) -> pa.Schema:
    """Return the Parquet schema of a model's records: the columns of `record_keys`, in their order."""
    return pa.schema([(key, _TYPES.get(key, pa.float64())) for key in record_keys(labels)])


def parquet_bytes(records: Sequence[dict[str, Any]], labels: LabelSchema) -> bytes:
    """Return records as a Parquet file; of a file name that is not UTF-8, the odd bytes as escapes."""
    rows = [
        {key: as_written(value) if isinstance(value, str) else value for key, value in row.items()} for row in records
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema_of(labels)), sink, compression="zstd")
    return bytes(sink.getvalue())


def count_rows(content: bytes) -> tuple[int, int] | None:
    """Return how many records a Parquet file holds, and how many of them are errors; None for a damaged file."""
    try:
        errors = pq.read_table(pa.BufferReader(content), columns=["error"]).column("error")
    except (OSError, ValueError, KeyError):
        return None
    return len(errors), len(errors) - errors.null_count
