from __future__ import annotations

from pathlib import Path

import pytest
from synthetic_record import labels_of, synthetic_record

from busight._version import __version__
from busight.errors import DataError
from busight.io.digests import sha256_of_file
from busight.results.metrics_file import read_document, read_metrics
from busight.results.store import finished_cases, write_result

RECORD = synthetic_record(counts=(3, 5, 4), images=0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_result(
        tmp_path,
        RECORD.cases,
        labels_of(RECORD.classes),
        RECORD.metrics,
        data="phantom:12",
        data_digest="a" * 64,
        bundle_digest="b" * 64,
    )
    return tmp_path


def test_a_result_comes_back_with_its_provenance(folder: Path) -> None:
    cases, labels = finished_cases(folder)
    assert labels == labels_of(RECORD.classes)
    # NaN is not equal to itself, so that both are compared by how they print.
    assert repr(cases) == repr(RECORD.cases)
    assert repr(read_metrics(folder / "metrics.json")) == repr(RECORD.metrics)
    provenance = read_document(folder / "metrics.json").provenance
    assert provenance.created_by == f"busight {__version__}"
    assert (provenance.data, provenance.data_digest) == ("phantom:12", "a" * 64)
    assert (provenance.split_digest, provenance.bundle_digest) == (None, "b" * 64)
    assert provenance.cases_digest == sha256_of_file(folder / "cases.csv")


def test_cases_that_were_changed_after_they_were_evaluated_are_refused(folder: Path) -> None:
    table = folder / "cases.csv"
    table.write_text(table.read_text().replace("benign-0", "benign-1"))
    with pytest.raises(DataError, match=r"cases\.csv: was changed after it was scored"):
        finished_cases(folder)


def test_without_metrics_a_result_is_not_finished(folder: Path) -> None:
    (folder / "metrics.json").unlink()
    with pytest.raises(DataError, match="is not finished"):
        finished_cases(folder)
