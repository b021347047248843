"""Frames that the header does not count, or that its offset tables misplace."""

import struct
from pathlib import Path

import gdcm
import numpy as np
import pytest
from dicom_files import RAMP, RGB, as_stream, recompress, write_dicom
from pydicom import dcmread
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit

from busight.data.readers.dicom import read_dicom
from busight.errors import ImageError

CINE = np.stack([RAMP, 255 - RAMP, RAMP // 2])
JPEGS = [as_stream(frame, "JPEG2000", no_jp2=True) for frame in CINE]


def shown(source: Path | bytes) -> tuple[np.ndarray, tuple[str, ...]]:
    frames = read_dicom(source)
    return np.stack([frames.decode(index).pixels for index in range(frames.n_frames)]), frames.warnings


@pytest.mark.parametrize("n_stated", [None, 0, -1])
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_native_frames_that_nobody_counts(tmp_path: Path, syntax: str, n_stated: int | None) -> None:
    path = write_dicom(tmp_path / "a.dcm", CINE, syntax=syntax, NumberOfFrames=n_stated)
    for source in (path, path.read_bytes()):
        pixels, warnings = shown(source)
        np.testing.assert_array_equal(pixels, CINE)
        told = () if n_stated is None else (f"NumberOfFrames is {n_stated} and was ignored",)
        assert warnings == (*told, "no NumberOfFrames to go by, its pixels are those of 3 frames")
    colour = write_dicom(tmp_path / "b.dcm", np.stack([RGB, RGB[::-1]]), "RGB", syntax=syntax, NumberOfFrames=None)
    np.testing.assert_array_equal(shown(colour)[0], np.stack([RGB, RGB[::-1]]))
    single, warnings = shown(write_dicom(tmp_path / "c.dcm", RAMP[None], syntax=syntax, NumberOfFrames=None))
    assert (single.shape, warnings) == ((1, *RAMP.shape), ())


def test_frames_of_an_odd_number_of_bytes(tmp_path: Path) -> None:
    """17 × 17 pixels: two frames are 578 bytes, three 867 and one of padding."""
    odd = np.arange(3 * 17 * 17, dtype=np.uint32).reshape(3, 17, 17).astype(np.uint8)
    for n_frames in (2, 3):
        pixels, _ = shown(write_dicom(tmp_path / "a.dcm", odd[:n_frames], NumberOfFrames=None))
        np.testing.assert_array_equal(pixels, odd[:n_frames])
    big = dcmread(write_dicom(tmp_path / "a.dcm", odd, syntax=ExplicitVRBigEndian))
    raw = np.frombuffer(odd.tobytes() + b"\0", "u2").byteswap().tobytes()
    big.PixelData = raw
    big["PixelData"].VR = "OW"
    big.save_as(tmp_path / "b.dcm")
    np.testing.assert_array_equal(shown(tmp_path / "b.dcm")[0], odd)


def test_one_bit_frames_that_begin_within_a_byte(tmp_path: Path) -> None:
    bits = (np.arange(3 * 17 * 17).reshape(3, 17, 17) // 3 % 2).astype(np.uint8)
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    path = write_dicom(
        tmp_path / "a.dcm", bits, BitsAllocated=1, BitsStored=1, HighBit=0, PixelData=packed + b"\0" * (len(packed) % 2)
    )
    np.testing.assert_array_equal(shown(path)[0], bits * 255)


def test_bytes_that_are_no_frame_are_told(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", CINE, PixelData=CINE.tobytes() + bytes(10))
    pixels, warnings = shown(path)
    np.testing.assert_array_equal(pixels, CINE)
    assert warnings == ("its pixels end 10 bytes behind the last frame, which were ignored",)


def test_more_pixels_than_frames_are_told(tmp_path: Path) -> None:
    told = "its pixels are those of 3 frames, of which NumberOfFrames names 2"
    pixels, warnings = shown(write_dicom(tmp_path / "a.dcm", CINE, NumberOfFrames=2))
    np.testing.assert_array_equal(pixels, CINE[:2])
    assert warnings == (told,)
    path = write_dicom(tmp_path / "b.dcm", CINE, syntax=JPEG2000Lossless, streams=JPEGS, NumberOfFrames=2)
    pixels, warnings = shown(path)
    np.testing.assert_array_equal(pixels, CINE[:2])
    assert told in warnings


@pytest.mark.parametrize("has_table", [True, False])
@pytest.mark.parametrize("fragments", [1, 2, 3])
@pytest.mark.parametrize("n_stated", [None, 0, 3])
def test_compressed_frames_that_nobody_counts(
    tmp_path: Path, n_stated: int | None, fragments: int, has_table: bool
) -> None:
    """A frame of several fragments too: it begins where a fragment begins as a stream does."""
    content = encapsulate(JPEGS, fragments_per_frame=fragments, has_bot=has_table)
    path = write_dicom(
        tmp_path / "a.dcm", CINE, syntax=JPEG2000Lossless, streams=JPEGS, NumberOfFrames=n_stated, PixelData=content
    )
    for source in (path, path.read_bytes()):
        pixels, warnings = shown(source)
        np.testing.assert_array_equal(pixels, CINE)
        told = () if n_stated is None else (f"NumberOfFrames is {n_stated} and was ignored",)
        assert warnings == (() if n_stated else (*told, "no NumberOfFrames to go by, its pixels are those of 3 frames"))


@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000"])
@pytest.mark.parametrize("padding", [b"", b"\0"])
@pytest.mark.parametrize("n_stated", [None, 3])
def test_several_streams_in_one_fragment(tmp_path: Path, n_stated: int | None, padding: bytes, kind: str) -> None:
    options = {"no_jp2": True} if kind == "JPEG2000" else {"quality": 98}
    streams = [as_stream(frame, kind, **options) for frame in CINE]
    path = write_dicom(
        tmp_path / "a.dcm", CINE, syntax=JPEGBaseline8Bit, streams=streams, NumberOfFrames=n_stated,
        PixelData=encapsulate([padding.join(streams)], has_bot=False),
    )  # fmt: skip
    pixels, _ = shown(path)
    assert pixels.shape == CINE.shape
    assert np.abs(pixels.astype(int) - CINE).max() <= 3


@pytest.mark.parametrize("name", ["RLELossless", "JPEGLSLossless", "JPEGLosslessProcess14_1"])
def test_other_streams_that_nobody_counts(tmp_path: Path, name: str) -> None:
    packed = recompress(write_dicom(tmp_path / "a.dcm", CINE), tmp_path / "b.dcm", getattr(gdcm.TransferSyntax, name))
    header = dcmread(packed)
    del header.NumberOfFrames
    header.PixelData = encapsulate(list(generate_frames(header.PixelData, number_of_frames=3)), has_bot=False)
    header.save_as(tmp_path / "c.dcm")
    np.testing.assert_array_equal(shown(tmp_path / "c.dcm")[0], CINE)


@pytest.mark.parametrize(
    "offsets", [(0, 1, 2), (8, 16, 24), (0, 0, 0), (4_000_000_000,) * 3, (0,), (0, 2, 1), (0, 10**6, 2 * 10**6, 7)]
)
@pytest.mark.parametrize("n_stated", [None, 3])
def test_a_broken_offset_table_is_ignored(tmp_path: Path, offsets: tuple[int, ...], n_stated: int | None) -> None:
    whole = encapsulate(JPEGS, has_bot=False)
    table = struct.pack(f"<{len(offsets)}I", *offsets)
    content = whole[:4] + struct.pack("<I", len(table)) + table + whole[8:]
    path = write_dicom(
        tmp_path / "a.dcm", CINE, syntax=JPEG2000Lossless, streams=JPEGS, NumberOfFrames=n_stated, PixelData=content
    )
    pixels, warnings = shown(path)
    np.testing.assert_array_equal(pixels, CINE)
    assert "its offset table does not fit its frames and was ignored" in warnings


def test_the_extended_offset_table(tmp_path: Path) -> None:
    content, offsets, lengths = encapsulate_extended(JPEGS)
    for table in (offsets, offsets[:8] + b"\x07" + offsets[9:]):
        path = write_dicom(
            tmp_path / "a.dcm", CINE, syntax=JPEG2000Lossless, streams=JPEGS, PixelData=content,
            ExtendedOffsetTable=table, ExtendedOffsetTableLengths=lengths,
        )  # fmt: skip
        pixels, warnings = shown(path)
        np.testing.assert_array_equal(pixels, CINE)
        assert bool(warnings) == (table != offsets)


def test_frames_that_are_missing_cost_only_themselves(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", CINE, syntax=JPEG2000Lossless, streams=JPEGS[:2])
    frames = read_dicom(path)
    assert frames.n_frames == 3
    np.testing.assert_array_equal(frames.decode(1).pixels, CINE[1])
    with pytest.raises(ImageError, match="frame 2 is missing, its pixels hold 2 of 3 frames"):
        frames.decode(2)
    cut = path.read_bytes()[:-40]  # the last stream and the delimiter are incomplete
    np.testing.assert_array_equal(read_dicom(cut).decode(0).pixels, CINE[0])


def test_pixels_in_no_fragments(tmp_path: Path) -> None:
    header = dcmread(write_dicom(tmp_path / "a.dcm", CINE, syntax=JPEGBaseline8Bit, streams=JPEGS))
    header.PixelData = CINE.tobytes()
    header["PixelData"].is_undefined_length = False
    with pytest.raises(ImageError, match="is one of compressed pixels, but its pixels are not in fragments"):
        read_dicom(header)


def test_a_wrong_transfer_syntax_among_compressed_ones(tmp_path: Path) -> None:
    """The stream says what it is: JPEG 2000 labelled JPEG baseline, and JPEG-LS labelled RLE."""
    path = write_dicom(tmp_path / "a.dcm", CINE, syntax=JPEGBaseline8Bit, streams=JPEGS)
    np.testing.assert_array_equal(shown(path)[0], CINE)
    packed = recompress(write_dicom(tmp_path / "a.dcm", CINE), tmp_path / "b.dcm", gdcm.TransferSyntax.JPEGLSLossless)
    content = packed.read_bytes().replace(b"1.2.840.10008.1.2.4.80", b"1.2.840.10008.1.2.5\0\0\0")
    np.testing.assert_array_equal(shown(content)[0], CINE)
