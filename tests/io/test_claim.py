"""A folder of results belongs to one process at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from busight.errors import OutputError
from busight.io import claim
from busight.io.claim import claimed_folder

OTHER = """
import sys
from pathlib import Path
from busight.errors import OutputError
from busight.io.claim import claimed_folder
try:
    with claimed_folder(Path(sys.argv[1]), resume=sys.argv[2] == "True"):
        print("taken")
except OutputError as error:
    print(error)
"""


def another_process(path: Path, resume: bool) -> str:
    call = [sys.executable, "-c", OTHER, str(path), str(resume)]
    return subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("resume", [False, True])
def test_another_process_is_refused_as_long_as_the_folder_is_taken(tmp_path: Path, resume: bool) -> None:
    out = tmp_path / "deep" / "out"
    with claimed_folder(out):
        assert another_process(out, resume).startswith(f"{out}: another process is writing there; wait for it")
        (out / "result").write_text("x")
    assert another_process(out, True) == "taken"
    assert "exists already" in another_process(out, False)
    assert (out / "result").read_text() == "x"


def test_a_folder_in_which_nothing_was_written_is_removed_with_its_parents(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no"), claimed_folder(tmp_path / "deep" / "out"):
        raise OutputError("no")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mine").mkdir()
    with claimed_folder(tmp_path / "mine"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_empty_folders_within_are_removed(tmp_path: Path) -> None:
    with claimed_folder(tmp_path / "out"):
        (tmp_path / "out" / "images" / "deep").mkdir(parents=True)
        (tmp_path / "out" / "masks").mkdir()
        (tmp_path / "out" / "masks" / "a.png").write_bytes(b"x")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.png", "masks", "out"]


def test_a_folder_that_is_not_free_or_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path, reason in ((tmp_path, "exists already"), (tmp_path / "file" / "out", "folder could not be made")):
        with pytest.raises(OutputError, match=reason), claimed_folder(path):
            pytest.fail("it was taken")


def test_whoever_comes_second_removes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first takes the folder when the second has seen none, and is about to make it."""
    out = tmp_path / "deep" / "out"
    first, mkdir = claimed_folder(out), Path.mkdir

    def first_comes(path: Path, **options: bool) -> None:
        monkeypatch.undo()
        first.__enter__()
        mkdir(path, **options)

    monkeypatch.setattr(Path, "mkdir", first_comes)
    with pytest.raises(OutputError, match="another process is writing there"), claimed_folder(out):
        pytest.fail("it was taken twice")
    assert out.is_dir()
    (out / "result").write_text("x")
    first.__exit__(None, None, None)


def test_a_folder_that_is_removed_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, lock = tmp_path / "deep" / "out", claim._lock

    def other_removes(descriptor: int, path: Path) -> None:
        monkeypatch.undo()
        out.rmdir()
        out.parent.rmdir()
        lock(descriptor, path)

    monkeypatch.setattr(claim, "_lock", other_removes)
    with claimed_folder(out):
        assert another_process(out, True).startswith(f"{out}: another process is writing there")
    assert list(tmp_path.iterdir()) == []
