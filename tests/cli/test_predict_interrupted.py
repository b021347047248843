"""`busight predict --out` that ends early, in every way: what was predicted stays, and --resume goes on."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from picture_files import noise_files

COUNT = 40


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return noise_files(tmp_path_factory.mktemp("images"), COUNT, broken=20)


@pytest.fixture
def arguments(quick_run: Callable[..., Path], images: Path) -> list[str]:
    bundle = str(quick_run("demo"))
    return ["predict", "--model", bundle, str(images), "--batch", "1", "--threads", "1", "--show-rejected"]


def busight(arguments: list[str], limit: int | None = None) -> subprocess.Popen[str]:
    def prepare() -> None:
        # A shell in the background, and nohup, have their children ignore these.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        if limit is not None:
            # Files of this size at most: writing fails as on a full disk.
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.Popen(
        [sys.executable, "-m", "busight", *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=prepare,
        start_new_session=True,
    )


def finished(arguments: list[str], limit: int | None = None) -> tuple[int, str]:
    process = busight(arguments, limit)
    _, errors = process.communicate(timeout=120)
    assert "Traceback" not in errors, errors
    return process.returncode, (errors.strip().splitlines() or [""])[-1]


def wait_for(unfinished: Path, n_lines: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if unfinished.is_file() and unfinished.read_bytes().count(b"\n") >= n_lines:
            return
        time.sleep(0.01)
    raise AssertionError(f"{unfinished} has not come to {n_lines} lines")


def stopped(arguments: list[str], unfinished: Path, number: int) -> str:
    """Send a signal after the first records; return the last line."""
    process = busight(arguments)
    wait_for(unfinished, 5)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors, errors
    return (errors.strip().splitlines() or [""])[-1]


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_resumed_records_are_those_of_one_call(
    arguments: list[str], tmp_path: Path, number: int, form: str, expected: Callable[[str], str]
) -> None:
    out, unfinished = tmp_path / f"found.{form}", tmp_path / f"found.unfinished.{form}"
    command = [*arguments, "--format", form, "--out", str(out)]
    line = stopped(command, unfinished, number)
    if number != signal.SIGKILL:
        assert line == f"busight: interrupted; the records so far are in {unfinished}; go on with --resume"
    kept = unfinished.read_text().splitlines()
    assert 4 < len(kept) <= COUNT
    assert not out.exists()
    code, line = finished(command)
    assert (code, line) == (1, f"busight: {unfinished}: left by an interrupted call; go on with --resume, or remove it")
    # A record that the end of the process cut in two is predicted again.
    unfinished.write_text("".join(f"{text}\n" for text in kept[:-1]) + kept[-1][:30])
    assert finished([*command, "--resume"])[0] == 1  # one file of them is no image
    assert out.read_text() == expected(form)
    assert sorted(path.name for path in tmp_path.iterdir()) == [out.name]


@pytest.fixture(scope="module")
def expected(
    quick_run: Callable[..., Path], images: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., str]:
    done: dict[str, str] = {}

    def get(form: str) -> str:
        if form not in done:
            out = tmp_path_factory.mktemp("expected") / f"found.{form}"
            bundle = str(quick_run("demo"))
            options = ["--batch", "1", "--threads", "1", "--show-rejected", "--format", form]
            finished(["predict", "--model", bundle, str(images), *options, "--out", str(out)])
            done[form] = out.read_text()
            assert done[form].count("\n") == COUNT + (form == "csv")
        return done[form]

    return get


def test_a_full_disk_loses_nothing(arguments: list[str], tmp_path: Path, expected: Callable[[str], str]) -> None:
    out, unfinished = tmp_path / "found.jsonl", tmp_path / "found.unfinished.jsonl"
    code, line = finished([*arguments, "--out", str(out)], limit=9000)
    assert code == 1
    assert "could not be written (File too large); free space and go on with --resume" in line
    records = [json.loads(text) for text in unfinished.read_text().rsplit("\n", 1)[0].splitlines()]
    assert len(records) > 4
    assert finished([*arguments, "--out", str(out), "--resume"])[0] == 1
    assert out.read_text() == expected("json")


@pytest.mark.parametrize("form", ["json", "csv", "segment"])
def test_a_disk_that_is_full_from_the_start_is_left_as_it_was(
    arguments: list[str], images: Path, tmp_path: Path, form: str
) -> None:
    command = [*arguments, "--format", form]
    if form == "segment":
        command = ["segment", str(images), "--method", "otsu"]
    code, line = finished([*command, "--out", str(tmp_path / "new" / "found")], limit=0)
    assert (code, "could not be written (File too large)" in line) == (1, True), line
    assert list(tmp_path.iterdir()) == []


def test_two_calls_with_one_file(arguments: list[str], tmp_path: Path) -> None:
    out, unfinished = tmp_path / "found.jsonl", tmp_path / "found.unfinished.jsonl"
    first = busight([*arguments, "--out", str(out)])
    wait_for(unfinished, 1)
    first.send_signal(signal.SIGSTOP)
    for more in ([], ["--resume"]):
        code, line = finished([*arguments, "--out", str(out), *more])
        assert (code, "another process is writing there" in line) == (1, True), line
    first.send_signal(signal.SIGCONT)
    first.communicate(timeout=120)
    assert out.read_text().count("\n") == COUNT


def test_resume_with_other_options_or_without_a_beginning_is_refused(arguments: list[str], tmp_path: Path) -> None:
    out = tmp_path / "found.jsonl"
    code, line = finished([*arguments, "--out", str(out), "--resume"])
    assert (code, "no interrupted call to resume" in line) == (1, True)
    assert list(tmp_path.iterdir()) == []
    stopped([*arguments, "--out", str(out)], tmp_path / "found.unfinished.jsonl", signal.SIGKILL)
    others = [argument for argument in arguments if argument != "--show-rejected"]
    code, line = finished([*others, "--out", str(out), "--resume"])
    assert (code, "was begun with another bundle, other files or options" in line) == (1, True)
    code, line = finished([*arguments, "--resume"])
    assert (code, line) == (2, "busight: --resume: goes on with the file of --out; name it")


def test_two_evaluations_with_one_folder(quick_run: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "evaluated"
    command = ["evaluate", str(quick_run("demo")), "--data", "phantom:60,size=96", "--out", str(out)]
    first, second = busight(command), busight(command)
    lines = [process.communicate(timeout=240)[1].strip().splitlines()[-1:] for process in (first, second)]
    assert sorted((first.returncode, second.returncode)) == [0, 1], lines
    loser = lines[0] if first.returncode else lines[1]
    assert "another process is writing there" in loser[0] or "exists already" in loser[0]
    assert (out / "metrics.json").is_file()


def test_resume_with_changed_files_or_records_is_refused(arguments: list[str], tmp_path: Path) -> None:
    images, out, unfinished = tmp_path / "images", tmp_path / "found.jsonl", tmp_path / "found.unfinished.jsonl"
    shutil.copytree(arguments[3], images)
    command = [*arguments[:3], str(images), *arguments[4:], "--out", str(out)]
    stopped(command, unfinished, signal.SIGKILL)
    kept = unfinished.read_text()
    last = images / f"{COUNT - 1:03d}.png"
    content, status = last.read_bytes(), last.stat()
    last.unlink()
    code, line = finished([*command, "--resume"])
    assert (code, "was begun with another bundle, other files or options" in line) == (1, True), line
    last.write_bytes(content)
    os.utime(last, ns=(status.st_atime_ns, status.st_mtime_ns))
    unfinished.write_text('{"path": "x"}\n' + kept)
    code, line = finished([*command, "--resume"])
    assert (code, "the unfinished records were changed" in line) == (1, True), line
    edited = kept.replace('"above_threshold": true', '"above_threshold": false', 1)
    edited = edited if edited != kept else kept.replace('"above_threshold": false', '"above_threshold": true', 1)
    assert edited != kept
    lines = kept.splitlines(keepends=True)
    for changed in (edited, "".join(lines[1:]), "".join([lines[1], lines[0], *lines[2:]])):
        unfinished.write_text(changed)
        code, line = finished([*command, "--resume"])
        assert (code, line.endswith("the unfinished records were changed; remove it and begin anew")) == (1, True), line
        assert unfinished.read_text() == changed
    unfinished.write_text(kept)
    for beside in ("plan.json", "digests"):
        (tmp_path / f"found.unfinished.{beside}").rename(tmp_path / "away")
        code, line = finished([*command, "--resume"])
        assert (code, "without it there is nothing to resume" in line) == (1, True), line
        (tmp_path / "away").rename(tmp_path / f"found.unfinished.{beside}")
    assert finished([*command, "--resume"])[0] == 1  # one of the files is no image
    assert out.read_text().count("\n") == COUNT


def test_of_two_calls_that_begin_together_one_keeps_its_records(arguments: list[str], tmp_path: Path) -> None:
    out = tmp_path / "found.jsonl"
    calls = [busight([*arguments, "--out", str(out)]) for _ in range(2)]
    lines = [process.communicate(timeout=120)[1].strip().splitlines()[-1] for process in calls]
    # One of the images is unreadable, so that the winner ends with 1 too.
    refused = [line for line in lines if "another process is writing there" in line or "exists already" in line]
    assert len(refused) == 1, lines
    assert out.read_text().count("\n") == COUNT


@pytest.mark.parametrize("option", ["--overlays", "--pages"])
@pytest.mark.parametrize("n_small", [0, 2])
def test_a_full_disk_under_the_drawn_images_keeps_the_records(
    arguments: list[str], images: Path, tmp_path: Path, option: str, n_small: int
) -> None:
    folder, out, drawn = tmp_path / "images", tmp_path / "found.jsonl", tmp_path / "drawn"
    unfinished = tmp_path / "found.unfinished.jsonl"
    folder.mkdir()
    for number in range(n_small):  # no image, so that nothing is drawn of it
        (folder / f"{number}.png").write_bytes(b"no image")
    shutil.copyfile(images / "000.png", folder / "9.png")
    command = [*arguments[:3], str(folder), *arguments[4:], "--out", str(out), option, str(drawn)]
    code, line = finished(command, limit=4000)  # less than a drawn image
    assert (code, "could not be written (File too large)" in line) == (1, True), line
    assert line.endswith(f"; the records so far are in {unfinished}; go on with --resume") == (n_small > 0), line
    assert unfinished.is_file() == (n_small > 0)
    assert not drawn.exists()
    if n_small:
        assert unfinished.read_text().count("\n") == n_small
        command.append("--resume")
    finished(command)
    assert out.read_text().count("\n") == n_small + 1
    assert len(list(drawn.iterdir())) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"images", out.name, drawn.name}
