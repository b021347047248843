from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from busight.errors import OutputError
from busight.io.atomic import remove_parts, require_free_folder, write_bytes, write_json, write_text, written_beside


def test_what_is_written_is_there_and_nothing_beside_it(tmp_path: Path) -> None:
    write_bytes(tmp_path / "deep" / "er" / "a.bin", b"\0\1")
    write_text(tmp_path / "b.txt", "Größe\n")
    assert (tmp_path / "deep" / "er" / "a.bin").read_bytes() == b"\0\1"
    assert (tmp_path / "b.txt").read_bytes() == "Größe\n".encode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.txt", "deep"]


def test_json_has_no_nan_and_no_infinity(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"score": float("nan"), "list": [1.5, (float("nan"), "ü")]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"score": None, "list": [1.5, [None, "ü"]]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", [float("inf")])
    assert json.loads((tmp_path / "a.json").read_text())["score"] is None


@pytest.mark.parametrize("before", [None, b"old"])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_after_an_error_all_is_as_before(tmp_path: Path, before: bytes | None, error: type[BaseException]) -> None:
    path = tmp_path / "result.csv"
    if before is not None:
        path.write_bytes(before)

    def interrupted() -> None:
        with written_beside(path) as beside:
            beside.write_bytes(b"half of it")
            assert beside.parent == path.parent
            assert beside.suffix == ".csv"
            raise error

    with pytest.raises(error):
        interrupted()
    assert list(tmp_path.iterdir()) == ([path] if before is not None else [])
    assert before is None or path.read_bytes() == before


def test_the_old_file_stays_readable_until_the_new_one_is_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with written_beside(tmp_path / "a") as beside:
        beside.write_text("new")
        assert (tmp_path / "a").read_text() == "old"
    assert (tmp_path / "a").read_text() == "new"


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for wrong, reason in (
        (tmp_path / "file" / "a.txt", "Not a directory|File exists"),
        (tmp_path, "Is a directory"),
        (tmp_path / ("a" * 300), "File name too long"),
    ):
        with pytest.raises(OutputError, match=rf"could not be written \({reason}\); free space or choose another"):
            write_text(wrong, "text")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from busight.errors import OutputError
from busight.io.atomic import remove_parts, write_bytes

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails instead, as on a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
path = Path(sys.argv[1])
write_bytes(path, b"small")
try:
    write_bytes(path, bytes(50_000))
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are POSIX")
def test_a_full_disk_leaves_the_old_result_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "result.bin"
    told = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(told) == 1
    assert told[0].startswith(f"{path}: could not be written (File too large); free space or choose another place")
    assert path.read_bytes() == b"small"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_or_empty_folder_is_free_and_nothing_is_made(tmp_path: Path) -> None:
    require_free_folder(tmp_path)
    require_free_folder(tmp_path / "deep" / "run")
    assert not list(tmp_path.iterdir())


def test_a_folder_with_anything_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".hidden").write_text("x")
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "run")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for taken in ("run", "file", "link", "nowhere"):
        with pytest.raises(
            OutputError, match=f"{taken}: exists already and is never overwritten; choose another place"
        ):
            require_free_folder(tmp_path / taken)
    assert (tmp_path / "run" / ".hidden").read_text() == "x"


def test_folders_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for wrong, reason in (
        (tmp_path / "file" / "run", "file is a file"),
        (tmp_path / ("a" * 300), "File name too long"),
    ):
        with pytest.raises(OutputError, match=rf"folder could not be made \(.*{reason}\); choose another place"):
            require_free_folder(wrong)


def test_bytes_of_a_name_that_are_not_utf8_are_written_as_escapes(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"name": "\udcff"})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"name": "\udcff"}


def test_a_new_file_never_takes_the_place_of_one_that_came_in_the_meantime(tmp_path: Path) -> None:
    def late() -> None:
        with written_beside(tmp_path / "a", new=True) as beside:
            beside.write_text("second")
            (tmp_path / "a").write_text("first")

    with pytest.raises(OutputError, match="exists already and is never overwritten"):
        late()
    assert (tmp_path / "a").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_parts_of_a_killed_process_are_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    parts = [tmp_path / ".lesions.123.part.csv", tmp_path / "masks" / ".00001_a_0.77.part.png", tmp_path / ".a.9.part"]
    others = [tmp_path / "a.part.png", tmp_path / ".hidden", tmp_path / ".a.part.png", tmp_path / "masks" / "b.png"]
    for path in (*parts, *others):
        path.write_text("x")
    remove_parts(tmp_path)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(others)
