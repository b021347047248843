"""``metrics.json``: a metric table as a file for other programs. Its schema is published in ``docs/reference/``."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from busight.errors import DataError
from busight.io.atomic import nan_as_none, write_json
from busight.metrics.table import MetricEstimate, MetricRows, MetricTable

FORMAT = 2
"""Increased when code for the old format would misread the new one."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Number = Annotated[float, Field(allow_inf_nan=False)] | None

_CLOSED = ConfigDict(extra="forbid", frozen=True, strict=True)


class Provenance(BaseModel):
    """Data, split and bundle of an evaluation."""

    model_config = _CLOSED

    created_by: str = Field(description="Program and version, e.g. 'busight 0.1.0'")
    data: str = Field(description="The data spec, e.g. 'busi:PATH'")
    data_digest: Digest | None = Field(default=None, description="SHA-256 of the data manifest")
    split_digest: Digest | None = Field(default=None, description="SHA-256 of the split; null for a whole data set")
    bundle_digest: Digest | None = Field(default=None, description="SHA-256 of the bundle that predicted")
    cases_digest: Digest | None = Field(default=None, description="SHA-256 of the cases.csv that was evaluated")


class MetricEntry(BaseModel):
    """One metric with its interval; null where undefined."""

    model_config = _CLOSED

    metric: str
    of: str = Field(description="'overall', 'macro', 'weighted', a class, or a subset of images, e.g. 'lesion images'")
    value: Number
    low: Number
    high: Number
    n: Count = Field(description="Images that the metric is computed from")
    n_groups: Count = Field(description="Groups of these images; of an AUROC or a macro average, of the smallest class")
    undefined_resamples: Count = Field(description="Resamples in which the metric was undefined; they were left out")


class MetricsDocument(BaseModel):
    """Metrics of one BUSight model on one set of cases."""

    model_config = ConfigDict(**_CLOSED, title="BUSight metrics.json, format 2")

    format: Literal[2]
    provenance: Provenance
    classes: list[str] = Field(min_length=2, description="In the order of support and of the confusion matrix")
    positive: str | None = Field(description="The class that the metrics at a threshold speak of")
    lesion_comparison: str | None = Field(description="Name of the subset of lesion images, 'malignant vs benign'")
    n_images: Count
    n_groups: Count = Field(description="Patients or near-duplicate components: what was resampled")
    support: list[Count] = Field(description="Images per class")
    confusion: list[list[Count]] = Field(description="Rows target, columns prediction")
    interval: Literal["exact on effective sample size; bootstrap t"] = Field(
        description="Proportions: Clopper and Pearson on the effective sample size; others: t interval with the "
        "standard error of a bootstrap over groups, on the logit scale where there are bounds"
    )
    level: float = Field(gt=0, lt=1, description="Coverage of the intervals")
    resamples: int = Field(ge=1)
    seed: int
    metrics: list[MetricEntry]

    @model_validator(mode="after")
    def _counts_fit(self) -> MetricsDocument:
        n_classes = len(self.classes)
        if len(self.support) != n_classes or [len(row) for row in self.confusion] != [n_classes] * n_classes:
            raise ValueError(f"support and confusion are not of {n_classes} classes")
        if [sum(row) for row in self.confusion] != self.support or sum(self.support) != self.n_images:
            raise ValueError("confusion, support and n_images do not add up")
        return self


def metrics_document(metrics: MetricTable, provenance: Provenance) -> MetricsDocument:
    """Return the content of ``metrics.json``, with NaN as None."""
    return MetricsDocument(
        format=FORMAT,
        provenance=provenance,
        classes=list(metrics.classes),
        positive=metrics.positive,
        lesion_comparison=metrics.lesion_comparison,
        n_images=metrics.n_images,
        n_groups=metrics.n_groups,
        support=list(metrics.support),
        confusion=[list(row) for row in metrics.confusion],
        interval="exact on effective sample size; bootstrap t",
        level=metrics.level,
        resamples=metrics.resamples,
        seed=metrics.seed,
        metrics=[MetricEntry(**nan_as_none(asdict(row))) for row in metrics.rows],
    )


def write_metrics(path: Path, metrics: MetricTable, provenance: Provenance) -> None:
    """Write ``metrics.json``, whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    write_json(path, metrics_document(metrics, provenance).model_dump(mode="json"))


def read_metrics(path: Path) -> MetricTable:
    """Read the metric table of a ``metrics.json``, with null as NaN.

    Raises:
        DataError: As `read_document`.
    """
    return _table(read_document(path))


def read_document(path: Path) -> MetricsDocument:
    """Read a ``metrics.json`` with its provenance.

    Raises:
        DataError: The file is missing, not JSON, of another format, or does not follow the schema.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); name a metrics.json that a run has written"
        ) from error
    except ValueError as error:
        raise DataError(f"{path}: is not JSON in UTF-8; write it again with busight evaluate") from error
    if isinstance(content, dict) and content.get("format") != FORMAT:
        raise DataError(
            f"{path}: format {content.get('format')!r}, this version reads {FORMAT}; use the version that wrote it"
        )
    try:
        return MetricsDocument.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(key) for key in first["loc"]) or "the document"
        raise DataError(
            f"{path}: {where}: {first['msg']}; see docs/reference/metrics.schema.json, "
            "or write it again with busight evaluate"
        ) from error


def metrics_schema() -> dict[str, Any]:
    """Return the JSON schema of ``metrics.json``, which is committed as ``docs/reference/metrics.schema.json``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **MetricsDocument.model_json_schema(mode="validation"),
    }


def _table(document: MetricsDocument) -> MetricTable:
    return MetricTable(
        classes=tuple(document.classes),
        positive=document.positive,
        lesion_comparison=document.lesion_comparison,
        n_images=document.n_images,
        n_groups=document.n_groups,
        support=tuple(document.support),
        confusion=tuple(tuple(row) for row in document.confusion),
        rows=MetricRows(_estimate(entry) for entry in document.metrics),
        resamples=document.resamples,
        level=document.level,
        seed=document.seed,
    )


def _estimate(entry: MetricEntry) -> MetricEstimate:
    fields = entry.model_dump()
    return MetricEstimate(**fields | {name: math.nan for name in ("value", "low", "high") if fields[name] is None})
