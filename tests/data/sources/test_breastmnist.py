import io
from pathlib import Path

import numpy as np
import pytest
from picture_files import breastmnist_arrays, npz_bytes

from busight.data.labels import BREAST
from busight.data.sources.breastmnist import load_breastmnist
from busight.errors import DataError


def written(folder: Path, content: bytes) -> str:
    (folder / "breastmnist.npz").write_bytes(content)
    return str(folder / "breastmnist.npz")


@pytest.mark.parametrize("side", [28, 64, 128, 224])
def test_a_small_file_by_hand(tmp_path: Path, side: int) -> None:
    arrays = breastmnist_arrays(side)
    data = load_breastmnist(written(tmp_path, npz_bytes(arrays)))
    assert data.class_counts() == {"normal or benign": 6, "malignant": 3}
    assert [sample.sample_id for sample in data.samples[2:5]] == ["train/0002", "val/0000", "val/0001"]
    assert [sample.official_subset for sample in data.samples] == ["train"] * 3 + ["val"] * 3 + ["test"] * 3
    assert data.samples[3].label == "malignant"  # label 0
    np.testing.assert_array_equal(data.reader.image(data.samples[4]), arrays["val_images"][1])
    assert data.reader.mask(data.samples[0]) is None


def test_the_merged_label_is_a_class_of_its_own(tmp_path: Path) -> None:
    data = load_breastmnist(written(tmp_path, npz_bytes(breastmnist_arrays())))
    assert data.problems == ()
    assert (data.labels.names, data.labels.positive) == (("normal or benign", "malignant"), "malignant")
    assert data.labels.without_lesion == ()  # nobody knows which of them show a lesion
    # What a model says of normal and benign images together can be asked of these.
    assert [BREAST.for_task("binary").class_of(name) for name in data.labels.names] == ["not malignant", "malignant"]


def single_array() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


def damaged() -> bytes:
    content = bytearray(npz_bytes(breastmnist_arrays()))
    content[300:340] = bytes(40)
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [b"", b"text", npz_bytes(breastmnist_arrays())[:900], single_array(), damaged(), npz_bytes({"x": np.zeros(3)})],
    ids=["empty", "text", "truncated", "npy", "damaged", "other arrays"],
)
def test_files_that_are_no_such_archive(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match=r"breastmnist.npz: not a BreastMNIST file .*expected the arrays train_images"):
        load_breastmnist(written(tmp_path, content))


def test_pickled_objects_are_not_loaded(tmp_path: Path) -> None:
    arrays = breastmnist_arrays() | {"val_labels": np.array([None, 1, 0], dtype=object)}
    with pytest.raises(DataError, match="not a BreastMNIST file"):
        load_breastmnist(written(tmp_path, npz_bytes(arrays)))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"val_images": np.zeros((3, 30, 30), np.uint8)}, r"val_images are \(3, 30, 30\) uint8; published are uint8"),
        ({"val_images": np.zeros((3, 28, 64), np.uint8)}, r"val_images are \(3, 28, 64\)"),
        ({"val_images": np.zeros((3, 28, 28), np.float32)}, "val_images are .* float32"),
        ({"val_images": np.zeros((2, 28, 28), np.uint8)}, "val_labels are .* each of the 2 images"),
        ({"val_images": np.zeros((3, 64, 64), np.uint8)}, "images of 28, 64 pixels in one file"),
        ({"val_labels": np.array([0, 1, 2])}, "val_labels are .* 0 or 1"),
        ({"val_labels": np.array([0.0, 1.0, 1.0])}, "val_labels are .* float64"),
        ({"val_labels": np.array(["0", "1", "1"])}, "val_labels are .* 0 or 1"),
    ],
)
def test_arrays_that_are_not_as_published(tmp_path: Path, change: dict[str, np.ndarray], rule: str) -> None:
    with pytest.raises(DataError, match=rf"{rule}.*; get it again"):
        load_breastmnist(written(tmp_path, npz_bytes(breastmnist_arrays() | change)))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x.npz: no such file; write --data breastmnist:FILE.npz"):
        load_breastmnist(str(tmp_path / "x.npz"))
    with pytest.raises(DataError, match=r"\(nothing\): no such file"):
        load_breastmnist("")
