"""Script that decodes DICOM frames and videos for ``decoder_process``, so that a crash of a decoder ends it alone.

It reads requests from stdin, a kind (one byte), the content's length (8 bytes, big-endian) and the content, and answers
each on stdout with a length and as many bytes: an .npy array, or none where there is no such frame. The content of a
video begins with the number of frames that it should have (8 bytes, big-endian).
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from typing import Any

FRAME, VIDEO, NEXT = b"F", b"V", b"N"
"""Kinds of a request: decode a DICOM object of one frame by GDCM, open a video, give its next frame."""

_TRANSPORT_PACKET = 188

MAX_MEMORY_BYTES = 800 * 1024**2
"""Memory of the process; what needs more is refused as damaged."""


def main() -> None:
    """Answer requests until stdin ends. No core file is left by a crash, because it would contain patient data."""
    import numpy as np

    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError, ValueError):  # a system that has a lower limit or none
            resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    video: Iterator[Any] = iter(())
    while kind := sys.stdin.buffer.read(1):
        content = sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(8), "big"))
        array = None
        if kind == FRAME:
            array = _decoded(content)
        elif kind == VIDEO:
            video = _video_frames(content[8:], int.from_bytes(content[:8], "big"))
        else:
            array = next(video, None)
        answer = io.BytesIO()
        if array is not None:
            np.save(answer, array, allow_pickle=False)
        sys.stdout.buffer.write(len(answer.getvalue()).to_bytes(8, "big") + answer.getvalue())
        sys.stdout.buffer.flush()


def _decoded(content: bytes) -> Any:
    from pydicom.pixels.utils import pixel_array

    return pixel_array(io.BytesIO(content), raw=True, decoding_plugin="gdcm")


def _video_frames(content: bytes, n_stated: int) -> Iterator[Any]:
    """Yield the frames of a video as uint8 RGB, HW3; an array without a pixel for a damaged one.

    FFmpeg fills what is missing with grey or older pixels. It marks such frames of H.264 and MPEG-2; of HEVC it tells
    some damage by an error, which may cost a frame, so that the number of those behind it is in doubt. Damage spreads
    to the frames behind it, up to the next that needs none before it. Of a video that is cut the decoder gives at its
    end what it still holds, and some frames between may be lost: their numbers are in doubt.
    """
    import av
    import numpy as np

    with av.open(io.BytesIO(content), "r") as container:
        stream = container.streams.video[0]
        is_hevc = stream.codec.name == "hevc"
        # Frame threads pass over errors; of HEVC only slice threads compare slices with their stated length.
        stream.thread_type, stream.codec_context.thread_count = "SLICE", 2 if is_hevc else 1
        stream.codec_context.options = {"err_detect": "explode"} if is_hevc else {}
        packets, is_cut = _packets(container, stream, n_stated)
        is_cut = is_cut or _is_cut_transport_stream(content)
        for number, packet in enumerate(packets):
            packet.pts = number  # a frame carries the number of its packet
        cut = len(packets) - 1 if is_hevc and is_cut else None
        is_broken = is_damaged = False
        for packet in (*packets, None):  # the last one asks for the frames that are left
            try:
                frames = stream.codec_context.decode(packet)
            except av.FFmpegError:
                frames, is_broken = [], True
            is_in_doubt = is_broken or (packet is None and is_cut)
            for frame in frames:
                is_damaged = (
                    frame.is_corrupt
                    or frame.pts == cut
                    or (is_in_doubt and frame.pts != 0)  # the first one has its number for certain
                    or (is_damaged and not frame.key_frame)
                )
                yield np.empty((0, 0, 3), np.uint8) if is_damaged else frame.to_ndarray(format="rgb24")


def _packets(container: Any, stream: Any, n_stated: int) -> tuple[list[Any], bool]:
    """Return the packets of a video, and whether it is cut: by its last packet, or by their number.

    Args:
        container: The video.
        stream: Its stream of frames.
        n_stated: Frames that it should have, where its container does not say it.
    """
    import av

    packets: list[Any] = []
    try:
        for packet in container.demux(stream):
            if packet.size:
                packets.append(packet)
    except av.FFmpegError:  # a fragment or a box that is not whole
        return packets, True
    is_cut = not packets or packets[-1].is_corrupt or len(packets) < (stream.frames or n_stated)
    return packets, is_cut


def _is_cut_transport_stream(content: bytes) -> bool:
    """Return whether the last of the 188-byte packets of an MPEG transport stream is not whole."""
    rest = len(content) % _TRANSPORT_PACKET
    return content[::_TRANSPORT_PACKET][:2] == b"GG" and rest > 0 and any(content[-rest:])


if __name__ == "__main__":
    main()
