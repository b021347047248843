from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from quick import QUICK
from typer.testing import CliRunner, Result

from busight.cli.app import app
from busight.data.sources.catalogue import load_data

Quick = Callable[..., Path]


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def set_options(*extra: str) -> list[str]:
    return [part for override in (*QUICK, *extra) for part in ("--set", override)]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    data = load_data("phantom:12,size=96")
    for sample in data.samples[:3]:
        cv2.imwrite(str(folder / f"{sample.sample_id}.png"), data.reader.image(sample))
    return folder


def test_help_names_every_command() -> None:
    found = call("--help")
    assert found.exit_code == 0
    for name in ("run", "bench", "evaluate", "predict", "data", "recipes", "doctor"):
        assert f"  {name} " in found.stdout


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["run", "papr", "--data", "phantom:60"], "recipe 'papr': did you mean paper?", 2),
        (["run", "demo", "--set", "train.epocs=5"], "unknown key train.epocs; did you mean epochs?", 2),
        (["run", "demo", "--set", "train.epochs=many"], "train.epochs = 'many'", 2),
        (["run", "demo", "--set", "epochs"], "write key=value", 2),
        (["run", "demo", "--data", "bussi:x"], "did you mean busi:PATH?", 2),
        (["run", "demo", "--data", "busi:/nowhere"], "/nowhere: no such folder", 1),
        (["run", "demo", "--data", "phantom:3"], "independent group(s) of images", 1),
        (["run", "demo", "--split", "/nowhere/split.json"], "/nowhere/split.json: the split cannot be read", 1),
        (["predict", "--model", "/nowhere", "a.png"], "/nowhere: not a bundle", 1),
        (["evaluate", "/nowhere", "--data", "phantom:12"], "/nowhere: not a bundle", 1),
        (["data", "preview", "busi:/nowhere"], "/nowhere: no such folder", 1),
        (["data", "download", "bussi"], "busi", 1),
        (["run", "demo", "--set", "train.accelerator=gpu"], "PyTorch sees no GPU", 2),
        (["run", "demo", "--set", "train.devices=64"], "train.devices = 64: this machine has", 2),
        (["run", "demo", "--set", "train.precision=8"], "train.precision", 2),
        (["recipes", "papr"], "did you mean paper?", 2),
    ],
)
def test_a_wrong_call_gets_one_line(tmp_path: Path, arguments: list[str], message: str, code: int) -> None:
    if arguments[0] == "run":
        arguments = [*arguments, "--out", str(tmp_path / "out")]
    found = call(*arguments)
    assert found.exit_code == code, found.output
    last = found.stderr.strip().splitlines()[-1]
    assert last.startswith("busight: ")
    assert message in last
    assert "Traceback" not in found.output


def test_unknown_options_exit_with_2() -> None:
    assert call("run", "--nonsense").exit_code == 2
    assert call("run", "--nonsense").output == "busight: run: No such option: --nonsense; see busight run --help\n"
    assert call("nonsense").output == "busight: No such command 'nonsense'; see busight --help\n"


