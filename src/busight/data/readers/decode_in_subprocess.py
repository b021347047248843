"""Script that decodes DICOM frames and videos for ``decoder_process``, so that a crash of a decoder ends it alone.

It reads requests from stdin, a kind (one byte), the content's length (8 bytes, big-endian) and the content, and answers
each on stdout with a length and as many bytes: an .npy array, or none where there is no such frame.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from typing import Any

FRAME, VIDEO, NEXT = b"F", b"V", b"N"
"""Kinds of a request: decode a DICOM object of one frame by GDCM, open a video, give its next frame."""

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
            video = _video_frames(content)
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


def _video_frames(content: bytes) -> Iterator[Any]:
    """Yield the frames of a video as uint8 RGB, HW3."""
    import av

    with av.open(io.BytesIO(content), "r") as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


if __name__ == "__main__":
    main()
