from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from busight.errors import DataError
from busight.metrics.mask_scores import MASK_SCORES
from busight.metrics.metric_table import metric_table
from busight.metrics.table import MetricTable
from busight.results.metrics_file import Provenance, metrics_schema, read_metrics, write_metrics

COMMITTED = Path(__file__).parents[2] / "docs" / "reference" / "metrics.schema.json"
PROVENANCE = Provenance(created_by="busight 0.1.0", data="phantom:40", data_digest="0" * 64, bundle_digest="f" * 64)


@pytest.fixture
def table() -> MetricTable:
    """Without normals, so that some metrics are undefined."""
    rng = np.random.default_rng(0)
    target = rng.integers(1, 3, size=40)
    mask_scores = {name: rng.random(40) for name in MASK_SCORES} | {"lesions_annotated": np.ones(40)}
    return metric_table(
        target,
        rng.dirichlet(np.ones(3), size=40),
        ("normal", "benign", "malignant"),
        (np.arange(40) // 2).tolist(),
        rng,
        seed=0,
        resamples=60,
        mask_scores=mask_scores,
    )


@pytest.fixture
def written(tmp_path: Path, table: MetricTable) -> Path:
    write_metrics(tmp_path / "metrics.json", table, PROVENANCE)
    return tmp_path / "metrics.json"


def test_the_committed_schema_is_in_step() -> None:
    committed = json.loads(COMMITTED.read_text(encoding="utf-8"))
    assert committed == metrics_schema(), (
        "write docs/reference/metrics.schema.json again with write_json(path, metrics_schema())"
    )


def test_a_written_file_follows_the_committed_schema(written: Path) -> None:
    schema = json.loads(COMMITTED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    content = json.loads(written.read_text(encoding="utf-8"))
    jsonschema.validate(content, schema)
    for changed in ({"surprise": 1}, {"format": 3}, {"level": 95}, {"support": [0, -1, 2]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(content | changed, schema)


def test_what_is_read_is_what_was_written(written: Path, table: MetricTable) -> None:
    found = read_metrics(written)
    undefined = found.get("sensitivity", "normal")
    assert math.isnan(undefined.value)
    assert undefined.undefined_resamples == 60
    assert found.get("dice", "lesion images") == table.get("dice", "lesion images")
    # NaN differs from itself, so that the tables are compared by how they print.
    assert repr(found) == repr(table)


def test_undefined_is_null_and_the_provenance_stands_beside(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert "NaN" not in text
    content = json.loads(text)
    assert content["format"] == 2
    assert content["provenance"] == {
        "created_by": "busight 0.1.0",
        "data": "phantom:40",
        "data_digest": "0" * 64,
        "split_digest": None,
        "bundle_digest": "f" * 64,
        "cases_digest": None,
    }
    assert {"value": None, "low": None, "n": 0}.items() <= next(
        row.items() for row in content["metrics"] if (row["metric"], row["of"]) == ("sensitivity", "normal")
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 3}, "format 3, this version reads 2"),
        ({"surprise": 1}, "surprise: Extra inputs are not permitted"),
        ({"n_images": "40"}, "n_images: Input should be a valid integer"),
        ({"n_images": 41}, "do not add up"),
        ({"support": [1, 2]}, "not of 3 classes"),
        ({"level": 95}, "level: Input should be less than 1"),
    ],
)
def test_refuses_a_file_that_breaks_the_rules(written: Path, changes: dict[str, Any], message: str) -> None:
    content = json.loads(written.read_text(encoding="utf-8"))
    written.write_text(json.dumps(content | changes), encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_metrics(written)
    assert "\n" not in str(caught.value)
    assert str(written) in str(caught.value)


def test_refuses_what_is_no_such_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    with pytest.raises(DataError, match="cannot be read"):
        read_metrics(path)
    path.write_bytes(b"\x89PNG\xff")
    with pytest.raises(DataError, match="is not JSON"):
        read_metrics(path)
    path.write_text("[1, 2]")
    with pytest.raises(DataError, match="the document: Input should be"):
        read_metrics(path)