def test_run_writes_the_report_and_says_where(tmp_path: Path) -> None:
    found = call("run", "demo", "--data", "phantom:60,size=96", "--out", tmp_path / "out", *set_options())
    assert found.exit_code == 0, found.output
    assert found.stdout.strip().splitlines()[-1] == f"report: {tmp_path / 'out' / 'report.html'}"
    assert (tmp_path / "out" / "report.html").is_file()
    assert (tmp_path / "out" / "report.pdf").is_file()
    cases = sorted(path.relative_to(tmp_path / "out") for path in (tmp_path / "out" / "cases").glob("*/report.html"))
    assert [path.parent.name for path in cases] == ["1-normal", "2-benign", "3-malignant"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert all(f'<a href="{path}">' in page for path in cases)
    assert "\x1b" not in found.output
    again = call("run", "demo", "--out", tmp_path / "out", *set_options())
    assert again.exit_code == 1
    assert "never overwritten" in again.stderr


def test_predict_json_goes_on_after_an_unreadable_file(quick_run: Quick, pictures: Path) -> None:
    (pictures / "empty.png").write_bytes(b"")
    found = call("predict", "--model", quick_run("demo"), pictures)
    assert found.exit_code == 1
    records = [json.loads(line) for line in found.stdout.splitlines()]
    assert [record["error"] is None for record in records] == [False, True, True, True]
    assert len(found.stderr.strip().splitlines()) == 1
    assert "empty.png" in found.stderr


def test_predict_csv_and_overlays(quick_run: Quick, pictures: Path, tmp_path: Path) -> None:
    found = call(
        "predict", "--model", quick_run("demo"), pictures, "--format", "csv", "--out", tmp_path / "found.csv",
        "--overlays", tmp_path / "overlays",
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    rows = list(csv.DictReader(io.StringIO((tmp_path / "found.csv").read_text())))
    assert len(rows) == 3
    assert {row["label"] for row in rows} <= {"normal", "benign", "malignant"}
    overlays = sorted((tmp_path / "overlays").iterdir())
    assert len(overlays) == 3
    assert cv2.imread(str(overlays[0])).shape == (116, 96, 3)
    again = call("predict", "--model", quick_run("demo"), pictures, "--out", tmp_path / "found.csv")
    assert again.exit_code == 1
    assert "never overwritten" in again.stderr


def test_predict_takes_dicom_and_keeps_millimetres(quick_run: Quick, tmp_path: Path) -> None:
    from dicom_files import region, write_dicom

    frames = np.stack(
        [load_data("phantom:12,size=96").reader.image(sample) for sample in load_data("phantom:12,size=96").samples[:2]]
    )
    path = write_dicom(tmp_path / "scan.dcm", frames, SequenceOfUltrasoundRegions=[region(PhysicalDeltaY=0.02)])
    # Twenty rows of noise are not what the gate knows.
    found = call(
        "predict", "--model", quick_run("demo", ("segment.postprocess.threshold=0.0",)), path, "--show-rejected"
    )
    assert found.exit_code == 0, found.output
    records = [json.loads(line) for line in found.stdout.splitlines()]
    assert [record["frame"] for record in records] == [0, 1]
    # With threshold 0 everything is lesion: the region of 20 rows of 0.2 mm and 30 columns of 0.1 mm.
    assert records[0]["mask_area_px"] == 600
    # The box is given in the pixels of the whole frame, where the region begins at row 2 and column 4.
    assert [records[0][f"box_{side}"] for side in ("top", "left", "bottom", "right")] == [2, 4, 22, 34]
    assert records[0]["mask_area_mm2"] == pytest.approx(600 * 0.02)


def test_evaluate_another_data_set(quick_run: Quick, tmp_path: Path) -> None:
    found = call("evaluate", quick_run("demo"), "--data", "phantom:24,seed=9,size=96", "--out", tmp_path / "out")
    assert found.exit_code == 0, found.output
    assert "Accuracy" in found.stdout
    assert (tmp_path / "out" / "report.html").is_file()


def test_data_show_saves_a_contact_sheet(tmp_path: Path) -> None:
    found = call("data", "preview", "phantom:12,size=96", "--out", tmp_path / "sheet.png", "--number", 6)
    assert found.exit_code == 0, found.output
    assert "images: 12" in found.stdout
    assert cv2.imread(str(tmp_path / "sheet.png")).std() > 10


def test_data_list_and_recipes_and_doctor() -> None:
    assert "busi:PATH" in call("data", "list").stdout
    assert "paper" in call("recipes").stdout
    shown = call("recipes", "paper").stdout
    assert 'backbone = "torchvision/resnet101"' in shown
    assert "step_size = 5" in shown
    found = call("doctor")
    assert found.exit_code == 0
    assert "accelerators" in found.stdout


def interrupt(command: list[str], ready: Callable[[str], bool], number: int = signal.SIGINT) -> tuple[int, str]:
    """Start busight, press Ctrl-C or send a signal when ``ready``, told stderr so far, says so.

    Returns:
        Exit code and last line.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "busight", *command],
            stderr=errors,
            start_new_session=True,
            # A shell that runs the tests in the background has told its children to ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

        def said() -> str:
            return os.pread(errors.fileno(), 1 << 20, 0).decode()

        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not ready(said()):
            time.sleep(0.02)
        os.killpg(process.pid, number)
        process.wait(timeout=120)
        assert "Traceback" not in said()
        return process.returncode, (said().strip().splitlines() or [""])[-1]


def test_data_audit_writes_json_and_page(tmp_path: Path) -> None:
    found = call("data", "audit", "phantom:30,size=96,duplicates=0.2", "--out", tmp_path / "audit")
    assert found.exit_code == 0, found.output
    assert "near-duplicates:" in found.stdout
    assert json.loads((tmp_path / "audit" / "audit.json").read_text())["data"]["n_images"] == 30
    assert found.stdout.strip().endswith(str(tmp_path / "audit" / "report.html"))


def test_crossval_and_compare(tmp_path: Path) -> None:
    out = tmp_path / "cv"
    options = set_options("train.epochs=1", "classify.strategy=whole")
    found = call("crossval", "demo", "--data", "phantom:60,size=96", "--folds", 2, "--out", out, *options)
    assert found.exit_code == 0, found.output
    assert (out / "report.html").is_file()
    told = call("compare", out / "repeat-1" / "fold-1", out, "--out", tmp_path / "difference.json")
    assert told.exit_code == 0, told.output
    assert "No difference in accuracy has been shown on 30 shared images" in told.stdout
    assert json.loads((tmp_path / "difference.json").read_text())["format"] == 1
    for arguments, message, code in (
        (["compare", tmp_path / "nowhere", out], "holds no cases.csv", 1),
        (["crossval", "demo", "--data", "phantom:60", "--by", "patient"], "write group, image or source", 2),
        (["crossval", "demo", "--data", "phantom:60", "--by", "source", "--folds", 3], "leave --folds away", 2),
        (["crossval", "demo", "--data", "phantom:60", "--by", "source"], "is one data set; join several", 2),
        (["crossval", "demo", "--data", "phantom:60", "--folds", 1], "at least 2 folds", 2),
        (["leakage", "default"], "it names no data", 2),
    ):
        failed = call(*arguments)
        assert failed.exit_code == code
        assert message in failed.stderr
        assert len(failed.stderr.strip().splitlines()) == 1


@pytest.mark.slow
def test_ctrl_c_is_one_line_and_the_run_can_be_resumed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["run", "demo", "--no-report", "--data", "phantom:60,size=96", "--out", str(out)]
    command += set_options("train.epochs=40", "classify.strategy=whole")
    rows = out / "training" / "classifier" / "history.csv"
    code, line = interrupt(command, lambda _: rows.exists())
    assert code == 1
    assert line.startswith("busight: interrupted; go on with")
    again = [sys.executable, "-m", "busight", *command, "--resume"]
    done = subprocess.run(again, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(rows.read_text().splitlines()) == 41


def test_ctrl_c_while_the_data_are_read_promises_nothing_to_resume(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, line = interrupt(
        ["run", "demo", "--data", "phantom:20000,size=96", "--out", str(out)], lambda said: "data\n" in said
    )
    assert (code, line) == (1, "busight: interrupted; nothing was written yet")
    assert not out.exists()


def test_ctrl_c_during_an_import_ends_with_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "interrupted.py").write_text(
        "import typer\n"
        "from busight.cli.guard import one_line_errors\n"
        "def command():\n"
        "    with one_line_errors():\n"
        "        exec('raise KeyboardInterrupt')\n"
        "typer.run(command)\n"
    )
    module = [sys.executable, "-m", "interrupted"]
    found = subprocess.run(module, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (found.returncode, found.stderr) == (1, "busight: interrupted\n")


def test_a_full_disk_is_one_line_and_leaves_no_half_result(quick_run: Quick, pictures: Path, tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))\n"
        f"sys.argv = ['busight', 'predict', '--model', {str(quick_run('demo'))!r}, {str(pictures)!r}, "
        f"'--out', {str(tmp_path / 'found.json')!r}]\n"
        "from busight.cli.app import main\nmain()\n"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert "could not be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "found.json").exists()
    assert not list(tmp_path.glob(".found*"))


def test_pictures_are_real(pictures: Path) -> None:
    """The pictures of these tests hold something: a black one would make every test above easier."""
    assert all(np.ptp(cv2.imread(str(path), 0)) > 100 for path in pictures.iterdir())


def test_ctrl_c_is_one_line_from_the_first_moment_on() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "busight", "doctor"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    status = Path(f"/proc/{process.pid}/status")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        caught = int(status.read_text().partition("SigCgt:")[2].split()[0], 16)
        if caught >> (signal.SIGTERM - 1) & 1:  # Python itself leaves SIGTERM alone
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (1, "busight: interrupted\n")
