import copy
import gc
import hashlib
import io
import logging
import subprocess
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pytest
from dicom_files import RAMP, RGB, as_stream, luma, recompress, region, write_dicom
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
)

from busight.data.readers import decoder_process, dicom_decode, dicom_header
from busight.data.readers.dicom import is_dicom, read_dicom
from busight.errors import ImageError


def grey(path: Path, index: int = 0) -> np.ndarray:
    frame = read_dicom(path).ultrasound(index)
    assert frame.dtype == np.uint8
    return frame.astype(int)


def test_frames_one_by_one(tmp_path: Path) -> None:
    cine = np.stack([RAMP, 255 - RAMP, RAMP // 2])
    frames = read_dicom(write_dicom(tmp_path / "a.dcm", cine))
    assert frames.n_frames == 3
    for index in (2, 0, 1):
        np.testing.assert_array_equal(frames.ultrasound(index), cine[index])
    for index in (-1, 3):
        with pytest.raises(ImageError, match=f"no frame {index}, it holds 3"):
            frames.ultrasound(index)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_uncompressed_and_deflated_syntaxes(tmp_path: Path, syntax: str) -> None:
    cine = np.stack([RAMP, 255 - RAMP])
    np.testing.assert_array_equal(grey(write_dicom(tmp_path / "a.dcm", cine, syntax=syntax), 1), cine[1])


@pytest.mark.parametrize("name", ["RLELossless", "JPEGLosslessProcess14_1", "JPEGLSLossless", "JPEG2000Lossless"])
@pytest.mark.parametrize("photometric", ["MONOCHROME2", "RGB"])
def test_lossless_compression_gives_the_same_pixels(tmp_path: Path, name: str, photometric: str) -> None:
    cine = np.stack([RAMP, 255 - RAMP] if photometric == "MONOCHROME2" else [RGB, RGB[::-1]])
    plain = write_dicom(tmp_path / "a.dcm", cine, photometric)
    packed = recompress(plain, tmp_path / "b.dcm", getattr(gdcm.TransferSyntax, name))
    assert dcmread(packed, stop_before_pixels=True).file_meta.TransferSyntaxUID.is_compressed
    for index in (0, 1):
        np.testing.assert_array_equal(grey(packed, index), grey(plain, index))


@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_jpeg_baseline_colour(tmp_path: Path, subsampling: int) -> None:
    stream = as_stream(RGB, "JPEG", quality=100, subsampling=subsampling)
    path = write_dicom(tmp_path / "a.dcm", RGB[None], "YBR_FULL_422", JPEGBaseline8Bit, [stream])
    assert np.abs(grey(path) - luma(RGB)).max() <= 2


def test_jpeg_baseline_grey_agrees_with_pillow(tmp_path: Path) -> None:
    stream = as_stream(RAMP, "JPEG", quality=60)
    (tmp_path / "a.jpg").write_bytes(stream)
    path = write_dicom(tmp_path / "a.dcm", RAMP[None], syntax=JPEGBaseline8Bit, streams=[stream])
    with Pillow.open(tmp_path / "a.jpg") as reference:
        np.testing.assert_array_equal(grey(path), np.asarray(reference))


@pytest.mark.parametrize("name", ["JPEGLosslessProcess14_1", "JPEGLSLossless", "JPEG2000Lossless", "baseline"])
def test_a_stream_that_ends_early_is_refused(tmp_path: Path, name: str) -> None:
    image = np.random.default_rng(0).normal(90, 25, (96, 128)).clip(10, 240).astype(np.uint8)
    if name == "baseline":
        path = write_dicom(tmp_path / "a.dcm", image[None], syntax=JPEGBaseline8Bit, streams=[as_stream(image, "JPEG")])
    else:
        path = recompress(
            write_dicom(tmp_path / "p.dcm", image[None]), tmp_path / "a.dcm", getattr(gdcm.TransferSyntax, name)
        )
    dataset = dcmread(path)
    (stream,) = generate_frames(dataset.PixelData, number_of_frames=1)
    for part in (
        stream[: len(stream) // 2] + b"\xff\xd9",
        stream[: len(stream) // 2] + stream[len(stream) // 2 + 500 :],
    ):
        dataset.PixelData = encapsulate([part])
        with pytest.raises(ImageError, match="truncated or damaged DICOM"):
            read_dicom(dataset).decode(0)


def test_jpeg_2000_lossy_and_lossless_colour(tmp_path: Path) -> None:
    for photometric, syntax, irreversible in [("YBR_ICT", JPEG2000, True), ("YBR_RCT", JPEG2000Lossless, False)]:
        stream = as_stream(RGB, "JPEG2000", no_jp2=True, mct=1, irreversible=irreversible)
        path = write_dicom(tmp_path / "a.dcm", RGB[None], photometric, syntax, [stream])
        assert np.abs(grey(path) - luma(RGB)).max() <= 1 + irreversible


def test_planar_configuration(tmp_path: Path) -> None:
    planes = np.moveaxis(RGB, -1, 0).reshape(RGB.shape)
    path = write_dicom(tmp_path / "a.dcm", planes[None], "RGB", PlanarConfiguration=1)
    assert np.abs(grey(path) - luma(RGB)).max() <= 1


def test_ybr_full_by_hand(tmp_path: Path) -> None:
    """PS3.3 C.7.6.3.1.2: red has Y = 76, CB = 85, CR = 255; CB = CR = 128 is neutral and gives exactly Y."""
    ybr = np.full((16, 16, 3), 128, np.uint8)
    ybr[:, :, 0] = np.arange(256).reshape(16, 16)
    np.testing.assert_array_equal(grey(write_dicom(tmp_path / "a.dcm", ybr[None], "YBR_FULL")), ybr[..., 0])
    ybr[:] = 76, 85, 255
    assert np.abs(grey(write_dicom(tmp_path / "a.dcm", ybr[None], "YBR_FULL")) - 76).max() <= 1


def test_ybr_full_422_stores_two_bytes_a_pixel(tmp_path: Path) -> None:
    packed = np.full((32, 20, 4), 128, np.uint8)  # Y1 Y2 CB CR for each pair of pixels
    packed[..., 0], packed[..., 1] = RAMP[:, ::2], RAMP[:, 1::2]
    path = write_dicom(tmp_path / "a.dcm", RGB[None], "YBR_FULL_422", PixelData=packed.tobytes())
    np.testing.assert_array_equal(grey(path), RAMP)


def test_identity_of_the_object(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "a.dcm", RAMP[None], PatientID="P-17 ", StudyInstanceUID="1.2.3",
        ImageLaterality="R", ManufacturerModelName="LOGIQ E9",
    )  # fmt: skip
    frames = read_dicom(path)
    assert frames.patient_id == hashlib.sha256(b"P-17").hexdigest()[:16]
    assert frames.exam_id == hashlib.sha256(b"1.2.3").hexdigest()[:16]
    assert (frames.laterality, frames.device) == ("right", "LOGIQ E9")
    assert frames.SOPInstanceUID == str(dcmread(path).SOPInstanceUID)
    blank = read_dicom(write_dicom(tmp_path / "b.dcm", RAMP[None], PatientID="", Laterality="B"))
    assert (blank.patient_id, blank.exam_id, blank.laterality, blank.device) == (None, None, None, None)
    assert "P-17" not in repr(frames)
    for word in ("UNKNOWN", "Anonymous", "NaN"):
        assert read_dicom(write_dicom(tmp_path / "c.dcm", RAMP[None], PatientID=word)).patient_id is None


def test_is_dicom(tmp_path: Path) -> None:
    plain = write_dicom(tmp_path / "IM_0001", RAMP[None])
    (tmp_path / "a.txt").write_text("DICM")
    assert is_dicom(plain)
    assert is_dicom(tmp_path / "missing.DCM")
    assert not is_dicom(tmp_path / "a.txt")
    assert not is_dicom(tmp_path)
    assert not is_dicom(tmp_path / "missing")
    assert is_dicom(plain.read_bytes())
    assert not is_dicom(b"DICM")


def test_objects_that_are_no_picture(tmp_path: Path) -> None:
    report = dcmread(write_dicom(tmp_path / "a.dcm", RAMP[None]))
    for keyword in ("Rows", "Columns", "PixelData", "PhotometricInterpretation"):
        delattr(report, keyword)
    report.save_as(tmp_path / "report.dcm")
    without = dcmread(tmp_path / "a.dcm")
    del without.PixelData
    without.save_as(tmp_path / "without.dcm")
    for name in ("report.dcm", "without.dcm"):
        with pytest.raises(ImageError, match="DICOM without pixels"):
            read_dicom(tmp_path / name)
    (tmp_path / "text.dcm").write_text("a text that is called DICOM " * 20)
    with pytest.raises(ImageError, match="not a DICOM file"):
        read_dicom(tmp_path / "text.dcm")


@pytest.mark.parametrize(("keyword", "dtype"), [("FloatPixelData", "f4"), ("DoubleFloatPixelData", "f8")])
def test_floating_point_pixels_are_called_so(tmp_path: Path, keyword: str, dtype: str) -> None:
    floats = dcmread(write_dicom(tmp_path / "a.dcm", RAMP[None]))
    del floats.PixelData
    setattr(floats, keyword, RAMP.astype(dtype).tobytes())
    floats.save_as(tmp_path / "floats.dcm")
    for source in (tmp_path / "floats.dcm", floats):
        with pytest.raises(ImageError, match=rf"floating-point numbers \({keyword}, .*; export the image that"):
            read_dicom(source)


def test_sequences_nested_too_deeply_are_called_so(tmp_path: Path) -> None:
    content = write_dicom(tmp_path / "a.dcm", RAMP[None]).read_bytes()
    place = content.index(b"\x28\x00\x02\x00US")  # SamplesPerPixel
    begin = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    with pytest.raises(ImageError, match="its sequences are nested too deeply to be read; export it without private"):
        read_dicom(content[:place] + begin * 5000 + end * 5000 + content[place:])


@pytest.mark.parametrize(
    ("elements", "rule"),
    [
        ({"Rows": 60000, "Columns": 60000}, "60000×60000 pixels, at most 16777216"),
        ({"Rows": 8}, "40×8 pixels, needs at least 16 a side"),
        ({"NumberOfFrames": 2_000_000_000}, "2000000000 frames, at most 10000 are read"),
        ({"NumberOfFrames": 2}, "truncated, 2 frame.s. need 2560 bytes"),
        ({"BitsAllocated": 32, "BitsStored": 32, "HighBit": 31}, "32 of 32 bits stored, 1 to 16 are read"),
        ({"PhotometricInterpretation": "HSV"}, "photometric interpretation 'HSV' is not read"),
        ({"SamplesPerPixel": 0, "BitsStored": 9}, "9 of 8 bits stored"),
    ],
)
def test_headers_that_promise_too_much(tmp_path: Path, elements: dict[str, object], rule: str) -> None:
    with pytest.raises(ImageError, match=rule):
        read_dicom(write_dicom(tmp_path / "a.dcm", RAMP[None], **elements))


@pytest.mark.parametrize(
    ("syntax", "stream", "rule"),
    [
        (HTJ2K, b"\0" * 64, r"no stream of a transfer syntax that is read \(stated is .High-Throughput"),
        (JPEGBaseline8Bit, b"\0" * 64, r"no stream .* \(stated is 'JPEG Baseline"),
    ],
)
def test_a_stream_without_decoder(tmp_path: Path, syntax: str, stream: bytes, rule: str) -> None:
    path = write_dicom(tmp_path / "a.dcm", RGB[None], "RGB", syntax, [stream])
    with pytest.raises(ImageError, match=rule + r".*; export it uncompressed"):
        read_dicom(path)


def test_lossless_streams_need_gdcm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = write_dicom(tmp_path / "a.dcm", RAMP[None])
    packed = recompress(plain, tmp_path / "b.dcm", gdcm.TransferSyntax.JPEGLSLossless)
    monkeypatch.setattr(dicom_decode, "find_spec", lambda name: None)
    with pytest.raises(ImageError, match=r'jpeg-ls is not decoded without GDCM; .* pip install "busight\[dicom\]"'):
        read_dicom(packed)


def test_a_stream_larger_than_its_header_is_not_decoded(tmp_path: Path) -> None:
    stream = bytearray(as_stream(RAMP, "JPEG"))
    place = stream.index(b"\xff\xc0") + 5
    stream[place : place + 4] = (10000).to_bytes(2, "big") * 2
    path = write_dicom(tmp_path / "a.dcm", RAMP[None], syntax=JPEGBaseline8Bit, streams=[bytes(stream)])
    with pytest.raises(ImageError, match=r"its compressed frame is 10000×10000 pixels of 1 sample.*says 40×32 of 1"):
        read_dicom(path).ultrasound(0)


def test_a_deflated_bomb_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_dicom(tmp_path / "a.dcm", np.zeros((1, 2000, 2000), np.uint8), syntax=DeflatedExplicitVRLittleEndian)
    assert path.stat().st_size < 10_000
    assert read_dicom(path).ultrasound(0).shape == (2000, 2000)
    monkeypatch.setattr(dicom_header, "MAX_INFLATED_BYTES", 3_000_000)
    with pytest.raises(ImageError, match="inflates to more than 3000000 bytes"):
        read_dicom(path)


def test_a_header_without_end_is_refused(tmp_path: Path) -> None:
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + b"\x08\x00\x00\x01SH\x02\x00AB" + b"\xfe\xff\x0d\xe0\0\0\0\0"
    sequence = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + item * 200_000
    for number, content in enumerate((bytes(5_000_000), sequence)):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(bytes(128) + b"DICM" + content)
        with pytest.raises(ImageError, match="more than 4194304 bytes before its pixels; not a DICOM object"):
            read_dicom(path)


def test_a_large_private_element_is_skipped(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", np.full((1, 40, 32), 77, np.uint8))
    from pydicom import dcmread

    header = dcmread(path)
    header.private_block(0x0019, "RAW", create=True).add_new(1, "OB", bytes(6_000_000))
    header.save_as(path)
    assert (read_dicom(path).ultrasound(0) == 77).all()


@pytest.mark.parametrize("name", ["JPEGLosslessProcess14_1", "JPEGLSLossless"])
def test_a_stream_that_kills_gdcm_is_one_line(tmp_path: Path, name: str) -> None:
    """Both changes end a process that decodes with GDCM 3.2.6 by abort()."""
    plain = write_dicom(tmp_path / "a.dcm", RAMP[None])
    packed = recompress(plain, tmp_path / "b.dcm", getattr(gdcm.TransferSyntax, name))
    content = bytearray(packed.read_bytes())
    start = content.rindex(b"\xff\xd8\xff")
    for place, value in [(15, 23), (36, 169)] if name.startswith("JPEGLoss") else [(6, 184), (32, 3)]:
        content[start + place] = value
    packed.write_bytes(content)
    with pytest.raises(ImageError, match=r"truncated or damaged DICOM \(RuntimeError\)"):
        read_dicom(packed).ultrasound(0)


def test_a_decoder_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = write_dicom(tmp_path / "a.dcm", RAMP[None])
    packed = recompress(plain, tmp_path / "b.dcm", gdcm.TransferSyntax.JPEGLSLossless)
    monkeypatch.setattr(decoder_process, "_SECONDS", 0.001)
    with pytest.raises(ImageError, match="RuntimeError"):
        read_dicom(packed).ultrasound(0)


def test_one_process_decodes_all_frames_of_an_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second frame ends the process; the third is decoded by a new one, and it ends with the object."""
    cine = np.stack([np.roll(RAMP, 5 * number, axis=1) for number in range(5)])
    packed = recompress(write_dicom(tmp_path / "a.dcm", cine), tmp_path / "b.dcm", gdcm.TransferSyntax.JPEGLSLossless)
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def spy(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        started.append(popen(command, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", spy)
    frames = read_dicom(packed)
    for index in (0, 1, 2, 3, 4, 0):
        np.testing.assert_array_equal(frames.decode(index).pixels, cine[index])
    assert len(started) == 1
    content = bytearray(packed.read_bytes())
    start = [place for place in range(len(content)) if content[place : place + 3] == b"\xff\xd8\xff"][1]
    content[start + 6], content[start + 32] = 184, 3
    frames = read_dicom(bytes(content))
    np.testing.assert_array_equal(frames.decode(0).pixels, cine[0])
    with pytest.raises(ImageError):
        frames.decode(1)
    np.testing.assert_array_equal(frames.decode(2).pixels, cine[2])
    del frames
    gc.collect()
    assert all(process.poll() is not None for process in started)


def test_nothing_of_the_patient_leaks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A value that pydicom cannot convert and quotes, where it is ignored and where it costs the image."""
    caplog.set_level(logging.DEBUG)
    path = write_dicom(tmp_path / "a.dcm", RAMP[None], PatientName="Meier^Anna", PatientID="P-17", WindowWidth="99")
    content = path.read_bytes()
    odd = content.replace(b"(\x00\x08\x00IS\x02\x001 ", b"(\x00\x08\x00IS\x02\x00xA")
    odd = odd.replace(b"(\x00Q\x10DS\x02\x0099", b"(\x00Q\x10DS\x02\x00xA")
    frame = read_dicom(odd).decode(0)
    np.testing.assert_array_equal(frame.pixels, RAMP)
    assert set(frame.warnings) == {
        "NumberOfFrames is no number and was ignored",
        "WindowWidth is no number and was ignored",
    }
    odd = content.replace(b"(\x00\x10\x00US\x02\x00\x20\x00", b"(\x00\x10\x00IS\x02\x00xA")
    with pytest.raises(ImageError, match="Rows is no number, and pixels cannot be read without it") as caught:
        read_dicom(odd)
    assert caught.value.__cause__ is None
    heard = caplog.text + "".join(capfd.readouterr()) + str(caught.value) + str(frame.warnings)
    assert not any(word in heard for word in ("Meier", "P-17", "xA"))


WHOLE: list[bytes] = []


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_objects_are_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a.dcm"
    if not WHOLE:
        small = RGB[:16, :16]
        WHOLE.append(write_dicom(path, small[None], "RGB").read_bytes())
        WHOLE.append(recompress(path, tmp_path / "b.dcm", gdcm.TransferSyntax.RLELossless).read_bytes())
        stream = as_stream(small, "JPEG2000", no_jp2=True, mct=1)
        WHOLE.append(write_dicom(path, small[None], "YBR_RCT", JPEG2000Lossless, [stream]).read_bytes())
    content = bytearray(data.draw(st.sampled_from(WHOLE)))
    for place in data.draw(st.lists(st.integers(128, len(content) - 1), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    for source in (path, path.read_bytes()):
        refusal, frame = "", RAMP
        try:
            frame = read_dicom(source, "a.dcm").ultrasound(0)
        except ImageError as error:
            refusal = str(error)
        assert "\n" not in refusal
        assert refusal == "" or refusal.startswith("a.dcm: ")
        assert frame.dtype == np.uint8
        assert frame.ndim == 2


def in_memory(path: Path) -> list[bytes | Dataset]:
    return [path.read_bytes(), dcmread(path)]


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_bytes_and_data_sets_are_read_like_the_file(tmp_path: Path, syntax: str) -> None:
    cine = np.stack([RGB, RGB[::-1]])
    path = write_dicom(tmp_path / "a.dcm", cine, "RGB", syntax=syntax, SequenceOfUltrasoundRegions=[region()])
    for source in in_memory(path):
        frames = read_dicom(source)
        assert frames.n_frames == 2
        for index in (1, 0):
            pixels, white_level, _ = frames.decode(index)
            np.testing.assert_array_equal(pixels, cine[index, 2:22, 4:34])
            assert white_level is None


@pytest.mark.parametrize("name", ["RLELossless", "JPEGLosslessProcess14_1", "JPEGLSLossless", "JPEG2000Lossless"])
@pytest.mark.parametrize("photometric", ["MONOCHROME2", "RGB"])
def test_compressed_bytes_and_data_sets(tmp_path: Path, name: str, photometric: str) -> None:
    cine = np.stack([RAMP, 255 - RAMP] if photometric == "MONOCHROME2" else [RGB, RGB[::-1]])
    packed = recompress(
        write_dicom(tmp_path / "a.dcm", cine, photometric), tmp_path / "b.dcm", getattr(gdcm.TransferSyntax, name)
    )
    for source in in_memory(packed):
        frames = read_dicom(source)
        for index in (1, 0):
            np.testing.assert_array_equal(frames.decode(index).pixels, cine[index])


def test_a_data_set_is_not_changed_and_nothing_of_the_patient_leaves_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = write_dicom(tmp_path / "a.dcm", RGB[None], "RGB", PatientName="Meier^Anna", PatientID="P-17")
    dataset = dcmread(recompress(plain, tmp_path / "b.dcm", gdcm.TransferSyntax.JPEGLSLossless))
    before = copy.deepcopy(dataset)
    sent: list[bytes] = []
    decode = decoder_process.DecoderProcess.decode

    def spy(self: decoder_process.DecoderProcess, content: bytes) -> np.ndarray:
        sent.append(content)
        return decode(self, content)

    monkeypatch.setattr(decoder_process.DecoderProcess, "decode", spy)
    np.testing.assert_array_equal(read_dicom(dataset).decode(0).pixels, RGB)
    assert dataset == before
    assert len(sent) == 1
    assert not any(word in sent[0] for word in (b"Meier", b"P-17", dataset.SOPInstanceUID.encode()))


def test_a_stream_that_kills_gdcm_is_one_line_for_bytes_too(tmp_path: Path) -> None:
    packed = recompress(
        write_dicom(tmp_path / "a.dcm", RAMP[None]), tmp_path / "b.dcm", gdcm.TransferSyntax.JPEGLSLossless
    )
    content = bytearray(packed.read_bytes())
    start = content.rindex(b"\xff\xd8\xff")
    content[start + 6], content[start + 32] = 184, 3
    for source in (bytes(content), dcmread(io.BytesIO(content))):
        with pytest.raises(ImageError, match=r"^upload: truncated or damaged DICOM \(RuntimeError\)"):
            read_dicom(source, "upload").decode(0)


def test_a_data_set_made_by_hand() -> None:
    dataset = Dataset()
    dataset.Rows, dataset.Columns = RAMP.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelData = RAMP.tobytes()
    with pytest.raises(ImageError, match=r"^image: states no Transfer Syntax UID"):
        read_dicom(dataset)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    np.testing.assert_array_equal(read_dicom(dataset).decode(0).pixels, RAMP)
    del dataset.BitsAllocated
    with pytest.raises(ImageError, match=r"^C-STORE 3: has pixels but no BitsAllocated to read them by"):
        read_dicom(dataset, "C-STORE 3")
    del dataset.PixelData
    with pytest.raises(ImageError, match="DICOM without pixels"):
        read_dicom(dataset)


def test_unique_identifiers_of_the_object(tmp_path: Path) -> None:
    """What is no unique identifier may be free text about the patient and is left out."""
    path = write_dicom(tmp_path / "a.dcm", RAMP[None], StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.3.4")
    frames = read_dicom(path)
    assert (frames.StudyInstanceUID, frames.SeriesInstanceUID) == ("1.2.3", "1.2.3.4")
    content = path.read_bytes().replace(b"1.2.3.4\0", b"Meier 47").replace(b"1.2.3\0", b" =1+2 ")
    odd = read_dicom(content)
    assert (odd.StudyInstanceUID, odd.SeriesInstanceUID) == (None, None)
    assert odd.SOPInstanceUID == frames.SOPInstanceUID
