from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from picture_files import picture, save, small_busi

from busight.audit.checked_dataset import CheckedDataset, check_dataset
from busight.data import pixel_cache
from busight.data.pixel_cache import PIXELS, ROWS, StoredReader
from busight.data.sources.busi import load_busi
from busight.io.cache_folder import remove_least_recent
from busight.io.progress import Silent


class Lines(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BUSIGHT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    root = small_busi(tmp_path / "data")
    assert root.is_relative_to(tmp_path / "data")
    return root


def checked(root: Path, progress: Lines | None = None) -> CheckedDataset:
    return check_dataset(load_busi(str(root)), progress or Lines())


def entry_of() -> Path:
    (entry,) = (Path(os.environ["BUSIGHT_CACHE"]) / "data").iterdir()
    return entry


def same(first: CheckedDataset, second: CheckedDataset) -> None:
    assert first.digest == second.digest
    assert first.rows == second.rows
    assert first.near_duplicates == second.near_duplicates
    assert first.dataset.problems == second.dataset.problems
    np.testing.assert_array_equal(first.manifest.thumbnails, second.manifest.thumbnails)
    for sample in first.samples:
        np.testing.assert_array_equal(first.reader.image(sample), second.reader.image(sample))
        for ours, theirs in [(first.reader.mask(sample), second.reader.mask(sample))]:
            assert (ours is None) == (theirs is None)
            assert ours is None or np.array_equal(ours, theirs)


def test_a_cached_data_set_is_the_one_that_was_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = checked(root)
    monkeypatch.setattr(pixel_cache, "build_manifest", None)  # may not be called again
    again = checked(root)
    assert isinstance(again.reader, StoredReader)
    monkeypatch.undo()
    monkeypatch.setenv("BUSIGHT_CACHE", "off")
    plain = checked(root)
    assert not isinstance(plain.reader, StoredReader)
    same(plain, again)
    same(plain, before)
    same(plain, pickle.loads(pickle.dumps(again)))


def test_a_changed_image_is_read_anew(root: Path) -> None:
    before = checked(root)
    file = root / before.samples[0].image_path
    save(file, 255 - picture(12))
    assert checked(root).digest != before.digest


@pytest.mark.parametrize("name", [PIXELS, ROWS])
def test_a_damaged_entry_is_made_anew_and_told(root: Path, name: str) -> None:
    before, told = checked(root), Lines()
    path = entry_of() / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    same(before, checked(root, told))
    assert [text for text in told.lines if f"damaged cache of busi:{root}, made anew ({name} was changed)" in text]
    same(before, checked(root))


def test_damaged_near_duplicates_are_searched_anew(root: Path) -> None:
    before = checked(root)
    (entry_of() / "near_duplicates.json").write_text('{"digest": "0", "value": [[0, 1, "mirrored", "upright", 1]]}')
    same(before, checked(root))


def test_a_cache_that_cannot_be_written_is_one_line(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    monkeypatch.setenv("BUSIGHT_CACHE", str(file))
    told = Lines()
    assert len(checked(root, told).samples) == 9
    assert len([text for text in told.lines if "cache could not be written (Not a directory); goes on" in text]) == 1


def test_an_entry_removed_meanwhile_is_read_from_the_files(root: Path) -> None:
    data = checked(root)
    image, mask = data.reader.image(data.samples[0]), data.reader.mask(data.samples[0])
    shutil.rmtree(entry_of())
    np.testing.assert_array_equal(data.reader.image(data.samples[0]), image)
    np.testing.assert_array_equal(data.reader.mask(data.samples[0]), mask)


def test_the_least_recent_entries_are_removed(tmp_path: Path) -> None:
    for age, name in enumerate(("new", "old", "older")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pixels").write_bytes(bytes(100))
        os.utime(tmp_path / name, (1e9 - age, 1e9 - age))
    remove_least_recent(tmp_path, 250)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old"]
