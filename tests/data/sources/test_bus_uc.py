from pathlib import Path

import numpy as np
import pytest
from picture_files import LESION, picture, save
from published_sets import SECOND_LESION, small_bus_uc

from busight.data.sources.bus_uc import load_bus_uc
from busight.data.sources.catalogue import load_data
from busight.errors import DataError


def test_a_small_set_by_hand(tmp_path: Path) -> None:
    data = load_bus_uc(str(small_bus_uc(tmp_path)))
    assert data.problems == ()
    names = ["benign/001", "benign/002", "malignant/001", "malignant/002"]  # the folder All adds none
    assert [sample.sample_id for sample in data.samples] == names
    assert [sample.label for sample in data.samples] == ["benign", "benign", "malignant", "malignant"]
    assert {sample.patient_id for sample in data.samples} == {None}
    np.testing.assert_array_equal(data.reader.image(data.samples[3]), picture(21))
    np.testing.assert_array_equal(data.reader.mask(data.samples[3]), LESION)


def test_the_folders_above_and_other_capitals_will_do(tmp_path: Path) -> None:
    root = small_bus_uc(tmp_path / "BUS_UC" / "BUS_UC")
    (root / "Benign").rename(root / "benign")
    (root / "benign" / "images").rename(root / "benign" / "Images")
    assert load_bus_uc(str(tmp_path)).samples[0].image_path == "benign/Images/001.png"


def test_orphans_are_named_and_several_masks_are_joined(tmp_path: Path) -> None:
    small_bus_uc(tmp_path)
    (tmp_path / "Benign" / "images" / "001.png").unlink()
    (tmp_path / "Malignant" / "masks" / "001.png").unlink()
    save(tmp_path / "Benign" / "masks" / "002_mask_1.png", SECOND_LESION)
    save(tmp_path / "Malignant" / "images" / "002.bmp", LESION)
    (tmp_path / "Malignant" / "images" / "notes.txt").touch()
    data = load_bus_uc(str(tmp_path))
    assert [(problem.path, problem.text) for problem in data.problems] == [
        ("Benign/masks/001.png", "mask without its image; left out"),
        ("Malignant/images", "1 file left out, because the suffix is none of an image, e.g. notes.txt"),
        ("Malignant/images/001.png", "image without a mask; kept, its lesion outline counts as unknown"),
        ("Malignant/images/002.png", "named as Malignant/images/002.bmp; left out"),
    ]
    assert [sample.sample_id for sample in data.samples] == ["benign/002", "malignant/001", "malignant/002"]
    np.testing.assert_array_equal(data.reader.mask(data.samples[0]), LESION | SECOND_LESION)


def test_folders_that_are_not_the_set(tmp_path: Path) -> None:
    small_bus_uc(tmp_path)
    for path in (tmp_path / "Benign" / "images").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"Benign/images: no images of class benign; unpack the whole archive"):
        load_bus_uc(str(tmp_path))
    (tmp_path / "Benign").rename(tmp_path / "Other")
    with pytest.raises(DataError, match=r"no folders Benign and Malignant; bus_uc:PATH needs both"):
        load_bus_uc(str(tmp_path))


def test_the_shrunk_set_stays_a_folder(data_root: Path) -> None:
    if not (data_root / "bus_uc").is_dir():
        pytest.skip(f"no BUS_UC in {data_root}")
    assert load_data(f"folder:{data_root / 'bus_uc'}").class_counts() == {"benign": 358, "malignant": 453}
