"""Error handling of every command: errors and interruptions as one line, exit codes."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from busight.cli.extras import missing_extra, require_extra
from busight.cli.start import interruptions_raised, was_interrupted
from busight.errors import BusightError, ConfigError, MissingExtraError
from busight.io.text import one_line


@contextmanager
def one_line_errors(hint: Callable[[], str] = str) -> Iterator[None]:
    """Turn errors into one line on stderr: exit code 2 for a wrong call or a missing extra, else 1.

    Args:
        hint: Called after Ctrl-C; returns the advice on how to resume, or an empty text.
    """
    try:
        with _interruptions_as_such(), interruptions_raised():
            yield
    except ConfigError as error:
        _say(f"busight: {error}")
        raise typer.Exit(2) from error
    except MissingExtraError as error:
        _say(f"busight: {error}")
        raise typer.Exit(2) from error
    except ImportError as error:
        needed = missing_extra(error, _command())
        if needed is None:
            raise
        _say(f"busight: {needed}")
        raise typer.Exit(2) from error
    except BusightError as error:
        _say(f"busight: {error}")
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        # Ctrl-C inside an `exec` of text (a dataclass made during an import) marks the interpreter, which then ends
        # `python -m busight` by signal although the interruption is handled here; the next `exec` clears the mark.
        exec("")
        advice = hint()
        _say(f"busight: interrupted{'; ' + advice if advice else ''}")
        raise typer.Exit(1) from error
    except BrokenPipeError:
        raise  # the reader of our output closed the pipe; Typer ends silently with exit code 1
    except MemoryError as error:
        _say("busight: out of memory; use smaller images, batches or sets, or a machine with more")
        raise typer.Exit(1) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _say(f"busight: {where}{error.strerror or error}; check the path, its permissions and the free space")
        raise typer.Exit(1) from error


@contextmanager
def _interruptions_as_such() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` for what a library in C made of it, e.g. an import that failed."""
    try:
        yield
    except Exception as error:
        if was_interrupted():
            raise KeyboardInterrupt from error
        raise


def how_to_go_on(folder: Path, marker: str) -> Callable[[], str]:
    """Return the advice after Ctrl-C for work in a folder that can be resumed once it holds ``marker``."""

    def advice() -> str:
        # Before that there is nothing to resume: the data were still being read.
        begun = (folder / marker).is_file()
        return f"go on with the same command and --out {folder} --resume" if begun else "nothing was written yet"

    return advice


def require_training() -> None:
    """Raise a one-line error where the extra ``train`` is not installed.

    Raises:
        MissingExtraError: PyTorch or Lightning is missing.
    """
    require_extra("train", "training")


def _command() -> str:
    """Return the command that was typed, without its arguments: they may name patients."""
    named = sys.argv[1 : 3 if len(sys.argv) > 1 and sys.argv[1] in ("data", "bench") else 2]
    return " ".join(["busight", *(word for word in named if not word.startswith("-"))])


def command_line() -> str:
    """Return the command as it was typed."""
    return shlex.join(["busight", *sys.argv[1:]])


def _say(text: str) -> None:
    typer.echo(one_line(text), err=True)
