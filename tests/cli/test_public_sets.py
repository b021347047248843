"""Public sets in their official layouts, from the command line to predictions."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from golden_bundles import golden_model
from published_sets import small_breast, small_buid, small_bus_uc, small_bus_uclm, small_oasbud, small_udiat
from typer.testing import CliRunner, Result

import busight
from busight.cli.app import app
from busight.data.sources import oasbud
from busight.data.sources.catalogue import SOURCES
from busight.types import prediction_of

WRITERS: dict[str, Callable[[Path], Path]] = {
    "breast": small_breast,
    "bus_uclm": small_bus_uclm,
    "bus_uc": small_bus_uc,
    "oasbud": small_oasbud,
    "buid": small_buid,
    "udiat": small_udiat,
}


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module", params=WRITERS)
def spec(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"{request.param}:{WRITERS[request.param](tmp_path_factory.mktemp(request.param))}"


def test_they_are_listed(spec: str) -> None:
    said = call("data", "list").stdout
    assert SOURCES[spec.partition(":")[0]].form in said
    data = busight.load_data(spec)
    assert data.spec == spec
    assert {"benign", "malignant"} <= set(data.class_counts())


def test_they_are_audited(spec: str, tmp_path: Path) -> None:
    done = call("data", "audit", spec, "--out", tmp_path / "audit")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "audit" / "audit.json").read_text())["data"]
    data = busight.load_data(spec)
    patients = {sample.patient_id for sample in data.samples} - {None}
    assert (found["n_images"], found["class_counts"]) == (
        len(data.samples),
        [[*one] for one in data.class_counts().items()],
    )
    assert (found["n_patients"] or 0, found["problems"]) == (len(patients), [])
    assert found["n_masks"] >= sum(data.labels.shows_lesion(sample.label) for sample in data.samples)


def test_a_small_copy_keeps_what_was_known(spec: str, tmp_path: Path) -> None:
    assert call("data", "resize", spec, "--out", tmp_path / "copy", "--size", 32).exit_code == 0
    before, after = busight.load_data(spec), busight.load_data(f"folder:{tmp_path / 'copy'}")
    assert [one.sample_id for one in before.samples] == [one.sample_id for one in after.samples]
    for name in ("label", "patient_id", "exam_id", "birads", "histology", "device", "view", "metadata"):
        assert [getattr(one, name) for one in before.samples] == [getattr(one, name) for one in after.samples]
    assert after.labels == before.labels


def test_they_are_joined_and_a_model_takes_their_images(tmp_path: Path) -> None:
    spec = " + ".join(f"{name}:{write(tmp_path / name)}" for name, write in WRITERS.items())
    data = busight.load_data(spec)
    assert len(data.samples) == 4 + 4 + 4 + 8 + 6 + 4
    assert data.labels.names == ("normal", "benign", "malignant")
    assert {sample.source for sample in data.samples} == set(WRITERS)
    (tmp_path / "bundle").mkdir()
    model = golden_model("global-local", tmp_path / "bundle")
    answers = model.predict([data.reader.image(sample) for sample in data.samples])
    probs = [prediction_of(answer).calibrated_probs for answer in answers]
    np.testing.assert_allclose(np.sum(probs, axis=1), np.ones(len(data.samples)))


def test_a_missing_library_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = small_oasbud(tmp_path / "oasbud")
    for name in ("breast", "udiat"):
        WRITERS[name](tmp_path / name)
        for table in (tmp_path / name).glob("*.csv"):
            shutil.move(table, table.with_suffix(".xlsx"))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    monkeypatch.setattr(oasbud, "find_spec", lambda name: None)
    for spec in (f"breast:{tmp_path / 'breast'}", f"udiat:{tmp_path / 'udiat'}", f"oasbud:{file}"):
        done = call("data", "preview", spec, "--out", tmp_path / "sheet.png")
        assert done.exit_code == 2
        (line,) = [line for line in done.output.splitlines() if line.startswith("busight: ")]
        assert line.endswith('pip install "busight[sources]"')
        assert spec.partition(":")[2] in line
