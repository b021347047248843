"""The stored pixels of a DICOM object: where its frames are, how they are stored, and their values on request."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from busight.data.readers.decoder_process import DecoderProcess
from busight.data.readers.dicom_bits import aligned, holds_overlay
from busight.data.readers.dicom_colour import rgb_of, same_share
from busight.data.readers.dicom_decode import compressed_values, has_decoder, native_values
from busight.data.readers.dicom_elements import numbers
from busight.data.readers.dicom_format import COLOUR, PixelFormat, compressed_format, native_format, video_format
from busight.data.readers.dicom_frames import PixelBytes, compressed_frames, is_fragmented, native_frame
from busight.data.readers.dicom_header import MAX_FRAMES, DicomContent
from busight.data.readers.source import MAX_FILE_BYTES
from busight.data.readers.stream_header import ColourSpace, StreamHeader, stream_header
from busight.errors import ImageError

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

_RLE = "1.2.840.10008.1.2.5"
_VIDEO = "1.2.840.10008.1.2.4.10"
"""What the transfer syntaxes of MPEG-2, MPEG-4 and HEVC (….100 to ….108, also fragmentable) begin with."""


_MOST = 0.5
"""Share of exactly grey pixels from which a layout of planes is that of an ultrasound image."""


class StoredFrame(NamedTuple):
    """Values of one frame, HW or RGB HWC, and the warnings about how they were read."""

    values: NDArray[Any]
    warnings: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class StoredPixels:
    """The frames of one object.

    Attributes:
        name: The object's name in messages.
        form: How its pixels are stored.
        n_frames: Frames in it.
    """

    name: str
    form: PixelFormat
    n_frames: int
    _pixels: PixelBytes
    _little_endian: bool = True
    _has_overlay_bits: bool = False
    _fragments: list[list[tuple[int, int]]] | None = None
    _is_video: bool = False
    _n_stated: int | None = None
    _is_cut: bool = False
    _next_video_frame: int | None = None
    _apart: DecoderProcess = field(default_factory=DecoderProcess)

    def frame(self, index: int) -> StoredFrame:
        """Return the values of a frame, of colour RGB, right-aligned by HighBit.

        Raises:
            ImageError: The frame is missing, or its pixels cannot be read safely.
            RuntimeError: The frame is damaged. Decoders raise many other types as well.
        """
        if self._is_video:
            return StoredFrame(self._video_frame(index))
        if self._fragments is None:
            content = native_frame(self._pixels, index, self.form.frame_bits)
            return self._native_frame(content, index)
        if index >= len(self._fragments):
            raise ImageError(
                f"{self.name}: frame {index} is missing, its pixels hold {len(self._fragments)} of {self.n_frames} "
                "frames; copy or export it again"
            )
        stream = b"".join(self._pixels.read(*fragment) for fragment in self._fragments[index])
        header = stream_header(stream)
        if header is not None:
            self._check_stream(header)
        values = compressed_values(stream, header, self.form, self._apart)
        return self._as_rgb(values, header)

    def _native_frame(self, content: bytes, index: int) -> StoredFrame:
        """Return an uncompressed frame, of colour by the layout in which it is grey, else the stated one."""
        values = native_values(content, self.form, index, self._little_endian)
        if self.form.samples == 1 or self.form.is_subsampled or (share := same_share(values)) >= _MOST:
            return self._as_rgb(values)
        other = native_values(content, replace(self.form, by_plane=not self.form.by_plane), index, self._little_endian)
        if (other_share := same_share(other)) < _MOST or share > other_share / 2:
            return self._as_rgb(values)
        frame, layout = self._as_rgb(other), "by pixel" if self.form.by_plane else "by plane"
        told = f"PlanarConfiguration is wrong, read {layout}: its pixels are grey only so"
        return StoredFrame(frame.values, (told, *frame.warnings))

    def _check_stream(self, header: StreamHeader) -> None:
        stated = (self.form.columns, self.form.rows, self.form.samples)
        held = (header.width, header.height, header.samples)
        if held != stated:
            raise ImageError(
                f"{self.name}: its compressed frame is {held[0]}×{held[1]} pixels of {held[2]} sample(s), its header "
                f"says {stated[0]}×{stated[1]} of {stated[2]}; export it again"
            )

    def _as_rgb(self, values: NDArray[Any], header: StreamHeader | None = None) -> StoredFrame:
        values, warnings = aligned(values, self.form, self._has_overlay_bits, self.name)
        if values.ndim == 2:
            return StoredFrame(values, warnings)
        marked, marker = (None, "") if header is None else (header.colour_space, header.marker)
        label = self.form.photometric
        # A label that is wrong about the layout of native pixels says nothing of their colour.
        is_misfit = self._fragments is None and label == "YBR_FULL_422" and not self.form.is_subsampled
        labelled = None if is_misfit else _labelled_space(label, header)
        rgb, more = rgb_of(values, label, labelled, self.name, marked, marker)
        return StoredFrame(rgb, warnings + more)

    def _video_frame(self, index: int) -> NDArray[Any]:
        if self._next_video_frame is None or index < self._next_video_frame:
            self._open_video()
        frame = None
        for place in range(self._next_video_frame or 0, index + 1):
            frame = self._apart.next_video_frame()
            if frame is None:
                self._next_video_frame = None
                raise ImageError(f"{self.name}: frame {index} is missing, its video ends after {place} frames")
        self._next_video_frame = index + 1
        if frame is not None and frame.size == 0:
            raise ImageError(
                f"{self.name}: frame {index} of its video is truncated or damaged; copy or export it again"
            )
        if frame is None or frame.shape[:2] != (self.form.rows, self.form.columns):
            size = "empty" if frame is None else f"{frame.shape[1]}×{frame.shape[0]} pixels"
            stated = f"{self.form.columns}×{self.form.rows}"
            raise ImageError(f"{self.name}: its video is {size}, its header says {stated}; export it again")
        return frame

    def check_video(self, syntax: str) -> None:
        """Raise an ImageError for a video whose first frame cannot be decoded."""
        try:
            self._video_frame(0)
        except RuntimeError:
            raise ImageError(
                f"{self.name}: is a video ({syntax}) that cannot be decoded; export it again, or its frames as images"
            ) from None

    def n_video_frames(self) -> int:
        """Count the frames of a video by decoding them."""
        self._open_video()
        n_frames = 0
        while n_frames <= MAX_FRAMES and self._apart.next_video_frame() is not None:
            n_frames += 1
        self._next_video_frame = None
        return n_frames

    def _open_video(self) -> None:
        fragments = [] if self._fragments is None else self._fragments[0]
        content = b"".join(self._pixels.read(*fragment) for fragment in fragments)
        self._apart.open_video(content, MAX_FRAMES if self._is_cut else self._n_stated or 0)
        self._next_video_frame = 0


def open_pixels(name: str, content: DicomContent, warnings: list[str]) -> StoredPixels:
    """Find the frames of an object and how they are stored; no pixel is decoded yet.

    Args:
        name: The object's name in messages.
        content: The object.
        warnings: What was assumed or ignored is added to it.

    Raises:
        ImageError: Pixels that are missing, of a kind that is not read, or too many; the message names the attribute.
    """
    header, pixels = content.header, content.pixels
    if pixels is None:
        raise ImageError(f"{name}: DICOM without pixels (a report, a PDF, a directory); leave it out")
    n_stated = _stated_frames(name, header, warnings)
    is_compressed = is_fragmented(pixels) and (
        pixels.is_encapsulated or content.syntax is None or content.syntax.is_compressed
    )
    if content.syntax is None and not is_compressed:
        raise ImageError(f"{name}: states no Transfer Syntax UID, so nobody knows how its pixels are stored; set it")
    if not is_compressed:
        return _native(name, content, pixels, n_stated, warnings)
    return _compressed(name, header, content.syntax, pixels, n_stated, warnings)


def _stated_frames(name: str, header: Dataset, warnings: list[str]) -> int | None:
    """Return NumberOfFrames; None where it is missing or no number of frames: the pixels then tell it."""
    stated = next(iter(numbers(header, "NumberOfFrames", warnings)), None)
    if stated is not None and not 1 <= stated < math.inf:
        warnings.append(f"NumberOfFrames is {stated:g} and was ignored")
        return None
    return None if stated is None else _checked_count(name, int(stated))


def _native(
    name: str, content: DicomContent, pixels: PixelBytes, n_stated: int | None, warnings: list[str]
) -> StoredPixels:
    syntax = content.syntax
    if syntax is None or syntax.is_compressed:
        raise ImageError(
            f"{name}: transfer syntax {'' if syntax is None else syntax.name!r:.60} is one of compressed pixels, but "
            "its pixels are not in fragments; export it again"
        )
    form = native_format(name, content.header, pixels.length, n_stated, warnings)
    n_held = pixels.length * 8 // form.frame_bits
    if n_stated is None and n_held > 1:
        warnings.append(f"no NumberOfFrames to go by, its pixels are those of {n_held} frames")
    elif n_stated is not None and n_held > n_stated:
        warnings.append(f"its pixels are those of {n_held} frames, of which NumberOfFrames names {n_stated}")
    n_spare = pixels.length - -(-n_held * form.frame_bits // 8)
    if n_spare > 1:  # one byte is padding to an even length
        warnings.append(f"its pixels end {n_spare} bytes behind the last frame, which were ignored")
    return StoredPixels(
        name,
        form,
        _checked_count(name, n_stated or n_held),
        pixels,
        syntax.is_little_endian,
        holds_overlay(content.header),
    )


def _compressed(
    name: str, header: Dataset, syntax: UID | None, pixels: PixelBytes, n_stated: int | None, warnings: list[str]
) -> StoredPixels:
    is_video = syntax is not None and syntax.startswith(_VIDEO)
    if syntax is not None and is_video and find_spec("av") is None:
        raise ImageError(
            f'{name}: is a video ({syntax.name}), which PyAV decodes; install it with: pip install "busight[video]"'
        )
    fragments, is_cut = compressed_frames(pixels, header, n_stated, is_video, warnings)
    if not fragments:
        raise ImageError(f"{name}: DICOM without pixels (a report, a PDF, a directory); leave it out")
    n_bytes = max(sum(min(size, pixels.length - offset) for offset, size in frame) for frame in fragments)
    if n_bytes > MAX_FILE_BYTES:
        raise ImageError(
            f"{name}: a compressed {'video' if is_video else 'frame'} of {n_bytes} bytes, at most {MAX_FILE_BYTES} are "
            "read; export a shorter or smaller one"
        )
    stream = None
    if not is_video:
        stream = stream_header(b"".join(pixels.read(*fragment) for fragment in fragments[0]))
        _check_decoder(name, syntax, stream)
    form = video_format(name, header, warnings) if is_video else compressed_format(name, header, stream, warnings)
    opened = StoredPixels(
        name,
        form,
        n_stated or len(fragments),
        pixels,
        _has_overlay_bits=holds_overlay(header),
        _fragments=fragments,
        _is_video=is_video,
        _n_stated=n_stated,
        _is_cut=is_cut,
    )
    if syntax is not None and is_video:
        opened.check_video(str(syntax.name))
        opened.n_frames = n_stated or opened.n_video_frames()
    if n_stated is None and opened.n_frames > 1:
        warnings.append(f"no NumberOfFrames to go by, its pixels are those of {opened.n_frames} frames")
    elif n_stated is not None and len(fragments) > n_stated:
        warnings.append(f"its pixels are those of {len(fragments)} frames, of which NumberOfFrames names {n_stated}")
    _checked_count(name, opened.n_frames)
    return opened


def _checked_count(name: str, n_frames: int) -> int:
    if n_frames > MAX_FRAMES:
        raise ImageError(f"{name}: {n_frames} frames, at most {MAX_FRAMES} are read; export a shorter cine")
    return n_frames


def _check_decoder(name: str, syntax: UID | None, stream: StreamHeader | None) -> None:
    """Raise for compressed pixels that cannot be decoded here."""
    if stream is None:
        if syntax != _RLE:
            stated = "none" if syntax is None else f"{syntax.name!r:.60}"
            raise ImageError(
                f"{name}: its pixels are no stream of a transfer syntax that is read (stated is {stated}); export it "
                "uncompressed"
            )
    elif not has_decoder(stream.codec):
        raise ImageError(
            f'{name}: {stream.codec} is not decoded without GDCM; install it with: pip install "busight[dicom]"'
        )


def _labelled_space(label: str | None, stream: StreamHeader | None) -> ColourSpace | None:
    """Return what PhotometricInterpretation says of the components that a frame's decoder gives."""
    if label in ("YBR_ICT", "YBR_RCT"):
        # Its decoder gives RGB where the stream has the transform of which the label speaks.
        return "RGB" if stream is not None and stream.has_colour_transform else None
    return None if label not in COLOUR else "RGB" if label == "RGB" else "YBR"
