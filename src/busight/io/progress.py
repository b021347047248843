"""Progress of long operations."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives stages, ticks and lines; the command line shows them, tests and notebooks may ignore them."""

    def stage(self, name: str) -> None:
        """Receive the start of a stage."""
        ...

    def tick(self, done: int, total: int) -> None:
        """Receive how far the stage is: ``done`` of ``total``."""
        ...

    def line(self, text: str) -> None:
        """Receive a line of text."""
        ...


class Silent:
    """Progress that ignores everything."""

    def stage(self, name: str) -> None:
        """Ignore the call."""

    def tick(self, done: int, total: int) -> None:
        """Ignore the call."""

    def line(self, text: str) -> None:
        """Ignore the call."""
