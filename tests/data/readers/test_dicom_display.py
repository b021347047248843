from pathlib import Path

import numpy as np
import pytest
from dicom_files import RAMP, RGB, write_dicom
from pydicom import dcmread

from busight.data.image_spec import ImageSpec
from busight.data.readers.dicom import read_dicom
from busight.data.readers.dicom_display import displayed
from busight.errors import ImageError


def grey(path: Path) -> np.ndarray:
    frame = read_dicom(path).ultrasound(0)
    assert frame.dtype == np.uint8
    return frame.astype(int)


def test_stored_values_by_hand(tmp_path: Path) -> None:
    """Four bits: 15 steps of 17. Bits above Bits Stored are overlays and drop out; signed −8 is black."""
    header = dcmread(write_dicom(tmp_path / "a.dcm", RAMP[None], BitsStored=4, HighBit=3))
    np.testing.assert_array_equal(displayed(np.array([[0, 1, 15, 0x21]], np.uint8), header).pixels, [[0, 17, 255, 17]])
    header.PixelRepresentation = 1
    np.testing.assert_array_equal(displayed(np.array([[-8, -1, 0, 7]], np.int8), header).pixels, [[0, 119, 136, 255]])


def test_monochrome1_is_inverted(tmp_path: Path) -> None:
    np.testing.assert_array_equal(grey(write_dicom(tmp_path / "a.dcm", RAMP[None], "MONOCHROME1")), 255 - RAMP)


@pytest.mark.parametrize(("bits", "scale"), [(8, 1), (16, 257), (16, 1)])
def test_palette_color(tmp_path: Path, bits: int, scale: int) -> None:
    """0 is black, 1 red, 2 and what lies beyond white; 16-bit entries are full-scale or hold 8-bit values."""
    dtype = np.uint8 if bits == 8 else np.uint16
    columns = np.array([[0, 255, 255, 255], [0, 0, 255, 255], [0, 0, 255, 255]]) * scale
    names = [f"{colour}PaletteColorLookupTable" for colour in ("Red", "Green", "Blue")]
    tables = {f"{name}Data": column.astype(dtype).tobytes() for name, column in zip(names, columns, strict=True)}
    tables |= {f"{name}Descriptor": [4, 0, bits] for name in names}
    stored = np.repeat(np.array([0, 1, 2, 200], np.uint8), 64).reshape(16, 16)
    shown = grey(write_dicom(tmp_path / "a.dcm", stored[None], "PALETTE COLOR", **tables))
    assert [shown[row, 0] for row in (0, 4, 8, 12)] == [0, 76, 255, 255]


def test_bits_stored_gives_the_scale_without_a_window(tmp_path: Path) -> None:
    stored = np.linspace(0, 4095, 32 * 40).astype(np.uint16).reshape(1, 32, 40)
    path = write_dicom(tmp_path / "a.dcm", stored, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(grey(path), np.rint(stored[0] / 4095 * 255))
    signed = (stored.astype(np.int16) - 2048).astype(np.int16)
    path = write_dicom(tmp_path / "b.dcm", signed, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(grey(path), np.rint(stored[0] / 4095 * 255))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("LINEAR", [0, 1, 126, 254, 255]),  # ((x − 99.5) / 100 + 0.5) · 255
        ("LINEAR_EXACT", [0, 1, 125, 251, 255]),  # ((x − 100) / 101 + 0.5) · 255
        ("SIGMOID", [5, 31, 125, 223, 250]),  # 255 / (1 + exp(−4 (x − 100) / 101))
    ],
)
def test_window(tmp_path: Path, function: str, expected: list[int]) -> None:
    stored = np.repeat(np.array([0, 50, 99, 149, 200], np.uint16), 160).reshape(1, 20, 40)
    path = write_dicom(tmp_path / "a.dcm", stored, WindowCenter=[100, 7], WindowWidth=[101, 9], VOILUTFunction=function)
    shown = grey(path)
    assert [shown[row, 0] for row in (0, 4, 8, 12, 16)] == expected


