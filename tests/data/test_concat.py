from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from picture_files import LESION, NOISE, picture, save, small_busi

from busight.audit.duplicates.near_duplicates import find_near_duplicates
from busight.data.concat import image_file
from busight.data.groups import group_samples
from busight.data.manifest import build_manifest
from busight.data.sources.catalogue import load_data
from busight.data.split import SplitSettings, make_split, source_names
from busight.errors import ConfigError, DataError


def table(folder: Path, patient: str) -> Path:
    save(folder / "a.png", NOISE)
    save(folder / "b.png", picture(3))
    save(folder / "m.png", LESION)
    (folder / "samples.csv").write_text(
        f"path,label,patient,mask,exam,part\na.png,benign,{patient},m.png,e1,train\nb.png,malignant,,,,test\n"
    )
    return folder


def test_two_sets_as_one_by_hand(tmp_path: Path) -> None:
    one, two = table(tmp_path / "one", "p1"), table(tmp_path / "two + half", "p1")
    data = load_data(f"folder:{one} + folder:{two} + phantom:2,size=64")
    assert [sample.sample_id for sample in data.samples] == [
        "folder-1:a.png", "folder-1:b.png", "folder-2:a.png", "folder-2:b.png",
        "phantom:phantom-00000", "phantom:phantom-00001",
    ]  # fmt: skip
    assert [sample.source for sample in data.samples[1:4:2]] == ["folder-1", "folder-2"]
    assert data.name == "folder-1+folder-2+phantom"
    # One number of a patient in two hospitals is two patients.
    assert [sample.patient_id for sample in data.samples[:4]] == ["folder-1:p1", None, "folder-2:p1", None]
    assert data.samples[0].exam_id == "folder-1:e1"
    assert all(sample.official_subset is None for sample in data.samples)
    np.testing.assert_array_equal(data.reader.image(data.samples[3]), picture(3))
    np.testing.assert_array_equal(data.reader.mask(data.samples[2]), LESION)
    assert data.reader.mask(data.samples[1]) is None
    assert image_file(data.reader, data.samples[2]) == two / "a.png"
    assert image_file(data.reader, data.samples[4]) is None


def test_specs_of_one_name_are_one_source(tmp_path: Path) -> None:
    one, two, three = (table(tmp_path / name, "p1") for name in ("one", "two", "three"))
    spec = f"north=folder:{one} + folder:{two} + north=folder:{three}"
    data = load_data(spec)
    assert data.spec == spec
    assert [sample.source for sample in data.samples] == ["north"] * 2 + ["folder"] * 2 + ["north"] * 2
    assert [sample.patient_id for sample in data.samples[::2]] == ["north:p1", "folder:p1", "north:p1"]
    assert [sample.sample_id for sample in data.samples[::2]] == ["north-1:a.png", "folder:a.png", "north-2:a.png"]
    assert source_names(data.samples) == ("folder", "north")
    assert image_file(data.reader, data.samples[4]) == three / "a.png"


def test_copies_between_the_sets_are_one_group(tmp_path: Path) -> None:
    one, two = table(tmp_path / "one", "p1"), table(tmp_path / "two", "p2")
    manifest = build_manifest(load_data(f"folder:{one} + folder:{two}"))
    copies = find_near_duplicates(manifest.thumbnails, [entry.image_digest for entry in manifest.rows])
    groups = group_samples(manifest.dataset.samples, [(copy.first, copy.second) for copy in copies])
    assert groups == ("folder-1:a.png", "folder-1:b.png") * 2


def test_problems_say_which_set_they_are_of(tmp_path: Path) -> None:
    one, two = table(tmp_path / "one", "p1"), table(tmp_path / "two", "p1")
    (two / "b.png").write_bytes(b"no picture")
    save(one / "m.png", LESION[:-1])
    manifest = build_manifest(load_data(f"folder:{one} + folder:{two}"))
    assert [problem.path for problem in manifest.dataset.problems] == ["m.png", "b.png"]
    # The mask that does not fit is struck out; it is not read again.
    first = manifest.rows[0].sample
    assert manifest.dataset.reader.mask(first) is None


def test_official_parts_of_one_set_do_not_split_two(tmp_path: Path) -> None:
    data = load_data(f"folder:{table(tmp_path / 'one', 'p')} + busi:{small_busi(tmp_path / 'busi')}")
    with pytest.raises(DataError, match="has no official parts"):
        make_split(data.samples, [s.sample_id for s in data.samples], SplitSettings(kind="official"))


def test_a_wrong_part_is_one_line(tmp_path: Path) -> None:
    one = table(tmp_path / "one", "p1")
    with pytest.raises(DataError, match="no such folder"):
        load_data(f"folder:{one} + busi:/nowhere")
    # Not a source: taken for a part of the path, which is told.
    with pytest.raises(DataError, match=r"/one \+ bus:/nowhere: no such folder; .* after ' \+ ' 'bus' is not a source"):
        load_data(f"folder:{one} + bus:/nowhere")
    with pytest.raises(ConfigError, match="'x' is not a source"):
        load_data(f"x:{one} + folder:{one}")


def test_a_set_is_joined_once() -> None:
    with pytest.raises(ConfigError, match="'phantom:3' stands in it twice; name each set once"):
        load_data("phantom:3 + phantom:2 + phantom:3")
    with pytest.raises(ConfigError, match=r"'north=phantom:3': NAME= goes with several sets joined by ' \+ '"):
        load_data("north=phantom:3")
