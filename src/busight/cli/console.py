"""Progress on a terminal with bars, in a pipe with plain lines."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer

from busight.io.text import one_line

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


class ConsoleProgress:
    """Progress on stderr: a bar on a terminal, one line for each stage in a pipe."""

    def __init__(self) -> None:
        self._bars: RichProgress | None = None
        self._task: TaskID | None = None
        self._name = ""
        self._began = time.monotonic()
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bars = Progress(*columns, console=Console(stderr=True), transient=True)

    def __getstate__(self) -> dict[str, object]:
        # Training on several devices pickles this object for other processes: they may write lines, the bar stays here.
        return {**self.__dict__, "_bars": None, "_task": None}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def stage(self, name: str) -> None:
        """Show the start of a stage."""
        self._close()
        typer.echo(f"[{time.monotonic() - self._began:6.0f} s] {one_line(name)}", err=True)
        self._name = name

    def tick(self, done: int, total: int) -> None:
        """Move the bar."""
        if self._bars is None:
            return
        if self._task is None:
            self._bars.start()
            self._task = self._bars.add_task(self._name, total=total)
        self._bars.update(self._task, completed=done, total=total)
        if done >= total:
            self._close()

    def line(self, text: str) -> None:
        """Write a line of text."""
        typer.echo(f"           {one_line(text)}", err=True)

    def _close(self) -> None:
        if self._bars is not None and self._task is not None:
            self._bars.stop()
            self._bars.remove_task(self._task)
            self._task = None
