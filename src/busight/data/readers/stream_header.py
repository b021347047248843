"""Headers of JPEG, JPEG-LS and JPEG 2000 streams: what a stream itself says about its size, depth and colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColourSpace = Literal["RGB", "YBR"]
"""RGB, or luminance and two colour differences (YCbCr, which DICOM calls YBR)."""

_RGB_IDS = ((82, 71, 66), (114, 103, 98))
"""Component identifiers "RGB" and "rgb" in ASCII, as libjpeg reads and writes them."""

_STANDALONE = (*range(0xD0, 0xD9), 0x01)
"""Second bytes of JPEG markers without a length (ISO/IEC 10918-1, table B.1)."""

_SOF_LOSSLESS, _SOF_JPEG_LS = 0xC3, 0xF7
_NO_SOF = (0xC4, 0xC8, 0xCC)
_APP0, _APP14, _SOS, _EOI = 0xE0, 0xEE, 0xDA, 0xD9
_SOT = 0x90


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """The header of one compressed frame.

    Attributes:
        codec: The family of decoders that reads it.
        height: Rows.
        width: Columns.
        samples: Components a pixel.
        precision: Bits a sample.
        colour_space: What the stream's own markers say; None where they say nothing.
        marker: The marker that says so, for messages.
        has_colour_transform: JPEG 2000 alone: the stream was transformed to colour differences, and its decoder undoes
            that.
        is_signed: Whether its values are signed; None for lossless JPEG and JPEG-LS, which compress the bits of either.
    """

    codec: Literal["jpeg", "jpeg-lossless", "jpeg-ls", "jpeg-2000"]
    height: int
    width: int
    samples: int
    precision: int
    colour_space: ColourSpace | None = None
    marker: str = ""
    has_colour_transform: bool = False
    is_signed: bool | None = None


def stream_header(stream: bytes) -> StreamHeader | None:
    """Return the header of a stream; None where it is neither JPEG, JPEG-LS nor JPEG 2000, or is damaged.

    Source:
        ISO/IEC 10918-1 annex B (markers), 10918-5 (JFIF), 10918-6 section 6.5.3 (Adobe's APP14), 14495-1 annex C
        (JPEG-LS), 15444-1 annex A (SIZ, COD).
    """
    try:
        if stream[:2] == b"\xff\xd8":
            return _jpeg(stream)
        return _jpeg_2000(codestream(stream))
    except (IndexError, ValueError):
        return None


def codestream(stream: bytes) -> bytes:
    """Return the JPEG 2000 code stream, taken out of its JP2 boxes where it has them."""
    place = 0
    while stream[4:8] == b"jP  " and place + 8 <= len(stream):
        length = int.from_bytes(stream[place : place + 4], "big")
        if stream[place + 4 : place + 8] == b"jp2c":
            return stream[place + (16 if length == 1 else 8) :]
        if length < 8:
            break
        place += length
    return stream


def tile_counts(stream: bytes) -> tuple[int, int]:
    """Return how many tiles a JPEG 2000 code stream states by its size, and how many have data.

    Raises:
        ValueError: It is none, or is damaged.

    Source:
        ISO/IEC 15444-1, sections A.4.2 (SOT) and A.5.1 (SIZ).
    """
    if stream[:4] != b"\xff\x4f\xff\x51" or len(stream) < 42:
        raise ValueError("no JPEG 2000")
    right, bottom, _, _, width, height, left, top = (
        int.from_bytes(stream[8 + 4 * n : 12 + 4 * n], "big") for n in range(8)
    )
    if not (width and height):
        raise ValueError("its tiles have no size")
    stated = -(-(right - left) // width) * -(-(bottom - top) // height)
    place, found = 2, set()
    while stream[place : place + 1] == b"\xff" and stream[place + 1] != _EOI:
        length = int.from_bytes(stream[place + 2 : place + 4], "big")
        if stream[place + 1] == _SOT:
            found.add(stream[place + 4 : place + 6])
            # 0 stands for the last part, up to the end.
            length = (int.from_bytes(stream[place + 6 : place + 10], "big") or len(stream)) - 2
        if length < 2:
            raise ValueError("no marker")
        place += 2 + length
    return stated, len(found)


def _jpeg(stream: bytes) -> StreamHeader:
    place, marker = 2, ""
    space: ColourSpace | None = None
    while True:
        if stream[place] != 0xFF:
            raise ValueError("no marker")
        code = stream[place + 1]
        if code == 0xFF:  # fill bytes may precede a marker
            place += 1
            continue
        if code in _STANDALONE:
            place += 2
            continue
        if code in (_SOS, _EOI):
            raise ValueError("no frame header")
        length = int.from_bytes(stream[place + 2 : place + 4], "big")
        segment = stream[place + 4 : place + 2 + length]
        if (0xC0 <= code <= 0xCF and code not in _NO_SOF) or code == _SOF_JPEG_LS:
            return _frame_header(code, segment, space, marker)
        if code == _APP14 and segment[:5] == b"Adobe" and len(segment) >= 12:
            space, marker = ("RGB" if segment[11] == 0 else "YBR"), "Adobe marker"
        elif code == _APP0 and segment[:4] == b"JFIF" and not marker:
            space, marker = "YBR", "JFIF marker"
        if length < 2:
            raise ValueError("no segment")
        place += 2 + length


def _frame_header(code: int, segment: bytes, space: ColourSpace | None, marker: str) -> StreamHeader:
    samples = segment[5]
    components = [segment[6 + 3 * number : 9 + 3 * number] for number in range(samples)]
    ids = tuple(component[0] for component in components)
    sampling = [component[1] for component in components]
    if samples != 3:
        space, marker = None, ""
    elif ids in _RGB_IDS:
        space, marker = "RGB", "component identifiers R, G, B"
    elif space is None and sampling[0] != sampling[1] == sampling[2]:
        space, marker = "YBR", "coarser second and third component"
    codec = {_SOF_LOSSLESS: "jpeg-lossless", _SOF_JPEG_LS: "jpeg-ls"}.get(code, "jpeg")
    return StreamHeader(
        codec=codec,  # type: ignore[arg-type]
        height=int.from_bytes(segment[1:3], "big"),
        width=int.from_bytes(segment[3:5], "big"),
        samples=samples,
        precision=segment[0],
        colour_space=space,
        marker=marker,
        is_signed=False if codec == "jpeg" else None,
    )


def _jpeg_2000(stream: bytes) -> StreamHeader:
    if stream[:4] != b"\xff\x4f\xff\x51":
        raise ValueError("no JPEG 2000")
    right, bottom, left, top = (int.from_bytes(stream[8 + 4 * n : 12 + 4 * n], "big") for n in range(4))
    samples = int.from_bytes(stream[40:42], "big")
    has_transform = False
    place = 4 + int.from_bytes(stream[4:6], "big")
    while stream[place + 1] != 0x90:  # up to the first tile
        length = int.from_bytes(stream[place + 2 : place + 4], "big")
        if stream[place] != 0xFF or length < 2:
            raise ValueError("no marker")
        if stream[place + 1] == 0x52:
            has_transform = stream[place + 8] == 1
        place += 2 + length
    return StreamHeader(
        codec="jpeg-2000",
        height=bottom - top,
        width=right - left,
        samples=samples,
        precision=(stream[42] & 0x7F) + 1,
        colour_space="RGB" if has_transform else None,
        marker="colour transform" if has_transform else "",
        has_colour_transform=has_transform,
        is_signed=stream[42] >= 0x80,
    )
