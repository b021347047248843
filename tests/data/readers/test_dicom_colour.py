"""Colour labels that disagree with the stream or the pixels: the right picture or one line, never a scrambled one."""

from pathlib import Path

import gdcm
import numpy as np
import pytest
from dicom_files import as_stream, recompress, write_dicom
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import JPEG2000, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit

from busight.data.image_spec import ImageSpec
from busight.data.readers.decode import DecodedImage
from busight.data.readers.dicom import read_dicom
from busight.data.readers.stream_header import codestream, stream_header
from busight.errors import ImageError

GREY = np.clip(np.random.default_rng(5).gamma(2, 30, (48, 64)), 0, 255).astype(np.uint8)
GREY[:10] = 0
SCREEN = np.repeat(GREY[..., None], 3, axis=2)
SCREEN[20:30, 30:50] = [200, 40, 10]
"""An ultrasound screen: a black margin, grey speckle and a red box, RGB."""

YBR = np.asarray(convert_color_space(SCREEN, "RGB", "YBR_FULL"))

COLOURFUL = np.stack([np.indices((48, 64)).sum(0) * 2, np.indices((48, 64))[0] * 5, 255 - GREY], -1).astype(np.uint8)
COLOURFUL[..., 0] = 255 - COLOURFUL[..., 1]
"""Nothing in it is grey, as RGB or as YBR."""


def read(path: Path) -> DecodedImage:
    return read_dicom(path).decode(0)


def is_screen(frame: DecodedImage, tolerance: int) -> bool:
    shown = ImageSpec(channels=3).apply(frame.pixels).astype(int)
    # Lossy compression smears the box's edge and a little of the speckle.
    return bool(np.median(np.abs(shown - SCREEN)) <= tolerance and np.abs(shown - SCREEN)[:8].max() <= tolerance)


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("held", ["RGB", "YBR"])
def test_native_pixels_of_three_samples(tmp_path: Path, label: str, held: str) -> None:
    stored = SCREEN if held == "RGB" else YBR
    frame = read(write_dicom(tmp_path / "a.dcm", stored[None], label))
    assert is_screen(frame, 2)
    is_wrong = (label == "RGB") != (held == "RGB")
    told = f"PhotometricInterpretation is {label}, read as {held}: its pixels are grey only so"
    assert (told in frame.warnings) == (is_wrong or label == "YBR_FULL_422")
    layout = "PhotometricInterpretation is YBR_FULL_422, but its length is that of three samples a pixel"
    assert (layout in frame.warnings) == (label == "YBR_FULL_422")


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("held", ["RGB", "YBR"])
@pytest.mark.parametrize("name", ["JPEGLosslessProcess14_1", "JPEGLSLossless", "RLELossless"])
def test_lossless_streams(tmp_path: Path, name: str, held: str, label: str) -> None:
    plain = write_dicom(tmp_path / "a.dcm", (SCREEN if held == "RGB" else YBR)[None], held.replace("YBR", "YBR_FULL"))
    packed = recompress(plain, tmp_path / "b.dcm", getattr(gdcm.TransferSyntax, name))
    content = packed.read_bytes()
    place = content.index(b"(\x00\x04\x00CS")
    length = int.from_bytes(content[place + 6 : place + 8], "little")
    padded = label + " " * (len(label) % 2)
    content = content[: place + 6] + len(padded).to_bytes(2, "little") + padded.encode() + content[place + 8 + length :]
    frame = read_dicom(content).decode(0)
    assert is_screen(frame, 2)
    assert len(frame.warnings) == ((label == "RGB") != (held == "RGB"))


def unmarked(stream: bytes) -> bytes:
    """Leave out the JFIF marker with which Pillow begins a JPEG stream."""
    assert stream[2:4] == b"\xff\xe0"
    return stream[:2] + stream[4 + int.from_bytes(stream[4:6], "big") :]


def adobe(stream: bytes, transform: int) -> bytes:
    """Put Adobe's APP14 in place of the JFIF marker; transform 0 means RGB, 1 YCbCr."""
    marker = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform])
    return stream[:2] + marker + unmarked(stream)[2:]


