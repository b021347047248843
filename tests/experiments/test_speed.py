"""The benchmark of prediction: turns, ratios, rows, and the command as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from golden_bundles import golden_model
from typer.testing import CliRunner

from busight.cli.app import app
from busight.cli.speed_table import cells
from busight.experiments.bench import speed
from busight.experiments.bench.bare import bare_engine, end_to_end
from busight.experiments.bench.peak_memory import peak_mib
from busight.experiments.bench.speed import SpeedRow, SpeedSettings, comparisons, latency_rows, rows_of
from busight.experiments.bench.turns import Way, seconds_in_turns, speed_ratio
from busight.experiments.bench.untrained import write_phantoms
from busight.io.progress import Silent

TINY = SpeedSettings(
    backbone="small_cnn", size=32, images=4, single_images=2, rounds=2, batch=2, compiles=False, phantoms=20
)

NUMBER = {"type": ["number", "null"]}
SCHEMA = {
    "type": "object",
    "required": ["rows", "machine", "versions", "date", "settings"],
    "properties": {
        "machine": {"type": "string", "pattern": "cores of"},
        "versions": {"type": "object", "required": ["python", "onnxruntime", "torch"]},
        "rows": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "against", "batch", "ratio", "note"],
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "against": {"type": "string", "minLength": 1},
                    "batch": {"enum": [1, 2]},
                    "unit": {"enum": ["images/s", "ms", "MiB"]},
                    "note": {"type": "string"},
                    **dict.fromkeys(("ratio", "low", "high", "value", "value_against", "aim"), NUMBER),
                },
            },
        },
    },
}


def test_ways_run_in_turns_and_the_first_run_does_not_count() -> None:
    order: list[str] = []
    now = 0.0

    def way(name: str, seconds: list[float]) -> Way:
        def run() -> None:
            nonlocal now
            order.append(name)
            now += seconds.pop(0)

        return Way(name, 4, run)

    ways = [way("ours", [99.0, 1.0, 2.0, 4.0]), way("theirs", [99.0, 3.0, 4.0, 4.0])]
    seconds = seconds_in_turns(ways, 3, Silent(), clock=lambda: now)
    assert order == ["ours", "theirs"] * 4
    np.testing.assert_allclose(seconds["ours"], [0.25, 0.5, 1.0])
    ratio = speed_ratio(seconds, "ours", "theirs")  # rounds: 3, 2, 1
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((2.0, 1.0, 3.0))


def test_a_row_divides_images_a_second_and_says_what_is_left_out() -> None:
    seconds = {"int8": np.array([0.1, 0.1]), "eager": np.array([0.4, 0.2])}
    compared = [("int8", "eager", 2.5), ("MONAI", "eager", None)]
    row, missing = rows_of(compared, 8, seconds, {"MONAI": "MONAI is not installed"})
    assert (row.ratio, row.low, row.high) == pytest.approx((3.0, 2.0, 4.0))
    assert (row.value, row.value_against) == pytest.approx((10.0, 1 / 0.3))
    assert cells(row)[3:5] == ("3.00", "2.00–4.00")
    assert cells(row)[-1] == "≥ 2.5 met"
    assert missing == SpeedRow("MONAI", "eager", 8, None, note="MONAI is not installed")
    assert "MONAI is not installed" in cells(missing)
    assert cells(SpeedRow("a", "b", 8, 0.94, aim=0.95))[-1] == "≥ 0.95 missed"


def test_latencies_are_percentiles_in_milliseconds() -> None:
    rows = latency_rows("ours", "bare", [0.01 * step for step in range(1, 102)], np.array([0.1, 0.255]))
    assert [row.value for row in rows] == pytest.approx([510, 960, 1000])
    assert [row.ratio for row in rows] == pytest.approx([177.5 / 510, 177.5 / 960, 177.5 / 1000])


def test_the_aim_of_end_to_end_is_for_batches_and_openvino_needs_not_be_there() -> None:
    aims = {(name, against): aim for name, against, aim in comparisons(["onnxruntime", "openvino", "int8"], 8)}
    assert aims["end to end, OpenVINO", "bare OpenVINO"] == 0.95
    assert aims["bare OpenVINO", "PyTorch eager"] == 1.4
    assert aims["bare OpenVINO int8", "PyTorch eager"] == 2.5
    assert ("end to end, OpenVINO", "MONAI") in aims
    alone = comparisons(["onnxruntime", "int8"], 1)
    assert ("end to end with segmentation, ONNX Runtime", "bare ONNX Runtime, both", None) in alone
    assert not any("OpenVINO" in name for name, _, _ in alone if "int8" not in name)


def test_the_bare_engine_gets_what_the_prediction_gives_it(tmp_path: Path) -> None:
    """All graphs of the model, each with the inputs of all images, and nothing else."""
    model = golden_model("two-stage", tmp_path / "bundle")
    (tmp_path / "images").mkdir()
    paths = write_phantoms(tmp_path / "images", 3, Silent())
    counts: list[int] = []
    for engine in (model.stages.classifier, model.stages.segmenter.engine):  # type: ignore[union-attr]
        run = engine.run  # type: ignore[union-attr]
        engine.run = lambda batch, run=run: counts.append(len(batch)) or run(batch)  # type: ignore[union-attr]
    bare = bare_engine(model, paths, 2)
    counts.clear()
    bare()
    assert sorted(counts) == [1, 1, 2, 2]
    counts.clear()
    end_to_end(model, paths, 2)()
    assert sorted(counts) == [1, 1, 2, 2]


def test_peak_memory_is_that_of_a_process_of_its_own(tmp_path: Path) -> None:
    golden_model("whole", tmp_path / "bundle")
    ballast = np.ones(2**28 // 8)  # 256 MiB here must not count there
    peak = peak_mib("bare", "onnxruntime", tmp_path / "bundle", tmp_path, 2)
    assert 20 < peak < 250
    assert ballast.sum() == len(ballast)


@pytest.mark.slow
def test_the_command_prints_and_saves_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(speed, "QUICK", TINY)
    monkeypatch.setattr(speed, "peak_mib", lambda way, engine, *_: {"pytorch": 300.0}.get(engine, 100.0))
    golden_model("global-local", tmp_path / "bundle")
    out = tmp_path / "bench.json"
    done = CliRunner().invoke(app, ["bench", "--quick", "--json", str(out), "--model", str(tmp_path / "bundle")])
    assert done.exit_code == 0, done.output
    document = json.loads(out.read_text(encoding="utf-8"))
    jsonschema.validate(document, SCHEMA)
    rows = {(row["name"], row["against"], row["batch"]): row for row in document["rows"]}
    assert len(rows) == len(document["rows"])
    assert all((row["ratio"] is None) == bool(row["note"]) for row in rows.values())
    in_rates = [row for row in rows.values() if row["unit"] == "images/s" and row["ratio"] is not None]
    assert all(row["low"] <= row["ratio"] <= row["high"] for row in in_rates)
    assert rows["torch.compile", "PyTorch eager", 2]["note"].startswith("left out by --quick")
    assert rows["peak memory end to end, OpenVINO", "PyTorch eager", 2]["ratio"] == 3
    own = next(row for row in rows.values() if row["against"] == "its bare engine")
    assert own["name"].startswith(f"end to end, {tmp_path / 'bundle'}")
    assert {f"latency p{percent}, end to end, OpenVINO" for percent in (50, 95, 99)} <= {name for name, _, _ in rows}
    assert "PyTorch eager" in done.stdout
    assert "in turns" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["--model", "nothing"], "nothing: not a bundle"),
        (["--json", "bench.json"], "bench.json: exists already"),
        (["--quick", "filters", "phantom:3", "--out", "out"], "before filters are for the speed"),
        (["spead"], "bench: No such command 'spead'"),
    ],
)
def test_wrong_calls_get_one_line(
    arguments: list[str], rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bench.json").write_text("{}", encoding="utf-8")
    done = CliRunner().invoke(app, ["bench", *arguments])
    assert done.exit_code in (1, 2)
    assert rule in done.output
    assert len(done.output.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["bench.json"]
