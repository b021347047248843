from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_files import RAMP, RGB, luma, write_dicom
from pydicom import Dataset, dcmread

from busight.data.image_spec import ImageSpec
from busight.data.readers.dicom import read_dicom
from busight.data.readers.dicom_display import displayed
from busight.data.readers.dicom_format import PixelFormat
from busight.errors import ImageError


def grey(path: Path) -> np.ndarray:
    frame = read_dicom(path).ultrasound(0)
    assert frame.dtype == np.uint8
    return frame.astype(int)


FOUR_BITS = PixelFormat(1, 4, 1, "MONOCHROME2", 8, 4)


def test_stored_values_by_hand() -> None:
    """Four bits: 15 steps of 17; signed −8 is black."""
    shown = displayed(np.array([[0, 1, 15]], np.uint8), FOUR_BITS, Dataset())
    np.testing.assert_array_equal(shown.pixels, [[0, 17, 255]])
    signed = replace(FOUR_BITS, is_signed=True)
    shown = displayed(np.array([[-8, -1, 0, 7]], np.int16), signed, Dataset())
    np.testing.assert_array_equal(shown.pixels, [[0, 119, 136, 255]])


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


@pytest.mark.parametrize(
    ("function", "width"), [("LINEAR", 0), ("LINEAR", 0.5), ("LINEAR_EXACT", 0), ("SIGMOID", -1), ("LINEAR", "nan")]
)
def test_a_window_that_is_none_costs_nothing_else(tmp_path: Path, function: str, width: Any) -> None:
    path = write_dicom(tmp_path / "a.dcm", RAMP[None], WindowCenter=10, WindowWidth=1, VOILUTFunction=function)
    header = dcmread(path)
    header["WindowWidth"]._value = width  # pydicom refuses to write some of them
    frame = read_dicom(header).decode(0)
    np.testing.assert_array_equal(frame.pixels, RAMP)
    assert frame.warnings == (f"its window of centre 10 and width {float(width):g} is none and was ignored",)


@pytest.mark.parametrize(
    ("keyword", "value", "told"),
    [
        ("RescaleSlope", 0, "RescaleSlope 0 is none and was ignored"),
        ("RescaleSlope", "nan", "RescaleSlope nan is none and was ignored"),
        ("RescaleSlope", "text", "RescaleSlope is no number and was ignored"),
        ("RescaleSlope", "1e308", "RescaleSlope 1e+308 and RescaleIntercept 0 overflow and were ignored"),
        ("RescaleIntercept", "nan", "RescaleIntercept nan is none and was ignored"),
        ("RescaleIntercept", "-inf", "RescaleIntercept -inf is none and was ignored"),
        ("RescaleIntercept", "text", "RescaleIntercept is no number and was ignored"),
    ],
)
def test_a_rescale_that_is_none_costs_nothing_else(tmp_path: Path, keyword: str, value: Any, told: str) -> None:
    path = write_dicom(tmp_path / "a.dcm", RAMP[None], WindowCenter=128, WindowWidth=256, **{keyword: 1})
    header = dcmread(path)
    header[keyword]._value = value  # pydicom refuses to write some of them
    frame = read_dicom(header).decode(0)
    np.testing.assert_array_equal(frame.pixels, RAMP)
    assert frame.warnings == (told,)


