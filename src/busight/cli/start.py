"""The entry point: an interruption is one line from the first moment on, before anything large is imported."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


def main() -> None:
    """Run the command line."""
    for number in _SIGNALS:
        # A shell that runs a command in the background, and nohup, have signals ignored: leave it so.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _end)
    from busight.cli.app import main as run

    run()


def _end(number: int, frame: FrameType | None) -> None:
    os.write(2, b"busight: interrupted\n")
    os._exit(1)


_received: list[int] = []


def _interrupt(number: int, frame: FrameType | None) -> None:
    _received.append(number)
    raise KeyboardInterrupt


def was_interrupted() -> bool:
    """Return whether a signal asked this process to end: libraries in C make other errors of its exception."""
    return bool(_received)


@contextmanager
def interruptions_raised() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` in the block for Ctrl-C, SIGTERM and SIGHUP alike, so that work is kept.

    Only where `main` handles these signals: a program that calls BUSight keeps its own handlers.
    """
    ours = [number for number in _SIGNALS if signal.getsignal(number) is _end]
    for number in ours:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, _end)
