import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from dicom_files import RAMP, RGB, luma, region, write_dicom
from picture_files import NOISE, save
from pydicom import dcmread

from busight.data.image_spec import ImageSpec
from busight.data.readers.inputs import list_files, read_frames
from busight.data.readers.source import MAX_FILE_BYTES
from busight.types import Failure, ImageRef

TWELVE = np.linspace(0, 4095, 32 * 40).astype(np.uint16).reshape(32, 40)


def test_an_image_file_and_its_bytes(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", NOISE)
    for source, name, called in [
        (path, "", str(path)),
        (path.read_bytes(), "", ""),
        (path.read_bytes(), "upload 3", "upload 3"),
    ]:
        (image,) = read_frames(source, name=name)
        np.testing.assert_array_equal(image.pixels, NOISE)
        assert image.ref == ImageRef(called)


def test_dicom_carries_its_identity_and_never_the_patient(tmp_path: Path) -> None:
    cine = np.stack([RGB, RGB[::-1]])
    path = write_dicom(
        tmp_path / "a.dcm", cine, "RGB", PatientID="P-17", PatientName="Meier^Anna", StudyInstanceUID="1.2.3",
        SeriesInstanceUID="1.2.4", SequenceOfUltrasoundRegions=[region()],
    )  # fmt: skip
    dataset = dcmread(path)
    for source, called in [(path, str(path)), (path.read_bytes(), ""), (dataset, "")]:
        images = list(read_frames(source, ImageSpec(channels=3)))
        for index, image in enumerate(images):
            assert image.ref == ImageRef(
                called, index, dataset.SOPInstanceUID, "1.2.3", "1.2.4", pytest.approx((0.1, 0.1)), (2, 4)
            )
            np.testing.assert_array_equal(image.pixels, cine[index, 2:22, 4:34])
            assert not any(word in repr(image.ref) for word in ("P-17", "Meier"))
        assert len(images) == 2


def test_colour_is_grey_unless_the_spec_says_otherwise(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", np.stack([RGB, RGB[::-1]]), "RGB")
    _, second = read_frames(path)
    assert np.abs(second.pixels.astype(int) - luma(RGB[::-1])).max() <= 1
    save(tmp_path / "a.png", RGB)
    (image,) = read_frames(tmp_path / "a.png", ImageSpec(channels=3))
    np.testing.assert_array_equal(image.pixels, RGB)


def test_a_12_bit_png_needs_a_model_of_12_bit_images(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", TWELVE)
    (image,) = read_frames(path, ImageSpec(bits=12))
    np.testing.assert_array_equal(image.pixels, np.rint(TWELVE / 4095 * 255))
    (failure,) = read_frames(path)
    assert isinstance(failure, Failure)
    assert failure.ref == ImageRef(str(path))
    assert failure.reason.startswith(f"{path}: grey values 0 to 4095 fill neither 8 nor 16 bits")
    (failure,) = read_frames(path, ImageSpec(bits=10))
    assert failure.reason.startswith(f"{path}: pixel values up to 4095, at most 1023 are possible")


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_12_bit_dicom_states_its_scale(tmp_path: Path, bits: int) -> None:
    path = write_dicom(tmp_path / "a.dcm", TWELVE[None], BitsStored=12, HighBit=11)
    (image,) = read_frames(path, ImageSpec(bits=bits))
    np.testing.assert_array_equal(image.pixels, np.rint(TWELVE / 4095 * 255))


def test_what_cannot_be_read_is_a_failure_with_its_frame(tmp_path: Path) -> None:
    (failure,) = read_frames(b"no image", name="upload 3")
    assert failure == Failure(ImageRef("upload 3"), failure.reason)
    assert failure.reason.startswith("upload 3: no image")
    (failure,) = read_frames(b"")
    assert failure.ref == ImageRef()
    assert failure.reason.startswith("image: the file is empty")
    (failure,) = read_frames(tmp_path / "missing.dcm")
    assert "cannot be reached" in failure.reason
    low = np.stack([RAMP, RAMP]).astype(np.uint16)
    low[1] += 1000
    first, second = read_frames(write_dicom(tmp_path / "a.dcm", low, StudyInstanceUID="1.2.3"))
    np.testing.assert_array_equal(first.pixels, RAMP)
    assert (second.ref.frame, second.ref.StudyInstanceUID) == (1, "1.2.3")
    assert "grey values 1000 to 1241 fill neither 8 nor 16 bits" in second.reason


def test_files_below_a_folder_are_found_in_order_and_others_left_alone(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.png", "a.JPG", "deep/c.bmp"):
        cv2.imwrite(str(tmp_path / name), np.zeros((32, 32), np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    names = [path.relative_to(tmp_path).as_posix() for path in list_files([tmp_path, tmp_path / "absent.png"]).files]
    assert names == ["a.JPG", "b.png", "deep/c.bmp", "absent.png"]


def test_a_file_that_is_named_twice_is_read_once_and_told(tmp_path: Path) -> None:
    inside = save(tmp_path / "study" / "sub" / "a.png", NOISE)
    other = save(tmp_path / "study" / "b.png", NOISE)
    listing = list_files([inside.parent, tmp_path / "study", tmp_path / "study", other])
    assert listing.files == [inside, other]
    assert listing.notes() == [f"2 files are named more than once and read once, e.g. {inside}"]


def test_links_to_folders_are_entered_once_and_no_loop_is(tmp_path: Path) -> None:
    save(tmp_path / "elsewhere" / "b.png", NOISE)
    save(tmp_path / "set" / "a.png", NOISE)
    (tmp_path / "set" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set" / "upwards").symlink_to(tmp_path)
    names = [path.relative_to(tmp_path).as_posix() for path in list_files([tmp_path / "set"]).files]
    assert names == ["set/a.png", "set/linked/b.png", "set/upwards/elsewhere/b.png"]


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.gif", "a.webp", "a.jp2", "a.tif", "a.pgm"])
def test_a_file_larger_than_any_image_is_refused_before_it_is_read(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / name, NOISE)
    os.truncate(path, MAX_FILE_BYTES + 1)  # takes no space on the disk
    (failure,) = read_frames(path)
    assert isinstance(failure, Failure)
    assert f": the file has {MAX_FILE_BYTES + 1} bytes, at most {MAX_FILE_BYTES} are read; no" in failure.reason


def test_masks_beside_their_images_are_no_images(tmp_path: Path) -> None:
    for name in ("benign (1).png", "benign (1)_mask.png", "benign (1)_mask_1.png", "lonely_mask.png"):
        (tmp_path / name).write_bytes(b"")
    found, masks, *_ = list_files([tmp_path])
    assert [path.name for path in found] == ["benign (1).png"]
    assert [path.name for path in masks] == ["benign (1)_mask.png", "benign (1)_mask_1.png", "lonely_mask.png"]
    assert len(list_files([tmp_path / "benign (1)_mask.png"]).files) == 1  # whoever names it wants it


def test_masks_that_a_table_names_are_no_images(tmp_path: Path) -> None:
    for name in ("images/1.png", "masks/1.png", "masks/2.png", "masks/other.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "samples.csv").write_text("path,label,mask\nimages/1.png,benign,masks/1.png; masks/2.png\n")
    found, masks, *_ = list_files([tmp_path])
    assert [path.name for path in found] == ["1.png", "other.png"]
    assert [path.name for path in masks] == ["1.png", "2.png"]


def test_hidden_files_are_no_images_and_other_files_are_named(tmp_path: Path) -> None:
    for name in ("a.PNG", "b.jfif", "c.jpe", "d.dib", "e.jp2"):
        (tmp_path / name).write_bytes(b"")
    hidden = ("._a.PNG", ".DS_Store", "Thumbs.db", "desktop.ini", ".cache/f.png", "__MACOSX/._a.PNG", "._x.dcm")
    for name in (*hidden, "x_mask (1).png", "y_mask - Copy.png", "z_Mask_1_1.png", "notes.txt", "table.xlsx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found, masks, others, _ = list_files([tmp_path])
    assert [path.name for path in found] == ["a.PNG", "b.jfif", "c.jpe", "d.dib", "e.jp2"]
    assert [path.name for path in masks] == ["x_mask (1).png", "y_mask - Copy.png", "z_Mask_1_1.png"]
    assert [path.name for path in others] == ["notes.txt", "table.xlsx"]
