"""Folders of finished results: written in one step, checked when they are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from busight._version import __version__
from busight.audit.checked_dataset import CheckedDataset
from busight.data.labels import LabelSchema
from busight.data.split import Split
from busight.data.split_file import read_split
from busight.errors import DataError, OutputError
from busight.io.digests import sha256_of_file
from busight.metrics.table import MetricTable
from busight.results.case import Case
from busight.results.cases_file import read_cases, write_cases
from busight.results.metrics_file import Provenance, read_document, write_metrics

CASES_FILE = "cases.csv"
METRICS_FILE = "metrics.json"
"""Written last: a folder that holds it is finished."""
SPLIT_FILE = "split.json"
RECIPE_FILE = "recipe.toml"
MANIFEST_FILE = "manifest.csv"
"""Of the data that were read, with the digest of each image."""


def write_result(
    folder: Path,
    cases: Sequence[Case],
    labels: LabelSchema,
    metrics: MetricTable,
    *,
    data: str,
    data_digest: str,
    split_digest: str | None = None,
    bundle_digest: str | None = None,
) -> None:
    """Write ``cases.csv`` and, last, ``metrics.json``: the folder is then finished.

    Args:
        folder: The folder of the result.
        cases: The evaluated cases.
        labels: The label schema of the cases.
        metrics: The metrics of these cases.
        data: The data spec.
        data_digest: SHA-256 of the data manifest.
        split_digest: SHA-256 of the split; None where a whole data set was evaluated.
        bundle_digest: SHA-256 of the bundle that predicted them; None for an ensemble of several.

    Raises:
        OutputError: A file could not be written.
    """
    write_cases(folder / CASES_FILE, cases, labels)
    provenance = Provenance(
        created_by=f"busight {__version__}",
        data=data,
        data_digest=data_digest,
        split_digest=split_digest,
        bundle_digest=bundle_digest,
        cases_digest=sha256_of_file(folder / CASES_FILE),
    )
    write_metrics(folder / METRICS_FILE, metrics, provenance)


def is_finished(folder: Path, split: Split, checked: CheckedDataset) -> bool:
    """Return whether a run is finished, with this split of these data.

    Args:
        folder: The folder of the run.
        split: The expected split.
        checked: The data.

    Raises:
        OutputError: The run is finished, but a file of it is missing, was changed, or belongs to another split.
    """
    if not (folder / METRICS_FILE).is_file():
        return False
    remedy = "remove this folder, and --resume trains it again"
    for name in (CASES_FILE, SPLIT_FILE, "bundle/card.json"):
        if not (folder / name).is_file():
            raise OutputError(f"{folder}: {name} of the finished run is missing; {remedy}")
    try:
        finished_split = read_split(folder / SPLIT_FILE, checked.samples, checked.digest)
    except DataError as error:
        raise OutputError(f"{error}; if the data are as they were, {remedy}") from error
    if finished_split.digest != split.digest:
        raise OutputError(f"{folder}: was made with another split; the data have changed, choose another --out")
    try:
        finished_cases(folder)
    except DataError as error:
        raise OutputError(f"{error}; {remedy}") from error
    return True


def finished_cases(folder: Path) -> tuple[tuple[Case, ...], LabelSchema]:
    """Return the cases of a finished result, and their labels.

    Raises:
        DataError: The result is not finished, or its cases are not the evaluated ones.
    """
    if not (folder / METRICS_FILE).is_file():
        raise DataError(f"{folder}: is not finished")
    document = read_document(folder / METRICS_FILE)
    digest, table = document.provenance.cases_digest, folder / CASES_FILE
    if digest is not None and table.is_file() and sha256_of_file(table) != digest:
        raise DataError(f"{table}: was changed after it was scored")
    cases, labels = read_cases(table)
    if len(cases) < document.n_images:
        raise DataError(f"{table}: was changed after it was scored")
    return cases, labels
