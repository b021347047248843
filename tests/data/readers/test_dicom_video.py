"""Clips in MPEG and HEVC: their frames by PyAV, else one line that names the extra."""

import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from dicom_files import write_dicom
from pydicom.encaps import encapsulate
from pydicom.uid import HEVCMP51, MPEG2MPML, MPEG4HP41

from busight.data.readers import dicom_pixels
from busight.data.readers.dicom import read_dicom
from busight.data.readers.inputs import read_frames
from busight.errors import ImageError
from busight.types import Failure, InputImage

needs_av = pytest.mark.skipif(find_spec("av") is None, reason="the extra video is not installed")

SMOOTH = (np.indices((96, 128)).sum(0) // 2 + 40).astype(np.uint8)
CLIP = np.stack([np.roll(SMOOTH, 12 * number, axis=1) for number in range(7)])


def encoded(codec: str, container: str, **options: str) -> bytes:
    import av

    content = io.BytesIO()
    with av.open(content, "w", format=container, options=options) as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.bit_rate = 4_000_000
        for frame in CLIP:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.stack([frame] * 3, axis=-1), format="rgb24")))
        output.mux(stream.encode(None))
    return content.getvalue()


@needs_av
@pytest.mark.parametrize(
    ("syntax", "codec", "container"),
    [
        (MPEG2MPML, "mpeg2video", "mpegts"),
        (MPEG4HP41, "libx264", "mp4"),
        (MPEG4HP41, "libx264", "h264"),
        (HEVCMP51, "libx265", "mpegts"),
    ],
)
@pytest.mark.parametrize("n_stated", [7, None])
def test_frames_of_a_clip(tmp_path: Path, syntax: str, codec: str, container: str, n_stated: int | None) -> None:
    """In order and out of order, from one fragment and from several."""
    stream = encoded(codec, container)
    for parts in ([stream], [stream[:1000], stream[1000:]]):
        path = write_dicom(
            tmp_path / "a.dcm", np.stack([CLIP] * 3, axis=-1), "YBR_PARTIAL_420", syntax, [stream],
            NumberOfFrames=n_stated, PixelData=encapsulate(parts, has_bot=False),
        )  # fmt: skip
        frames = read_dicom(path)
        assert frames.n_frames == 7
        for index in (0, 1, 2, 6, 3):
            shown = frames.ultrasound(index).astype(int)
            assert np.median(np.abs(shown - CLIP[index])) <= 3
            assert np.median(np.abs(shown - CLIP[(index + 1) % 7])) > 4


@needs_av
def test_a_clip_that_is_shorter_than_its_header_or_is_none(tmp_path: Path) -> None:
    cine = np.stack([CLIP] * 3, axis=-1)
    stream = encoded("libx264", "mp4")
    path = write_dicom(tmp_path / "a.dcm", cine, "YBR_PARTIAL_420", MPEG4HP41, [stream], NumberOfFrames=8)
    *images, failure = read_frames(path)
    assert (len(images), failure.ref.frame) == (7, 7)
    assert "frame 7 is missing, its video ends after 7 frames" in failure.reason
    path = write_dicom(tmp_path / "a.dcm", cine, "YBR_PARTIAL_420", MPEG4HP41, [stream], Rows=90)
    with pytest.raises(ImageError, match="its video is 128×96 pixels, its header says 128×90"):
        read_dicom(path)
    path = write_dicom(tmp_path / "a.dcm", cine, "YBR_PARTIAL_420", MPEG4HP41, [b"\0\0\0\x18ftypmp42" * 40])
    (failure,) = read_frames(path)
    assert isinstance(failure, Failure)
    assert "is a video (MPEG-4 AVC/H.264 High Profile / Level 4.1) that cannot be decoded" in failure.reason


def test_without_pyav_it_is_called_a_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_pixels, "find_spec", lambda name: None)
    cine = np.stack([CLIP] * 3, axis=-1)
    for syntax in (MPEG2MPML, MPEG4HP41, HEVCMP51):
        path = write_dicom(tmp_path / "a.dcm", cine, "YBR_PARTIAL_420", syntax, [b"\0" * 64])
        with pytest.raises(ImageError, match=r'is a video \(.*\), which PyAV .* pip install "busight\[video\]"'):
            read_dicom(path)


@needs_av
@pytest.mark.parametrize(
    ("syntax", "codec", "container"),
    [
        (MPEG2MPML, "mpeg2video", "mpegts"),
        (MPEG4HP41, "libx264", "mpegts"),
        (MPEG4HP41, "libx264", "h264"),
        (HEVCMP51, "libx265", "mpegts"),
    ],
)
@pytest.mark.parametrize("share", [0.3, 0.45, 0.6, 0.75, 0.9])
def test_a_truncated_clip_shows_its_whole_frames_alone(
    tmp_path: Path, syntax: str, codec: str, container: str, share: float
) -> None:
    cine, stream = np.stack([CLIP] * 3, axis=-1), encoded(codec, container)
    path = write_dicom(
        tmp_path / "a.dcm", cine, "YBR_PARTIAL_420", syntax, [stream[: int(len(stream) * share)]], NumberOfFrames=7
    )
    results = list(read_frames(path))
    assert any(isinstance(result, Failure) for result in results)
    assert_right_or_refused(results)


@needs_av
@pytest.mark.parametrize(("container", "share"), [("hevc", 0.97), ("matroska", 0.95), ("mp4", 0.85), ("mp4", 0.95)])
def test_a_clip_of_fewer_frames_than_stated_is_cut(tmp_path: Path, container: str, share: float) -> None:
    """HEVC of which no slice shows the cut; an MP4 among its fragments, as that of one part cannot be opened."""
    options = {"movflags": "frag_every_frame+empty_moov+default_base_moof"} if container == "mp4" else {}
    cine, stream = np.stack([CLIP] * 3, axis=-1), encoded("libx265", container, **options)
    cut = [stream[: int(len(stream) * share)]]
    results = list(read_frames(write_dicom(tmp_path / "a.dcm", cine, "YBR_PARTIAL_420", HEVCMP51, cut)))
    assert [result.ref.frame for result in results] == list(range(7))
    assert_right_or_refused(results)
    assert not isinstance(results[0], Failure)
    assert isinstance(results[-1], Failure)


def assert_right_or_refused(results: list[InputImage | Failure]) -> None:
    for result in results:
        if not isinstance(result, Failure):
            difference = np.abs(result.pixels.astype(int) - CLIP[result.ref.frame or 0])
            assert np.median(difference) <= 3
            assert np.percentile(difference, 99) <= 40


@needs_av
def test_a_truncated_file_tells_that_its_clip_is_cut_without_a_number_of_frames(tmp_path: Path) -> None:
    cine, stream = np.stack([CLIP] * 3, axis=-1), encoded("libx265", "hevc")
    path = write_dicom(tmp_path / "a.dcm", cine, "YBR_PARTIAL_420", HEVCMP51, [stream], NumberOfFrames=None)
    content = path.read_bytes()[: -len(stream) // 30]
    assert any(text.endswith("bytes of its pixels are missing") for text in read_dicom(content).warnings)
    results = list(read_frames(content))
    assert_right_or_refused(results)
    assert isinstance(results[-1], Failure)
