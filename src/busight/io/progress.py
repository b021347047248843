"""How a long step tells where it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives what happens; the command line shows it, tests and notebooks may ignore it."""

    def stage(self, name: str) -> None:
        """Say that a stage begins."""
        ...

    def tick(self, done: int, total: int) -> None:
        """Say how far the stage is."""
        ...

    def line(self, text: str) -> None:
        """Say something worth a line."""
        ...


class Silent:
    """Tells nobody."""

    def stage(self, name: str) -> None:
        """Ignore it."""

    def tick(self, done: int, total: int) -> None:
        """Ignore it."""

    def line(self, text: str) -> None:
        """Ignore it."""
