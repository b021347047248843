"""Attributes that are missing or wrong: the right pixels with a warning, or one line that names the attribute."""

import io
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pytest
from dicom_files import RAMP, RGB, as_stream, recompress, write_dicom
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit

from busight.data.readers.dicom import is_dicom, read_dicom
from busight.data.readers.dicom_bits import aligned
from busight.data.readers.dicom_format import PixelFormat
from busight.data.readers.inputs import list_files
from busight.data.sources.dicom import load_dicom
from busight.errors import ImageError

TWELVE = np.linspace(0, 4095, 32 * 40).astype(np.uint16).reshape(1, 32, 40)


def without(path: Path, *keywords: str) -> Dataset:
    header = dcmread(path)
    for keyword in keywords:
        delattr(header, keyword)
    return header


@pytest.mark.parametrize(
    ("keyword", "told"),
    [
        ("PhotometricInterpretation", "PhotometricInterpretation is missing, read as MONOCHROME2"),
        ("SamplesPerPixel", "SamplesPerPixel is missing, taken as 1"),
        ("BitsStored", "BitsStored is missing, taken as 8"),
        ("PixelRepresentation", "PixelRepresentation is missing, taken as unsigned"),
        ("HighBit", None),
    ],
)
def test_what_is_missing_of_a_grey_image(tmp_path: Path, keyword: str, told: str | None) -> None:
    stream = as_stream(RAMP, "JPEG2000", no_jp2=True)
    for path in (
        write_dicom(tmp_path / "a.dcm", RAMP[None]),
        write_dicom(tmp_path / "b.dcm", RAMP[None], syntax=JPEG2000Lossless, streams=[stream]),
    ):
        frame = read_dicom(without(path, keyword)).decode(0)
        np.testing.assert_array_equal(frame.pixels, RAMP)
        assert frame.warnings == ((told,) if told else ())


def screen() -> np.ndarray:
    shown = np.repeat(RAMP[..., None], 3, axis=2)
    shown[:4, :4] = [250, 10, 10]
    return shown


@pytest.mark.parametrize(
    ("keywords", "told"),
    [
        (
            ["PhotometricInterpretation"],
            "PhotometricInterpretation is missing, read as RGB: its pixels are grey only so",
        ),
        (["SamplesPerPixel"], "SamplesPerPixel is missing, taken as 3"),
        (["PlanarConfiguration"], "PlanarConfiguration is missing, taken as 0"),
        (["SamplesPerPixel", "PhotometricInterpretation"], "SamplesPerPixel is missing, taken as 3"),
    ],
)
def test_what_is_missing_of_a_colour_image(tmp_path: Path, keywords: list[str], told: str) -> None:
    frame = read_dicom(without(write_dicom(tmp_path / "a.dcm", screen()[None], "RGB"), *keywords)).decode(0)
    np.testing.assert_array_equal(frame.pixels, screen())
    assert told in frame.warnings
    stream = as_stream(screen(), "JPEG", quality=98, subsampling=0)
    path = write_dicom(tmp_path / "a.dcm", screen()[None], "YBR_FULL_422", JPEGBaseline8Bit, [stream])
    frame = read_dicom(without(path, *keywords)).decode(0)
    assert np.median(np.abs(frame.pixels.astype(int) - screen())) <= 2


def test_what_cannot_be_known_is_named(tmp_path: Path) -> None:
    for keyword in ("Rows", "Columns", "BitsAllocated"):
        with pytest.raises(ImageError, match=f"has pixels but no {keyword} to read them by"):
            read_dicom(without(write_dicom(tmp_path / "a.dcm", RAMP[None]), keyword))
    three = write_dicom(tmp_path / "a.dcm", np.stack([RAMP] * 3))
    both = without(three, "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames")
    with pytest.raises(ImageError, match="SamplesPerPixel is missing and PhotometricInterpretation missing, and the"):
        read_dicom(both)
    partial = write_dicom(tmp_path / "a.dcm", RGB[None], "YBR_PARTIAL_422")
    with pytest.raises(ImageError, match="photometric interpretation 'YBR_PARTIAL_422' is not read"):
        read_dicom(partial)
    with pytest.raises(ImageError, match="SamplesPerPixel is 4, 1 and 3 are read"):
        read_dicom(write_dicom(tmp_path / "a.dcm", RAMP[None], SamplesPerPixel=4))
    with pytest.raises(ImageError, match="BitsAllocated is 12, 1, 8 and 16 are read"):
        read_dicom(write_dicom(tmp_path / "a.dcm", TWELVE, BitsAllocated=12, BitsStored=12, HighBit=11))