def test_an_unknown_function_is_linear(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", RAMP[None], WindowCenter=100, WindowWidth=101, VOILUTFunction="OTHER")
    frame = read_dicom(path).decode(0)
    np.testing.assert_array_equal(frame.pixels, np.rint(np.clip((RAMP.astype(float) - 99.5) / 100 + 0.5, 0, 1) * 255))
    assert frame.warnings == ("VOILUTFunction is unknown, LINEAR was taken",)


def test_lookup_tables_that_cannot_be_read_are_ignored(tmp_path: Path) -> None:
    lut = Dataset()
    lut.LUTExplanation = "nothing else"
    path = write_dicom(tmp_path / "a.dcm", RAMP[None], VOILUTSequence=[lut])
    frame = read_dicom(path).decode(0)
    np.testing.assert_array_equal(frame.pixels, RAMP)
    assert frame.warnings == ("VOILUTSequence cannot be read and was ignored",)
    empty = write_dicom(tmp_path / "a.dcm", RAMP[None], VOILUTSequence=[], ModalityLUTSequence=[])
    assert read_dicom(empty).decode(0).warnings == ()
    window = {"WindowCenter": 128, "WindowWidth": 256}
    modality = write_dicom(tmp_path / "a.dcm", RAMP[None], ModalityLUTSequence=[lut], **window)
    frame = read_dicom(modality).decode(0)
    np.testing.assert_array_equal(frame.pixels, RAMP)
    assert frame.warnings == ("ModalityLUTSequence cannot be read and was ignored",)
    with pytest.raises(ImageError, match="PhotometricInterpretation is PALETTE COLOR, but its palette cannot be read"):
        read_dicom(write_dicom(tmp_path / "a.dcm", RAMP[None], "PALETTE COLOR")).decode(0)


def test_voi_lut(tmp_path: Path) -> None:
    """A table of 4 entries from the stored value 10 on: what lies outside takes the first or the last entry."""
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [4, 10, 8], [0, 51, 102, 255]
    item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "US"
    stored = np.repeat(np.array([0, 11, 12, 200], np.uint8), 64).reshape(1, 16, 16)
    shown = grey(write_dicom(tmp_path / "a.dcm", stored, VOILUTSequence=[item], WindowCenter=1, WindowWidth=2))
    assert [shown[row, 0] for row in (0, 4, 8, 12)] == [0, 51, 102, 255]


def _lookup_table(bits: int, entries: np.ndarray) -> Dataset:
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [len(entries), 0, bits], entries.astype("<u2").tobytes()
    item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "OW"
    return item


@pytest.mark.parametrize(("bits", "white"), [(16, 255), (12, 255), (16, 4095)])
def test_a_voi_lut_that_does_not_fill_its_bits_is_not_black(tmp_path: Path, bits: int, white: int) -> None:
    entries = np.linspace(0, white, 256).round()
    frame = read_dicom(
        write_dicom(tmp_path / "a.dcm", RAMP[None], VOILUTSequence=[_lookup_table(bits, entries)])
    ).decode(0)
    np.testing.assert_array_equal(frame.pixels, RAMP)
    told = f"VOILUTSequence states {bits} bits, but its entries end at {white}, so white was taken as {white}"
    assert frame.warnings == (told,)
    full = np.linspace(0, 2**bits - 1, 256).round()
    filled = write_dicom(tmp_path / "b.dcm", RAMP[None], VOILUTSequence=[_lookup_table(bits, full)])
    frame = read_dicom(filled).decode(0)
    np.testing.assert_array_equal(frame.pixels, RAMP)
    assert frame.warnings == ()


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
def test_what_inverts_does_so_without_a_window(tmp_path: Path, photometric: str) -> None:
    falling = {"RescaleSlope": -1, "RescaleIntercept": 255}
    shown = RAMP if photometric == "MONOCHROME1" else 255 - RAMP
    path = write_dicom(tmp_path / "a.dcm", RAMP[None], photometric, **falling)
    np.testing.assert_array_equal(grey(path), shown)
    windowed = write_dicom(tmp_path / "a.dcm", RAMP[None], photometric, WindowCenter=128, WindowWidth=256, **falling)
    np.testing.assert_array_equal(grey(windowed), shown)
    for bits, white in ((8, 255), (16, 65535), (16, 255)):  # the last states more bits than it fills
        table = _lookup_table(bits, np.arange(255, -1, -1) * (white // 255))
        path = write_dicom(tmp_path / "a.dcm", RAMP[None], photometric, ModalityLUTSequence=[table])
        np.testing.assert_array_equal(grey(path), shown)
    deep = RAMP.astype(np.uint16)[None] * 16
    path = write_dicom(tmp_path / "a.dcm", deep, photometric, BitsStored=12, HighBit=11, **falling)
    frame = read_dicom(path).decode(0)
    np.testing.assert_array_equal(frame.pixels, deep[0] if photometric == "MONOCHROME1" else 4095 - deep[0])
    assert (frame.white_level, frame.warnings) == (4095, ())


def test_16_bits_stored_state_no_scale(tmp_path: Path) -> None:
    """8-bit values are stored in 16 bits too: they are not shown as black. Between 8 and 16 bits nobody can know."""
    ramp = RAMP.astype(np.uint16)
    np.testing.assert_array_equal(grey(write_dicom(tmp_path / "b.dcm", ramp[None] * 257)), RAMP)
    with pytest.raises(ImageError, match="grey values 0 to 964 fill neither 8 nor 16 bits"):
        grey(write_dicom(tmp_path / "c.dcm", ramp[None] * 4))
    frame = read_dicom(tmp_path / "c.dcm").decode(0)
    np.testing.assert_array_equal(frame.pixels, ramp * 4)
    assert frame.white_level is None


@pytest.mark.parametrize("bits", [12, 14, 16])
@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1", "RGB"])
@pytest.mark.parametrize("is_signed", [False, True])
def test_8_bit_values_in_more_bits_are_not_black(tmp_path: Path, bits: int, photometric: str, is_signed: bool) -> None:
    stored = (RGB if photometric == "RGB" else RAMP).astype(np.int16 if is_signed else np.uint16)
    path = write_dicom(tmp_path / "a.dcm", stored[None], photometric, BitsStored=bits, HighBit=bits - 1)
    frame = read_dicom(path).decode(0)
    np.testing.assert_array_equal(frame.pixels, 255 - stored if photometric == "MONOCHROME1" else stored)
    assert frame.pixels.dtype == np.uint8
    high = int(stored.max())
    assert frame.warnings == (f"its values end at {high} of {2**bits - 1}, so they were taken as 8-bit",)
    for spec in (ImageSpec(), ImageSpec(bits=bits)):
        expected = frame.pixels if photometric != "RGB" else luma(RGB)
        assert np.abs(read_dicom(path).ultrasound(0, spec).astype(int) - expected).max() <= (photometric == "RGB")


def test_what_has_a_scale_keeps_it(tmp_path: Path) -> None:
    """10 bits: 241 of 1023 may be a dark image. A black frame is black in any scale. A window says what is white."""
    ten = read_dicom(write_dicom(tmp_path / "a.dcm", RAMP[None].astype(np.uint16), BitsStored=10, HighBit=9)).decode(0)
    np.testing.assert_array_equal(ten.pixels, RAMP)
    assert (ten.white_level, ten.warnings) == (1023, ())
    black = read_dicom(write_dicom(tmp_path / "b.dcm", np.zeros((1, 32, 40), np.uint16))).decode(0)
    assert (black.pixels.max(), black.warnings) == (0, ())
    window = {"WindowCenter": 2048, "WindowWidth": 4096}
    path = write_dicom(tmp_path / "c.dcm", RAMP[None].astype(np.uint16), **window)
    assert (read_dicom(path).ultrasound(0).max(), read_dicom(path).decode(0).warnings) == (15, ())


def test_signed_and_inverted_values_without_a_scale_are_refused(tmp_path: Path) -> None:
    twelve = np.linspace(-2048, 2047, 32 * 40).astype(np.int16).reshape(1, 32, 40)
    with pytest.raises(ImageError, match="signed values -2048 to 2047 without a window do not fill 16 bits"):
        read_dicom(write_dicom(tmp_path / "a.dcm", twelve)).decode(0)
    full = np.linspace(-32768, 32767, 32 * 40).astype(np.int16).reshape(1, 32, 40)
    np.testing.assert_array_equal(
        grey(write_dicom(tmp_path / "a.dcm", full)), np.rint((full[0] + 32768.0) / 65535 * 255)
    )
    inverted = write_dicom(tmp_path / "a.dcm", RAMP[None].astype(np.uint16) * 4, "MONOCHROME1")
    with pytest.raises(ImageError, match="of 16 bits with values up to 964, so which one is black"):
        read_dicom(inverted).decode(0)


def test_colour_is_kept(tmp_path: Path) -> None:
    pixels, white_level, _ = read_dicom(write_dicom(tmp_path / "a.dcm", RGB[None], "RGB")).decode(0)
    np.testing.assert_array_equal(pixels, RGB)
    assert white_level is None
    path = write_dicom(tmp_path / "b.dcm", RGB[None].astype(np.uint16) * 16, "RGB", BitsStored=12, HighBit=11)
    pixels, white_level, _ = read_dicom(path).decode(0)
    np.testing.assert_array_equal(pixels, RGB.astype(np.uint16) * 16)
    assert white_level == 4095
    shown = read_dicom(path).ultrasound(0, ImageSpec(channels=3))
    np.testing.assert_array_equal(shown, np.rint(RGB * (16 / 4095 * 255)))


def test_12_bit_monochrome1_is_inverted_by_its_bits(tmp_path: Path) -> None:
    stored = np.linspace(0, 4095, 32 * 40).astype(np.uint16).reshape(1, 32, 40)
    pixels, white_level, _ = read_dicom(
        write_dicom(tmp_path / "a.dcm", stored, "MONOCHROME1", BitsStored=12, HighBit=11)
    ).decode(0)
    np.testing.assert_array_equal(pixels, 4095 - stored[0])
    assert white_level == 4095
