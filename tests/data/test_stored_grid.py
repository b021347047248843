"""Pixels that are not square, from the DICOM file to orientation and millimetres and back to the file's grid."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from dicom_files import write_dicom
from typer.testing import CliRunner

from busight.cli.app import app
from busight.data.readers.inputs import read_frames
from busight.data.stored_grid import on_stored_grid, stored_spacing_mm
from busight.descriptors.lexicon import describe
from busight.metrics.overlap import dice
from busight.types import ImageRef, InputImage

DOWN, ACROSS = 0.3, 0.1
"""Spacing of rows and of columns in mm."""

WIDTH_MM, DEPTH_MM = 6.0, 14.0
"""An ellipse that is taller than wide; of 60 by 47 stored pixels, so that it looks wider than tall."""


def ellipse() -> np.ndarray:
    rows, columns = np.indices((160, 220))
    down, across = (rows - 80) * DOWN / (DEPTH_MM / 2), (columns - 110) * ACROSS / (WIDTH_MM / 2)
    return down**2 + across**2 <= 1


@pytest.fixture
def stretched(tmp_path: Path) -> Path:
    noise = np.random.default_rng(3).normal(0, 8, (160, 220))
    stored = np.clip(np.where(ellipse(), 40, 150) + noise, 0, 255).astype(np.uint8)
    return write_dicom(tmp_path / "stretched.dcm", stored[None], PixelSpacing=[DOWN, ACROSS])


def read(path: Path) -> InputImage:
    (image,) = read_frames(path)
    assert isinstance(image, InputImage)
    return image


def test_orientation_and_size_are_those_of_the_body(stretched: Path) -> None:
    image = read(stretched)
    assert image.pixels.shape == (480, 220)
    assert image.ref.scale == (3, 1)
    assert image.ref.pixel_spacing_mm == pytest.approx((0.1, 0.1))
    mask = cv2.medianBlur((image.pixels < 95).astype(np.uint8), 9) > 0
    description = describe(image.pixels, mask, image.ref.pixel_spacing_mm)
    assert {one.term: one.word for one in description.descriptors}["orientation"] == "not parallel"
    assert (description.width_mm, description.depth_mm) == pytest.approx((WIDTH_MM, DEPTH_MM), abs=0.4)


def test_an_aspect_ratio_alone_gives_the_same_image(tmp_path: Path, stretched: Path) -> None:
    from pydicom import dcmread

    header = dcmread(stretched)
    del header.PixelSpacing
    header.PixelAspectRatio = [3, 1]
    (image,) = read_frames(header)
    assert isinstance(image, InputImage)
    np.testing.assert_array_equal(image.pixels, read(stretched).pixels)
    assert (image.ref.scale, image.ref.pixel_spacing_mm) == ((3, 1), None)


def test_masks_go_back_to_the_stored_grid(stretched: Path) -> None:
    ref = read(stretched).ref
    tall = np.repeat(ellipse(), 3, axis=0)
    back = on_stored_grid(tall, ref)
    assert back.dtype == np.bool_
    np.testing.assert_array_equal(back, ellipse())
    probs = np.repeat(np.random.default_rng(0).random((160, 220), np.float32), 3, axis=0)
    np.testing.assert_array_equal(on_stored_grid(probs, ref), probs[::3])
    assert stored_spacing_mm(ref) == pytest.approx((DOWN, ACROSS))
    assert on_stored_grid(tall, ImageRef()) is tall
    assert stored_spacing_mm(ImageRef()) is None
    uneven = on_stored_grid(np.ones((47, 40), bool), ImageRef(scale=(47 / 20, 1.0)))
    assert uneven.shape == (20, 40)


@pytest.mark.parametrize("prompt", [["--click", "110,80"], ["--box", "75,52,70,56"]])
def test_segment_writes_the_files_grid_and_true_millimetres(tmp_path: Path, stretched: Path, prompt: list[str]) -> None:
    out = tmp_path / "out"
    called = ["segment", str(stretched), "--method", "geodesic", *prompt, "--out", str(out)]
    found = CliRunner().invoke(app, called)
    assert found.exit_code == 0, found.output
    (mask_file,) = (out / "masks").iterdir()
    mask = cv2.imread(str(mask_file), cv2.IMREAD_UNCHANGED) > 0
    assert mask.shape == (160, 220)
    assert dice(mask, ellipse()) > 0.9
    (outline_file,) = (out / "outlines").iterdir()
    assert cv2.imread(str(outline_file)).shape[0] > 470
    header, line, *_ = (out / "lesions.csv").read_text().splitlines()
    row = dict(zip(header.split(","), line.split(","), strict=True))
    assert int(row["area_px"]) == mask.sum()
    assert float(row["area_mm2"]) == pytest.approx(mask.sum() * DOWN * ACROSS, abs=0.01)
    assert (float(row["width_mm"]), float(row["height_mm"])) == pytest.approx((WIDTH_MM, DEPTH_MM), abs=1.2)
    assert int(row["box_y"]) == np.nonzero(mask.any(axis=1))[0][0]
