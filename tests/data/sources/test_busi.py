import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from picture_files import LESION, picture, save, small_busi
from PIL import Image as Pillow

from busight.data.manifest import DatasetManifest
from busight.data.sources.busi import load_busi
from busight.errors import DataError


def test_a_small_set_by_hand(tmp_path: Path) -> None:
    small_busi(tmp_path, count=10)
    data = load_busi(str(tmp_path))
    assert data.class_counts() == {"benign": 10, "malignant": 10, "normal": 10}
    benign = [sample for sample in data.samples if sample.label == "benign"]
    # 2 comes before 10
    assert [sample.sample_id for sample in benign] == [f"benign/benign ({k})" for k in range(1, 11)]
    first = benign[0]
    assert (first.image_path, first.mask_paths) == ("benign/benign (1).png", ("benign/benign (1)_mask.png",))
    assert (first.source, first.patient_id, first.official_subset) == ("busi", None, None)
    np.testing.assert_array_equal(data.reader.image(first), picture(10))
    np.testing.assert_array_equal(data.reader.mask(first), LESION)
    assert data.problems == ()


def test_the_folder_above_will_do(tmp_path: Path) -> None:
    small_busi(tmp_path / "Dataset_BUSI_with_GT")
    assert len(load_busi(str(tmp_path)).samples) == 9


def test_several_masks_are_one_lesion_mask(tmp_path: Path) -> None:
    small_busi(tmp_path)
    second = np.roll(LESION, 12, axis=1)
    save(tmp_path / "benign" / "benign (1)_mask_1.png", second)
    data = load_busi(str(tmp_path))
    sample = next(sample for sample in data.samples if sample.sample_id == "benign/benign (1)")
    assert len(sample.mask_paths) == 2
    np.testing.assert_array_equal(data.reader.mask(sample), LESION | second)
    assert len(data.samples) == 9


def test_orphans_are_named_and_nothing_else_is_lost(tmp_path: Path) -> None:
    small_busi(tmp_path)
    (tmp_path / "benign" / "benign (2).png").unlink()
    (tmp_path / "malignant" / "malignant (3)_mask.png").unlink()
    data = load_busi(str(tmp_path))
    assert [(problem.path, problem.text) for problem in data.problems] == [
        ("benign/benign (2)_mask.png", "mask without its image; left out"),
        ("malignant/malignant (3).png", "image without a mask; kept, its lesion outline counts as unknown"),
    ]
    assert data.class_counts() == {"benign": 2, "malignant": 3, "normal": 3}
    assert data.reader.mask(next(s for s in data.samples if s.sample_id == "malignant/malignant (3)")) is None


def test_copies_of_masks_other_suffixes_and_hidden_files(tmp_path: Path) -> None:
    small_busi(tmp_path)
    folder = tmp_path / "benign"
    mask, second = folder / "benign (1)_mask.png", np.roll(LESION, 12, axis=1)
    for name in ("benign (1)_mask (1).png", "benign (1)_mask - Copy.png", "benign (1)_mask_1_1.PNG"):
        shutil.copy(mask, folder / name)
    save(folder / "benign (9)_mask_1_1.png", LESION)
    save(folder / "benign (2)_MASK.tif", second)
    save(folder / "benign (10).JPG", picture(3))
    for name in ("._benign (1).png", ".DS_Store", "Thumbs.db"):
        (folder / name).write_bytes(b"x")
    (folder / "notes.txt").write_text("no image")
    data = load_busi(str(tmp_path))
    benign = {sample.image_path: sample for sample in data.samples if sample.label == "benign"}
    assert list(benign) == [f"benign/benign ({k})" + (".JPG" if k == 10 else ".png") for k in (1, 2, 3, 10)]
    assert len(benign["benign/benign (1).png"].mask_paths) == 4
    np.testing.assert_array_equal(data.reader.mask(benign["benign/benign (1).png"]), LESION)
    np.testing.assert_array_equal(data.reader.mask(benign["benign/benign (2).png"]), LESION | second)
    assert [(problem.path, problem.text) for problem in data.problems] == [
        ("benign/benign (9)_mask_1_1.png", "mask without its image; left out"),
        ("benign", "1 file left out, because the suffix is none of an image, e.g. benign/notes.txt"),
        ("benign/benign (10).JPG", "image without a mask; kept, its lesion outline counts as unknown"),
    ]


@pytest.mark.parametrize("only_masks", [False, True])
def test_a_class_without_images(tmp_path: Path, only_masks: bool) -> None:
    small_busi(tmp_path)
    for path in (tmp_path / "malignant").iterdir():
        if not (only_masks and "_mask" in path.name):
            path.unlink()
    with pytest.raises(DataError, match=r"malignant: no images of class malignant; BUSI needs the folders"):
        load_busi(str(tmp_path))


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: no such folder; write --data busi:PATH"):
        load_busi(str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="the folder is empty; point --data busi:PATH"):
        load_busi(str(tmp_path))
    save(tmp_path / "picture.png", LESION)
    with pytest.raises(DataError, match="no images of class normal"):
        load_busi(str(tmp_path))


def test_the_real_files(busi_root: Path) -> None:
    data = load_busi(str(busi_root))
    assert data.class_counts() == {"benign": 437, "malignant": 210, "normal": 133}
    assert data.problems == ()
    assert sum(len(sample.mask_paths) for sample in data.samples) == 798
    assert sum(len(sample.mask_paths) > 1 for sample in data.samples) == 17
    assert len(list(busi_root.rglob("*.png"))) == 1578  # the "1578 images" of the paper


def test_the_three_modes_of_the_real_masks_give_the_files_pixels(busi_root: Path) -> None:
    data = load_busi(str(busi_root))
    modes: Counter[str] = Counter()
    several = [sample for sample in data.samples if len(sample.mask_paths) > 1]
    for sample in (*several, *data.samples[::40]):
        reference = np.zeros(data.reader.image(sample).shape, dtype=bool)
        for path in sample.mask_paths:
            with Pillow.open(busi_root / path) as file:
                modes[file.mode] += 1
                reference |= np.asarray(file.convert("RGB"))[..., 0] > 0
        mask = data.reader.mask(sample)
        assert mask is not None
        np.testing.assert_array_equal(mask, reference)
    assert set(modes) == {"1", "RGB", "RGBA"}
    assert modes["RGBA"] == 2


@pytest.mark.slow
def test_every_real_pixel_is_usable(busi: DatasetManifest, busi_root: Path) -> None:
    assert busi.dataset.problems == ()
    assert len(busi.rows) == 780
    for entry in busi.rows:
        assert (entry.mask_digest == "") == (not entry.sample.mask_paths)
    assert (min(e.height for e in busi.rows), max(e.height for e in busi.rows)) == (310, 719)
    assert (min(e.width for e in busi.rows), max(e.width for e in busi.rows)) == (190, 1048)


@pytest.mark.slow
def test_only_normal_images_have_an_empty_mask(busi: DatasetManifest) -> None:
    reader = busi.dataset.reader
    several = [entry.sample for entry in busi.rows if len(entry.sample.mask_paths) > 1]
    normal = [entry.sample for entry in busi.rows if entry.sample.label == "normal"][:10]
    assert all(reader.mask(sample).any() for sample in several)
    assert not any(reader.mask(sample).any() for sample in normal)