def renamed(stream: bytes, ids: bytes) -> bytes:
    """Give the three components of a baseline stream other identifiers."""
    content = bytearray(stream)
    frame, scan = content.index(b"\xff\xc0"), content.index(b"\xff\xda")
    for number, name in enumerate(ids):
        content[frame + 10 + 3 * number] = content[scan + 5 + 2 * number] = name
    return bytes(content)


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("kind", ["JFIF", "unmarked", "Adobe"])
def test_baseline_streams_of_ybr(tmp_path: Path, kind: str, subsampling: int, label: str) -> None:
    stream = as_stream(SCREEN, "JPEG", quality=95, subsampling=subsampling)
    if kind != "JFIF":
        stream = unmarked(stream) if kind == "unmarked" else adobe(stream, 1)
    frame = read(write_dicom(tmp_path / "a.dcm", SCREEN[None], label, JPEGBaseline8Bit, [stream]))
    assert is_screen(frame, 4)
    assert len(frame.warnings) == (label == "RGB")


@pytest.mark.parametrize("label", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("kind", ["unmarked", "Adobe", "ids"])
def test_baseline_streams_of_rgb(tmp_path: Path, kind: str, label: str) -> None:
    """Pillow alone fails on component identifiers R, G, B where YBR is wanted from it."""
    stream = as_stream(SCREEN, "JPEG", quality=95, subsampling=0, keep_rgb=True)
    assert stream_header(stream).marker == "component identifiers R, G, B"
    if kind != "ids":
        plain = renamed(stream, bytes([1, 2, 3]))
        stream = plain[:2] + plain[plain.index(b"\xff\xdb") :]
        if kind == "Adobe":
            stream = stream[:2] + b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00" + stream[2:]
    frame = read(write_dicom(tmp_path / "a.dcm", SCREEN[None], label, JPEGBaseline8Bit, [stream]))
    assert is_screen(frame, 6)
    assert len(frame.warnings) == (label != "RGB")


@pytest.mark.parametrize("label", ["RGB", "YBR_ICT", "YBR_RCT"])
@pytest.mark.parametrize("mct", [0, 1])
@pytest.mark.parametrize("has_boxes", [False, True])
def test_jpeg_2000_with_and_without_its_colour_transform(tmp_path: Path, label: str, mct: int, has_boxes: bool) -> None:
    for irreversible in (False, True):
        stream = as_stream(SCREEN, "JPEG2000", no_jp2=not has_boxes, mct=mct, irreversible=irreversible)
        assert stream_header(stream).has_colour_transform == mct
        syntax = JPEG2000 if irreversible else JPEG2000Lossless
        frame = read(write_dicom(tmp_path / "a.dcm", SCREEN[None], label, syntax, [stream]))
        assert is_screen(frame, 2 * irreversible)
        assert len(frame.warnings) == (label != "RGB" and not mct)


@pytest.mark.parametrize("label", ["RGB", "YBR_ICT", "YBR_FULL"])
def test_jpeg_2000_that_holds_ybr(tmp_path: Path, label: str) -> None:
    stream = as_stream(YBR, "JPEG2000", no_jp2=True, mct=0)
    frame = read(write_dicom(tmp_path / "a.dcm", YBR[None], label, JPEG2000Lossless, [stream]))
    assert is_screen(frame, 2)
    assert len(frame.warnings) == (label != "YBR_FULL")


def test_doubt_is_refused_and_named(tmp_path: Path) -> None:
    """A picture without grey goes by its label; without a label, or with one that its stream denies, none is read."""
    np.testing.assert_array_equal(read(write_dicom(tmp_path / "a.dcm", COLOURFUL[None], "RGB")).pixels, COLOURFUL)
    with pytest.raises(ImageError, match=r"PhotometricInterpretation is YBR_FULL_422, and its pixels leave in doubt"):
        read(write_dicom(tmp_path / "a.dcm", COLOURFUL[None], "YBR_FULL_422"))
    stream = as_stream(COLOURFUL, "JPEG2000", no_jp2=True, mct=0)
    path = write_dicom(tmp_path / "a.dcm", COLOURFUL[None], "YBR_RCT", JPEG2000Lossless, [stream])
    with pytest.raises(ImageError, match=r"PhotometricInterpretation is YBR_RCT, .*leave in doubt"):
        read(path)
    mixed = COLOURFUL.copy()
    mixed[:12] = YBR[:12]  # a quarter is grey as YBR
    with pytest.raises(ImageError, match=r"PhotometricInterpretation is RGB, and its pixels leave in doubt"):
        read(write_dicom(tmp_path / "a.dcm", mixed[None], "RGB"))
    with pytest.raises(ImageError, match=r"its Adobe marker says YBR, and its pixels leave in doubt"):
        read(write_dicom(tmp_path / "a.dcm", YBR[None], "YBR_FULL", JPEGBaseline8Bit, [adobe(rgb_stream(), 1)]))


def rgb_stream() -> bytes:
    plain = renamed(as_stream(SCREEN, "JPEG", quality=95, subsampling=0, keep_rgb=True), bytes([1, 2, 3]))
    return plain[:2] + b"\xff\xe0\x00\x10JFIF" + b"\0" * 10 + plain[plain.index(b"\xff\xdb") :]


def test_native_422_is_told_from_three_samples_by_its_length(tmp_path: Path) -> None:
    packed = np.stack([YBR[:, ::2, 0], YBR[:, 1::2, 0], YBR[:, ::2, 1], YBR[:, ::2, 2]], axis=-1)
    for label in ("YBR_FULL_422", "YBR_FULL"):
        path = write_dicom(tmp_path / "a.dcm", YBR[None], label, PixelData=packed.tobytes())
        frame = read(path)
        assert is_screen(frame, 2)
        assert len(frame.warnings) == (label == "YBR_FULL")
    twice = write_dicom(tmp_path / "a.dcm", np.stack([YBR, YBR]), "YBR_FULL_422", NumberOfFrames=None)
    with pytest.raises(ImageError, match="no NumberOfFrames, and its length fits frames of 2 and of 3 samples"):
        read(twice)


def test_native_422_of_another_length_is_refused(tmp_path: Path) -> None:
    odd = write_dicom(tmp_path / "a.dcm", YBR[None, :, :41], "YBR_FULL_422", PixelData=bytes(48 * 41 * 2))
    with pytest.raises(ImageError, match=r"41 columns of 4:2:2, where each two share their colour.*; export it as RGB"):
        read(odd)
    short = write_dicom(tmp_path / "b.dcm", YBR[None], "YBR_FULL_422", PixelData=bytes(48 * 64 * 3 // 2))
    with pytest.raises(ImageError, match="YBR_FULL_422 need 6144 bytes and 4608 follow, so it is truncated or subsamp"):
        read(short)


def test_ybr_of_16_bits_is_refused(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", YBR[None].astype(np.uint16) * 257, "YBR_FULL", ExplicitVRLittleEndian)
    with pytest.raises(ImageError, match="YBR of more than 8 bits is not read; export it as RGB"):
        read(path)


def test_headers_of_streams() -> None:
    jpeg = stream_header(as_stream(SCREEN, "JPEG"))
    assert (jpeg.codec, jpeg.height, jpeg.width, jpeg.samples, jpeg.precision) == ("jpeg", 48, 64, 3, 8)
    assert (jpeg.colour_space, jpeg.marker) == ("YBR", "JFIF marker")
    grey = stream_header(as_stream(GREY, "JPEG"))
    assert (grey.samples, grey.colour_space) == (1, None)
    boxed = as_stream(SCREEN, "JPEG2000")
    assert codestream(boxed)[:4] == b"\xff\x4f\xff\x51"
    assert stream_header(boxed) == stream_header(codestream(boxed))
    assert (stream_header(boxed).height, stream_header(boxed).width, stream_header(boxed).precision) == (48, 64, 8)
    for damaged in (
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe0\x00\x01",
        b"\xff\x4f\xff\x51\0",
        b"\0" * 64,
    ):
        assert stream_header(damaged) is None


@pytest.mark.parametrize("held", [0, 1])
@pytest.mark.parametrize("stated", [0, 1])
@pytest.mark.parametrize("space", ["RGB", "YBR_FULL"])
def test_a_wrong_planar_configuration_is_told_and_not_followed(
    tmp_path: Path, held: int, stated: int, space: str
) -> None:
    pixels = SCREEN if space == "RGB" else YBR
    raw = (np.moveaxis(pixels, -1, 0) if held else pixels).tobytes()
    path = write_dicom(tmp_path / "a.dcm", SCREEN[None], space, PlanarConfiguration=stated, PixelData=raw)
    frame = read(path)
    assert is_screen(frame, 2)
    assert any("PlanarConfiguration is wrong" in text for text in frame.warnings) == (held != stated)
    path = write_dicom(tmp_path / "b.dcm", COLOURFUL[None], "RGB")
    np.testing.assert_array_equal(read(path).pixels, COLOURFUL)
