from pathlib import Path

import numpy as np
import pytest
from picture_files import LESION, NOISE, picture, save
from published_sets import SECOND_LESION, small_buid

from busight.data.manifest import build_manifest
from busight.data.sources.buid import load_buid
from busight.errors import DataError


def test_a_small_set_by_hand(tmp_path: Path) -> None:
    data = load_buid(str(small_buid(tmp_path)))
    assert data.problems == ()
    names = [f"{label}/{number}" for label in ("benign", "malignant") for number in (1, 2, 10)]
    assert [sample.sample_id for sample in data.samples] == names
    assert [sample.label for sample in data.samples] == ["benign"] * 3 + ["malignant"] * 3
    last = data.samples[-1]
    assert (last.image_path, last.mask_paths) == (
        "Malignant/10 Malignant Image.bmp",
        ("Malignant/10 Malignant Mask.tif",),
    )
    np.testing.assert_array_equal(data.reader.image(last), picture(101))
    np.testing.assert_array_equal(data.reader.mask(last), LESION)
    assert build_manifest(data).dataset.problems == ()


def test_two_archives_unpacked_into_folders_of_their_names(tmp_path: Path) -> None:
    small_buid(tmp_path / "a")
    for label in ("Benign", "Malignant"):
        (tmp_path / "b" / label).mkdir(parents=True)
        (tmp_path / "a" / label).rename(tmp_path / "b" / label / label)
    data = load_buid(str(tmp_path / "b"))
    assert (data.class_counts(), data.problems) == ({"benign": 3, "malignant": 3}, ())


@pytest.mark.parametrize(
    "name", ["1 Benign Mask 2.tif", "1 Benign Mask2.tif", "1 benign mask (2).TIF", "01 Benign Mask-1.tif"]
)
def test_several_masks_of_a_case_are_joined(tmp_path: Path, name: str) -> None:
    small_buid(tmp_path)
    save(tmp_path / "Benign" / name, SECOND_LESION)
    data = load_buid(str(tmp_path))
    np.testing.assert_array_equal(data.reader.mask(data.samples[0]), LESION | SECOND_LESION)


def test_the_lesion_file_is_a_mask_only_where_it_has_two_values(tmp_path: Path) -> None:
    small_buid(tmp_path)
    for number in (1, 2):
        (tmp_path / "Benign" / f"{number} Benign Mask.tif").unlink()
    save(tmp_path / "Benign" / "1 Benign Lesion.bmp", LESION)
    manifest = build_manifest(load_buid(str(tmp_path)))
    assert [bool(row.mask_digest) for row in manifest.rows] == [True, False, True, True, True, True]
    assert [(problem.path, problem.text) for problem in manifest.dataset.problems] == [
        ("Benign/2 Benign Image.bmp", "image without a mask; kept, its lesion outline counts as unknown")
    ]


def test_what_does_not_fit_is_named_and_nothing_else_is_lost(tmp_path: Path) -> None:
    small_buid(tmp_path)
    folder = tmp_path / "Benign"
    (folder / "2 Benign Image.bmp").unlink()
    for name in ("10 Benign Mask.tif", "10 Benign Lesion.bmp"):
        (folder / name).unlink()
    for name in ("3 Malignant Image.bmp", "notes.png", "010 Benign Image.png", "._1 Benign Image.bmp"):
        save(folder / name, NOISE)
    (folder / "4 Benign Image.dcm").touch()
    data = load_buid(str(tmp_path))
    assert [(problem.path, problem.text) for problem in data.problems] == [
        ("Benign", "1 file left out, because the suffix is none of an image, e.g. 4 Benign Image.dcm"),
        ("Benign/3 Malignant Image.bmp", "not named as 1 Benign Image.bmp in a folder benign; left out"),
        ("Benign/notes.png", "not named as 1 Benign Image.bmp in a folder benign; left out"),
        ("Benign/2 Benign Mask.tif", "mask without its image; left out"),
        ("Benign/010 Benign Image.png", "case 10 has an image already; left out"),
        ("Benign/10 Benign Image.bmp", "image without a mask; kept, its lesion outline counts as unknown"),
    ]
    assert data.class_counts() == {"benign": 2, "malignant": 3}


def test_folders_that_are_not_the_set(tmp_path: Path) -> None:
    save(tmp_path / "Benign" / "a.png", NOISE)
    with pytest.raises(DataError, match=r"no folders Benign and Malignant; buid:PATH needs both"):
        load_buid(str(tmp_path))
    save(tmp_path / "Malignant" / "a.png", NOISE)
    with pytest.raises(DataError, match=r"Benign: no image named as 1 Benign Image.bmp"):
        load_buid(str(tmp_path))