def test_window_after_rescale_agrees_with_pydicom(tmp_path: Path) -> None:
    from pydicom.pixels.processing import apply_modality_lut, apply_windowing

    stored = np.linspace(0, 4095, 32 * 40).astype(np.uint16).reshape(1, 32, 40)
    path = write_dicom(
        tmp_path / "a.dcm", stored, BitsStored=12, HighBit=11,
        RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=3000, WindowWidth=2500,
    )  # fmt: skip
    header = dcmread(path)
    shown = apply_windowing(apply_modality_lut(stored[0], header), header)
    np.testing.assert_array_equal(grey(path), np.rint((shown + 1000) / 8190 * 255))


@pytest.mark.parametrize(("function", "width"), [("LINEAR", 0), ("LINEAR_EXACT", 0), ("SIGMOID", -1), ("OTHER", 10)])
def test_a_window_that_does_not_hold_together(tmp_path: Path, function: str, width: int) -> None:
    path = write_dicom(tmp_path / "a.dcm", RAMP[None], WindowCenter=10, WindowWidth=width, VOILUTFunction=function)
    with pytest.raises(ValueError, match=f"window width {width}.0 does not fit VOI LUT function {function}"):
        displayed(RAMP, dcmread(path))
    with pytest.raises(ImageError, match="damaged DICOM"):
        read_dicom(path).ultrasound(0)


def test_voi_lut(tmp_path: Path) -> None:
    """A table of 4 entries from the stored value 10 on: what lies outside takes the first or the last entry."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.LUTDescriptor, item.LUTData = [4, 10, 8], [0, 51, 102, 255]
    item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "US"
    stored = np.repeat(np.array([0, 11, 12, 200], np.uint8), 64).reshape(1, 16, 16)
    shown = grey(write_dicom(tmp_path / "a.dcm", stored, VOILUTSequence=[item], WindowCenter=1, WindowWidth=2))
    assert [shown[row, 0] for row in (0, 4, 8, 12)] == [0, 51, 102, 255]


def test_16_bits_stored_state_no_scale(tmp_path: Path) -> None:
    """8-bit values are stored in 16 bits too: they are not shown as black. Between 8 and 16 bits nobody can know."""
    ramp = RAMP.astype(np.uint16)
    np.testing.assert_array_equal(grey(write_dicom(tmp_path / "a.dcm", ramp[None])), RAMP)
    np.testing.assert_array_equal(grey(write_dicom(tmp_path / "b.dcm", ramp[None] * 257)), RAMP)
    with pytest.raises(ImageError, match="grey values 0 to 964 fill neither 8 nor 16 bits"):
        grey(write_dicom(tmp_path / "c.dcm", ramp[None] * 4))
    pixels, white_level = read_dicom(tmp_path / "c.dcm").decode(0)
    np.testing.assert_array_equal(pixels, ramp * 4)
    assert white_level is None


def test_colour_is_kept(tmp_path: Path) -> None:
    pixels, white_level = read_dicom(write_dicom(tmp_path / "a.dcm", RGB[None], "RGB")).decode(0)
    np.testing.assert_array_equal(pixels, RGB)
    assert white_level is None
    path = write_dicom(tmp_path / "b.dcm", RGB[None].astype(np.uint16) * 16, "RGB", BitsStored=12, HighBit=11)
    pixels, white_level = read_dicom(path).decode(0)
    np.testing.assert_array_equal(pixels, RGB.astype(np.uint16) * 16)
    assert white_level == 4095
    shown = read_dicom(path).ultrasound(0, ImageSpec(channels=3))
    np.testing.assert_array_equal(shown, np.rint(RGB * (16 / 4095 * 255)))


def test_12_bit_monochrome1_is_inverted_by_its_bits(tmp_path: Path) -> None:
    stored = np.linspace(0, 4095, 32 * 40).astype(np.uint16).reshape(1, 32, 40)
    pixels, white_level = read_dicom(
        write_dicom(tmp_path / "a.dcm", stored, "MONOCHROME1", BitsStored=12, HighBit=11)
    ).decode(0)
    np.testing.assert_array_equal(pixels, 4095 - stored[0])
    assert white_level == 4095
