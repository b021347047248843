"""A process of its own for decoders that end theirs on damaged streams; one serves all frames of an object."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import threading
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.data.readers import decode_in_subprocess
from busight.data.readers.decode_in_subprocess import FRAME, NEXT, VIDEO

_SECONDS = 60
"""A frame takes well under a second; after a minute the decoder hangs."""


class DecoderProcess:
    """Decoder of frames in a process of its own, started with the first frame and ended with this object.

    GDCM 3.2 ends the process (abort) on some damaged JPEG and JPEG-LS streams. A new process is started for the frame
    after it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._end: weakref.finalize[Any, Any] | None = None

    def decode(self, content: bytes) -> NDArray[Any]:
        """Decode a DICOM object of one frame.

        Returns:
            The stored values, HW or HWC.

        Raises:
            RuntimeError: The frame is damaged, its decoder crashed, or it took longer than a minute.
        """
        with self._lock:
            frame = self._asked(FRAME, content)
        if frame is None:
            raise RuntimeError("no frame")
        return frame

    def open_video(self, content: bytes, n_frames: int) -> None:
        """Begin a video at its first frame.

        Args:
            content: The video.
            n_frames: Frames that it should have; one with fewer is cut, and what is in doubt of it counts as damaged.

        Raises:
            RuntimeError: As for ``decode``.
        """
        with self._lock:
            self._asked(VIDEO, n_frames.to_bytes(8, "big") + content)

    def next_video_frame(self) -> NDArray[Any] | None:
        """Return the next frame of the video, uint8 HW3, without a pixel where it is damaged, or None behind the last.

        Raises:
            RuntimeError: As for ``decode``.
        """
        with self._lock:
            return self._asked(NEXT, b"")

    def _asked(self, kind: bytes, content: bytes) -> NDArray[Any] | None:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        timer = threading.Timer(_SECONDS, process.kill)
        timer.start()
        try:
            process.stdin.write(kind + len(content).to_bytes(8, "big"))
            process.stdin.write(content)
            process.stdin.flush()
            length = process.stdout.read(8)
            answer = process.stdout.read(int.from_bytes(length, "big"))
            if len(length) < 8 or len(answer) < int.from_bytes(length, "big"):
                raise RuntimeError("the frame broke its decoder")
        except (OSError, RuntimeError):
            self._stop()
            raise RuntimeError("the frame broke its decoder") from None
        finally:
            timer.cancel()
        return np.asarray(np.load(io.BytesIO(answer), allow_pickle=False)) if answer else None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._owner != os.getpid():  # a forked process must not share the pipes
            # -P: the script's own folder must not be on the import path. Its stderr may quote the object.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-W", "ignore", decode_in_subprocess.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._owner = os.getpid()
            self._end = weakref.finalize(self, _ended, self._process, self._owner)
        return self._process

    def _stop(self) -> None:
        if self._end is not None:
            self._end()
        self._process = None


def _ended(process: subprocess.Popen[bytes], owner: int) -> None:
    """End a decoder's process, unless it belongs to the process that this one was forked from."""
    if os.getpid() != owner:
        return
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what was not written yet has nobody to read it
                pipe.close()
    process.wait()