def test_labels_of_grey_that_are_told_from_other_elements(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", RAMP[None], PresentationLUTShape="INVERSE")
    frame = read_dicom(without(path, "PhotometricInterpretation")).decode(0)
    np.testing.assert_array_equal(frame.pixels, 255 - RAMP)
    assert frame.warnings == ("PhotometricInterpretation is missing, read as MONOCHROME1",)
    wrong = read_dicom(write_dicom(tmp_path / "a.dcm", RAMP[None], "RGB", SamplesPerPixel=1)).decode(0)
    np.testing.assert_array_equal(wrong.pixels, RAMP)
    assert wrong.warnings == ("PhotometricInterpretation is RGB, read as MONOCHROME2",)


def test_samples_and_label_that_contradict_each_other(tmp_path: Path) -> None:
    """The length of the pixels tells, where the frames are counted."""
    grey = read_dicom(write_dicom(tmp_path / "a.dcm", RAMP[None], SamplesPerPixel=3)).decode(0)
    np.testing.assert_array_equal(grey.pixels, RAMP)
    assert grey.warnings == ("SamplesPerPixel is 3, taken as 1",)
    path = write_dicom(tmp_path / "a.dcm", screen()[None], "RGB", SamplesPerPixel=1)
    colour = read_dicom(path).decode(0)
    np.testing.assert_array_equal(colour.pixels, screen())
    assert colour.warnings == ("SamplesPerPixel is 1, taken as 3",)
    labelled = read_dicom(write_dicom(tmp_path / "b.dcm", screen()[None], "MONOCHROME2")).decode(0)
    np.testing.assert_array_equal(labelled.pixels, screen())
    assert labelled.warnings == ("PhotometricInterpretation is MONOCHROME2, read as RGB: its pixels are grey only so",)
    with pytest.raises(ImageError, match="SamplesPerPixel is 1 and PhotometricInterpretation RGB, and the length"):
        read_dicom(without(path, "NumberOfFrames"))


def test_a_stream_has_the_samples_that_it_has(tmp_path: Path) -> None:
    stream = as_stream(RAMP, "JPEG2000", no_jp2=True)
    frame = read_dicom(write_dicom(tmp_path / "a.dcm", RGB[None], "RGB", JPEG2000Lossless, [stream])).decode(0)
    np.testing.assert_array_equal(frame.pixels, RAMP)
    assert "SamplesPerPixel is 3, taken as 1" in frame.warnings


@pytest.mark.parametrize("stored", [8, 10, 12])
def test_values_in_the_upper_bits_are_shifted(tmp_path: Path, stored: int) -> None:
    values = TWELVE >> (12 - stored)
    left = write_dicom(tmp_path / "a.dcm", values << (16 - stored), BitsStored=stored, HighBit=15)
    right = write_dicom(tmp_path / "b.dcm", values, BitsStored=stored, HighBit=stored - 1)
    for path in (left, right):
        frame = read_dicom(path).decode(0)
        np.testing.assert_array_equal(frame.pixels, values[0])
        assert (frame.white_level, frame.warnings) == (None if stored == 8 else 2**stored - 1, ())
    signed = (values.astype(np.int32) - 2 ** (stored - 1) << (16 - stored)).astype(np.int16)
    frame = read_dicom(write_dicom(tmp_path / "c.dcm", signed, BitsStored=stored, HighBit=15)).decode(0)
    np.testing.assert_array_equal(frame.pixels, values[0])
    packed = recompress(left, tmp_path / "d.dcm", gdcm.TransferSyntax.RLELossless)
    header = dcmread(packed)
    header.HighBit = 15
    frame = read_dicom(header).decode(0)
    np.testing.assert_array_equal(frame.pixels, values[0])
    assert frame.warnings == ()
    header.HighBit = stored - 1  # as GDCM rewrites it, wrongly
    frame = read_dicom(header).decode(0)
    np.testing.assert_array_equal(frame.pixels, values[0])
    assert frame.warnings == (f"HighBit puts {stored} bits at the bottom, but they are at the top and read there",)


def test_a_high_bit_that_is_wrong(tmp_path: Path) -> None:
    """The values stand below: their low bits are used and none is above Bits Stored."""
    frame = read_dicom(write_dicom(tmp_path / "a.dcm", TWELVE, BitsStored=12, HighBit=15)).decode(0)
    np.testing.assert_array_equal(frame.pixels, TWELVE[0])
    assert frame.warnings == ("HighBit puts 12 bits at the top, but they are at the bottom and read there",)
    frame = read_dicom(write_dicom(tmp_path / "a.dcm", TWELVE, BitsStored=12, HighBit=7)).decode(0)
    np.testing.assert_array_equal(frame.pixels, TWELVE[0])
    assert frame.warnings == ("HighBit 7 does not fit 12 of 16 bits and was ignored",)


@pytest.mark.parametrize("stored", [8, 10])
def test_values_above_the_bits_stored_are_refused(tmp_path: Path, stored: int) -> None:
    path = write_dicom(tmp_path / "a.dcm", TWELVE, BitsStored=stored, HighBit=stored - 1)
    with pytest.raises(ImageError, match=f"values 0 to 4095 do not fit {stored} bits with HighBit {stored - 1}"):
        read_dicom(path).decode(0)
    overlay = (RAMP[None].astype(np.uint16) % 2**stored) | 0x8000
    path = write_dicom(tmp_path / "a.dcm", overlay, BitsStored=stored, HighBit=stored - 1)
    header = dcmread(path)
    header.add_new(0x60000102, "US", 15)
    np.testing.assert_array_equal(read_dicom(header).decode(0).pixels, RAMP)


@settings(max_examples=80, deadline=None)
@given(st.integers(2, 16), st.integers(0, 14), st.booleans(), st.data())
def test_alignment_gives_back_every_value(stored: int, shift: int, is_signed: bool, data: st.DataObject) -> None:
    shift = min(shift, 16 - stored)
    low, high = (-(2 ** (stored - 1)), 2 ** (stored - 1) - 1) if is_signed else (0, 2**stored - 1)
    values = np.array([data.draw(st.lists(st.integers(low, high), min_size=4, max_size=4))])
    form = PixelFormat(1, 4, 1, "MONOCHROME2", 16, stored, shift, is_signed)
    held = (values << shift).astype(np.int16 if is_signed else np.uint16)
    np.testing.assert_array_equal(aligned(held, form, False, "a")[0], values)


def bare(path: Path, has_meta: bool) -> bytes:
    """Return a file without preamble and prefix, with or without its file meta information."""
    content = path.read_bytes()[132:]
    return content if has_meta else content[12 + int.from_bytes(content[8:12], "little") :]


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", ImplicitVRLittleEndian, "1.2.840.10008.1.2.2"])
@pytest.mark.parametrize("has_meta", [True, False])
def test_no_preamble_and_no_suffix(tmp_path: Path, syntax: str, has_meta: bool) -> None:
    plain = write_dicom(tmp_path / "a.dcm", np.stack([RAMP, RAMP // 2]), syntax=syntax, Modality="US")
    (tmp_path / "below").mkdir()
    path = tmp_path / "below" / "IM0001"
    path.write_bytes(bare(plain, has_meta))
    (tmp_path / "below" / "notes").write_bytes(b"\x08\x00 is how this text begins, and it goes on for a while")
    (tmp_path / "below" / "numbers").write_bytes(np.arange(8, 4000, dtype="<u2").tobytes())
    assert list_files([tmp_path / "below"])[0] == [path]
    for source in (path, path.read_bytes()):
        assert is_dicom(source)
        np.testing.assert_array_equal(read_dicom(source).decode(1).pixels, RAMP // 2)
    data = load_dicom(str(tmp_path / "below"))
    assert [sample.sample_id for sample in data.samples] == ["IM0001#0", "IM0001#1"]


@pytest.mark.parametrize("stream", ["JPEG", "JPEG2000"])
def test_compressed_pixels_without_meta_say_what_they_are(tmp_path: Path, stream: str) -> None:
    options: dict[str, Any] = {"no_jp2": True} if stream == "JPEG2000" else {"quality": 95}
    path = write_dicom(
        tmp_path / "a.dcm", RAMP[None], syntax=JPEGBaseline8Bit, streams=[as_stream(RAMP, stream, **options)]
    )
    frame = read_dicom(bare(path, False)).decode(0)
    assert np.abs(frame.pixels.astype(int) - RAMP).max() <= 3


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_no_other_bytes_are_taken_for_dicom(content: bytes) -> None:
    assert not is_dicom(content)
    assert not is_dicom(b"\x08\x00" + content)


def test_a_decimal_comma_and_text_in_numbers(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "a.dcm", RAMP[None], PixelSpacing=["1.1", "1.1"], WindowWidth="256", WindowCenter="128"
    )
    content = path.read_bytes()
    comma = read_dicom(content.replace(b"1.1\\1.1", b"1,1\\1,1"))
    assert comma.pixel_spacing_mm() == (1.1, 1.1)
    assert comma.warnings == ("PixelSpacing is written with a decimal comma, read as a decimal point",)
    text = read_dicom(content.replace(b"1.1\\1.1", b"one\\one"))
    assert text.pixel_spacing_mm() is None
    assert text.warnings == ("PixelSpacing is no number and was ignored",)
    frame = read_dicom(content.replace(b"DS\x04\x00256 ", b"DS\x04\x00wide")).decode(0)
    np.testing.assert_array_equal(frame.pixels, RAMP)
    assert frame.warnings == ("WindowWidth is no number and was ignored",)


@pytest.mark.parametrize(
    ("kind", "signed_stream", "stated", "told"),
    [
        ("JPEG", False, 1, "PixelRepresentation says signed, its stream unsigned; its values were read as unsigned"),
        (
            "JPEG2000",
            False,
            1,
            "PixelRepresentation says signed, its stream unsigned; its values were read as unsigned",
        ),
        ("JPEG2000", True, 0, "PixelRepresentation says unsigned, its stream signed; its values were read as signed"),
        ("JPEG2000", True, 1, None),
    ],
)
def test_signed_by_the_stream(tmp_path: Path, kind: str, signed_stream: bool, stated: int, told: str | None) -> None:
    options = {"quality": 100} if kind == "JPEG" else {"no_jp2": True}
    stream = bytearray(as_stream(RAMP, kind, **options))
    if signed_stream:  # values less 128, as any encoder of JPEG 2000 codes them
        stream[42] |= 0x80
    syntax = JPEGBaseline8Bit if kind == "JPEG" else JPEG2000Lossless
    path = write_dicom(
        tmp_path / "a.dcm", RAMP[None], "MONOCHROME2", syntax, [bytes(stream)], PixelRepresentation=stated
    )
    frame = read_dicom(path).decode(0)
    np.testing.assert_allclose(frame.pixels.astype(int), RAMP, atol=2 if kind == "JPEG" else 0)
    assert frame.warnings == (() if told is None else (told,))


def test_deep_signed_bits_in_an_unsigned_stream_are_signed(tmp_path: Path) -> None:
    """As several programs write them; the label alone tells it, and so does it for JPEG-LS."""
    signed = RAMP.astype(np.int16)[None] * 16 - 2048
    stream = as_stream((signed[0] & 0xFFF).astype(np.uint16), "JPEG2000", no_jp2=True)
    deep = {"BitsStored": 12, "HighBit": 11}
    expected = RAMP.astype(int) * 16
    path = write_dicom(tmp_path / "a.dcm", signed, "MONOCHROME2", JPEG2000Lossless, [stream], **deep)
    frame = read_dicom(path).decode(0)
    np.testing.assert_array_equal(frame.pixels, expected)
    told = "PixelRepresentation says signed, its stream unsigned; its values were read as signed"
    assert frame.warnings == (told,)
    plain = write_dicom(tmp_path / "b.dcm", signed, **deep)
    frame = read_dicom(recompress(plain, tmp_path / "c.dcm", gdcm.TransferSyntax.JPEGLSLossless)).decode(0)
    np.testing.assert_array_equal(frame.pixels, expected)
    assert frame.warnings == ()


@pytest.mark.parametrize("stream", [None, "JPEG"])
def test_a_photometric_interpretation_in_lower_case(tmp_path: Path, stream: str | None) -> None:
    syntax, streams = (ExplicitVRLittleEndian, None)
    if stream:
        syntax, streams = JPEGBaseline8Bit, [as_stream(RAMP, stream, quality=100)]
    header = dcmread(write_dicom(tmp_path / "a.dcm", RAMP[None], "MONOCHROME2", syntax, streams))
    header["PhotometricInterpretation"]._value = "Monochrome1"
    frame = read_dicom(header).decode(0)
    np.testing.assert_allclose(frame.pixels.astype(int), 255 - RAMP.astype(int), atol=2 if stream else 0)
    assert frame.warnings == ("PhotometricInterpretation is Monochrome1, read as MONOCHROME1",)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.99", "1.2.3.4.5", "1.2.840.10008.1.1"])
def test_a_transfer_syntax_that_nobody_knows(tmp_path: Path, syntax: str) -> None:
    path = write_dicom(tmp_path / "a.dcm", RAMP[None])
    header = dcmread(path)
    header.file_meta.TransferSyntaxUID = syntax
    content = path.read_bytes().replace(ExplicitVRLittleEndian.encode() + b"\0", syntax.encode().ljust(20, b"\0"))
    for source in (header, content):
        with pytest.raises(ImageError, match=r"^a\.dcm: its Transfer Syntax UID is that of no known transfer syntax"):
            read_dicom(source, "a.dcm")


def test_a_data_set_without_meta_or_with_pixels_in_another_type(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", RAMP[None])
    header = dcmread(path)
    stored = header.PixelData
    header.PixelData = io.BytesIO(stored)
    header.PixelData.seek(7)
    np.testing.assert_array_equal(read_dicom(header).decode(0).pixels, RAMP)
    assert header.PixelData.tell() == 7
    with pytest.warns(UserWarning, match="cannot be assigned to a tag with VR OB"):
        header.PixelData = bytearray(stored)
    with pytest.raises(ImageError, match=r"its PixelData is of type MultiValue, bytes are read; set it to bytes\("):
        read_dicom(header, "a")
    header.PixelData, header.file_meta = stored, None
    with pytest.raises(ImageError, match="states no Transfer Syntax UID"):
        read_dicom(header, "a")
