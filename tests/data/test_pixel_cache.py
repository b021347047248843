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
from busight.data.readers.files import FileReader
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


def test_a_full_disk_is_one_line_and_leaves_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixel_cache, "PIXELS", "/dev/full")
    told = Lines()
    data = checked(root, told)
    assert len(data.samples) == 9
    assert not isinstance(data.reader, StoredReader)
    assert len([text for text in told.lines if "could not be written (No space left on device); goes on" in text]) == 1
    assert not list((Path(os.environ["BUSIGHT_CACHE"]) / "data").iterdir())


def test_data_larger_than_the_cache_are_read_without_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixel_cache, "LIMIT_BYTES", 1000)
    told = Lines()
    assert len(checked(root, told).samples) == 9
    assert len([text for text in told.lines if "GiB of pixels, the cache holds" in text]) == 1
    assert not list((Path(os.environ["BUSIGHT_CACHE"]) / "data").iterdir())


def test_an_entry_is_written_while_images_are_read_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    whole = FileReader.image
    monkeypatch.setattr(FileReader, "image", lambda self, sample: read.append(sample.sample_id) or whole(self, sample))
    data = checked(root)
    assert sorted(read) == sorted(sample.sample_id for sample in data.samples)


def test_an_interrupted_reading_leaves_no_entry(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self: FileReader, sample: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FileReader, "mask", stop)
    with pytest.raises(KeyboardInterrupt):
        checked(root)
    assert not list((Path(os.environ["BUSIGHT_CACHE"]) / "data").iterdir())


@pytest.mark.skipif(os.name == "nt", reason="access rights of POSIX")
def test_an_entry_is_for_this_user_alone(root: Path) -> None:
    checked(root)
    assert entry_of().stat().st_mode & 0o777 == 0o700


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
