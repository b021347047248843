"""What a hostile or clumsy user does at the command line: one line, the right exit code, nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from busight.cli.app import app
from busight.data.sources.catalogue import load_data

Quick = Callable[..., Path]
OTSU = ("--set", "segment.method=otsu", "--set", "classify.backbone=mobilenetv3_small_050")
"""The networks of a run are built before anything else: only a small one here."""


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def shell(command: str, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    """Run a line of shell in which ``busight`` is the program and ``$1``, ``$2`` ... are the arguments."""
    script = f'busight() {{ "{sys.executable}" -m busight "$@"; }}; set -o pipefail; {command}'
    return subprocess.run(["bash", "-c", script, "-", *map(os.fsencode, map(str, arguments))], capture_output=True)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    data = load_data("phantom:4,size=96")
    path = tmp_path / "pictures" / "ok.png"
    path.parent.mkdir()
    cv2.imwrite(str(path), data.reader.image(data.samples[0]))
    return path


def test_a_reader_that_goes_away_is_no_error_message(quick_run: Quick, picture: Path) -> None:
    others = [shutil.copy(picture, picture.parent / f"{number}.png") for number in range(2)]
    done = shell('busight predict --model "$1" "$2" "$3" "$4" | true', quick_run("demo"), picture, *others)
    assert done.stderr == b""


def test_closed_streams_are_no_reason_to_fail(quick_run: Quick, picture: Path) -> None:
    done = shell('busight predict --model "$1" "$2" 2>&- <&-', quick_run("demo"), picture)
    assert done.returncode == 0
    assert json.loads(done.stdout)["error"] is None


def test_a_name_that_is_not_utf8_comes_back_from_the_record(quick_run: Quick, picture: Path) -> None:
    odd = os.fsencode(picture.parent) + b"/\xff.png"
    shutil.copy(os.fsencode(picture), odd)
    commands = 'busight predict --model "$1" "$2" | cat; busight predict --model "$1" "$2" --out "$3"'
    done = shell(commands, quick_run("demo"), os.fsdecode(odd), picture.parent / "found.json")
    assert done.returncode == 0, done.stderr
    for line in (done.stdout.splitlines()[0], (picture.parent / "found.json").read_bytes()):
        assert os.fsencode(json.loads(line.decode())["path"]) == odd


def test_a_name_cannot_break_the_line_or_reach_the_terminal(quick_run: Quick, picture: Path) -> None:
    (picture.parent / "a\nb\x1b[31m.png").write_bytes(b"")
    found = call("predict", "--model", quick_run("demo"), picture.parent)
    assert found.exit_code == 1
    assert "a\\nb\\x1b[31m.png: the file is empty" in found.stderr
    assert len(found.stderr.splitlines()) == 1


def test_endless_names_get_an_overlay(quick_run: Quick, picture: Path, tmp_path: Path) -> None:
    for name in ("n" * 251, "ü" * 125, "a\nb"):
        shutil.copy(picture, picture.parent / f"{name}.png")
    found = call("predict", "--model", quick_run("demo"), picture.parent, "--overlays", tmp_path / "overlays")
    assert found.exit_code == 0, found.stderr
    assert len(list((tmp_path / "overlays").iterdir())) == 4


def test_dead_links_are_told_and_folders_named_like_pictures_are_searched(quick_run: Quick, picture: Path) -> None:
    (picture.parent / "dead.png").symlink_to("/nowhere/a.png")
    (picture.parent / "folder.png").mkdir()
    found = call("predict", "--model", quick_run("demo"), picture.parent)
    assert found.exit_code == 1
    assert [Path(json.loads(line)["path"]).name for line in found.stdout.splitlines()] == ["dead.png", "ok.png"]


def test_what_may_not_be_read_is_told_and_the_rest_goes_on(quick_run: Quick, picture: Path) -> None:
    closed = picture.parent / "closed"
    closed.mkdir(mode=0o000)
    if os.access(closed, os.R_OK):
        pytest.skip("the superuser may read everything")
    try:
        found = call("predict", "--model", quick_run("demo"), picture.parent, closed / "a.png")
    finally:
        closed.chmod(0o700)
    assert found.exit_code == 1
    assert [json.loads(line)["error"] is None for line in found.stdout.splitlines()] == [False, True, False]


def test_a_place_that_cannot_be_written_is_noticed_before_the_first_prediction(quick_run: Quick, picture: Path) -> None:
    found = call("predict", "--model", quick_run("demo"), picture, "--out", picture / "found.json")
    assert found.exit_code == 1
    assert "could not be written" in found.stderr
    assert found.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["data", "preview", "busi:~nobody-of-this-name/x"], "~nobody-of-this-name/x: no such folder", 1),
        (["data", "preview", "folder:\udcff"], "not UTF-8", 2),
        (["data", "preview", "phantom:6", "--seed", "-1"], "greater than or equal to 0", 2),
        (["data", "preview", "phantom:1000000000"], "must be a whole number from 1 to 100000", 2),
        (["run", "demo", "--set", f"train.epochs={'9' * 5000}"], "train.epochs", 2),
        (["run", "demo", "--set", f"train.epochs={'[' * 5000}"], "train.epochs", 2),
        (["run", "demo", "--set", "train.epochs=1\ndescription=x"], "train.epochs", 2),
        (["run", "demo", "--set", "train.epochs=2024-01-01"], "train.epochs", 2),
        (["run", "demo", "--set", "name=\udcff"], "not UTF-8", 2),
        (["run", "demo", *OTSU, "--set", "classify.options.in_chans=9"], "timm cannot make it", 2),
    ],
)
def test_odd_values_get_one_line(tmp_path: Path, arguments: list[str], message: str, code: int) -> None:
    out = tmp_path / ("out" if arguments[0] == "run" else "out.png")
    found = call(*arguments, "--out", out)
    assert found.exit_code == code, found.output
    assert message in found.stderr.splitlines()[-1]
    assert "Traceback" not in found.output
    assert not out.exists()


def test_a_recipe_nested_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "deep.toml").write_text(f"description = {'[' * 5000}")
    found = call("run", tmp_path / "deep.toml", "--out", tmp_path / "out")
    assert found.exit_code == 2
    assert "deep.toml: not TOML" in found.stderr


def test_after_a_mistake_in_the_data_the_same_out_can_be_used(tmp_path: Path) -> None:
    for _ in range(2):
        found = call("run", "demo", *OTSU, "--data", "folder:/nowhere", "--out", tmp_path / "out")
        assert found.exit_code == 1
        assert "/nowhere: no such folder" in found.stderr


def test_strips_and_odd_names_are_evaluated_and_reported(quick_run: Quick, picture: Path, tmp_path: Path) -> None:
    for finding in ("benign", "malignant"):
        (tmp_path / "set" / finding).mkdir(parents=True)
        shutil.copy(picture, tmp_path / "set" / finding / "a\nb<b>&.png")
    cv2.imwrite(str(tmp_path / "set" / "benign" / "strip.png"), np.full((16, 9000), 90, np.uint8))
    shutil.copy(os.fsencode(picture), os.fsencode(tmp_path / "set" / "malignant") + b"/\xff.png")
    found = call("evaluate", quick_run("demo"), "--data", f"folder:{tmp_path / 'set'}", "--out", tmp_path / "out")
    assert found.exit_code == 0, found.output
    assert (tmp_path / "out" / "report.pdf").is_file()
    assert r"malignant/\udcff.png" in (tmp_path / "out" / "cases.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["predict bundle", "segment --method otsu", "enhance --chain median"])
def test_an_empty_path_is_not_the_current_folder(command: str, tmp_path: Path) -> None:
    found = call(*command.split(), "", "--out", tmp_path / "out")
    assert (found.exit_code, "an empty path; name a file or a folder" in found.output) == (2, True), found.output
    assert found.output.count("\n") == 1
