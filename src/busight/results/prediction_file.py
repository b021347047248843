"""A file of prediction records that grows line by line, survives any end of the process, and can be resumed."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from busight.errors import OutputError
from busight.io.atomic import name_new_file, require_new_file, write_json
from busight.io.claim import lock_file
from busight.io.csv_text import csv_rows

_ESCAPE = "backslashreplace"
"""How a file name that is not UTF-8 is written; in JSON the escape stands for the same name."""


@dataclass(frozen=True, slots=True)
class Written:
    """What an interrupted call has written.

    Attributes:
        records: Number of records.
        failures: Number of records with an error.
        last: Path of the last record as it stands in the file; empty without one.
        frames_of_last: Frames of that path with a record.
    """

    records: int = 0
    failures: int = 0
    last: str = ""
    frames_of_last: frozenset[int] = frozenset()

    def rest(self, files: Sequence[Path]) -> list[Path]:
        """Return the files that are not finished: from the last one with a record on, which may have more frames.

        Raises:
            OutputError: The last one is not among the files.
        """
        if not self.records:
            return list(files)
        places = [place for place, path in enumerate(files) if as_written(str(path)) == self.last]
        if not places:
            raise OutputError(f"{self.last}: was predicted last, but is not among the files now; give the same files")
        return list(files[places[-1] :])

    def holds(self, path: str, frame: int) -> bool:
        """Return whether a frame of the files that are not finished has its record."""
        return frame in self.frames_of_last and as_written(path) == self.last


def as_written(path: str) -> str:
    """Return a path as it stands in a record."""
    return path.encode("utf-8", _ESCAPE).decode("utf-8")


def unfinished_file(out: Path) -> Path:
    """Return the file that holds the records until the last of them is written."""
    return out.with_name(f"{out.stem}.unfinished{out.suffix}")


class PredictionFile:
    """The records of one call, open for writing.

    Attributes:
        before: What an interrupted call has written.
    """

    def __init__(self, stream: IO[str], before: Written) -> None:
        self._stream = stream
        self.before = before

    def write(self, lines: Iterable[str]) -> None:
        """Write records as they come; each is on the disk before the next is computed."""
        for line in lines:
            self._stream.write(f"{line}\n")
            self._stream.flush()


@contextmanager
def prediction_file(out: Path, plan: dict[str, Any], header: str | None, resume: bool) -> Iterator[PredictionFile]:
    """Open the file of records; it gets its name when the block succeeds.

    Until then the records stand in `unfinished_file`, with the plan of the call beside it. Both stay when the process
    ends early, by an error or in any other way, and are removed where nothing was written.

    Args:
        out: A new file.
        plan: What the records depend on; a call that resumes must have the same.
        header: The first line of a table; None for JSON lines.
        resume: Continue the file of an interrupted call.

    Raises:
        OutputError: The file exists, another call has it open, there is nothing to resume, or it cannot be written.
    """
    require_new_file(out)
    working = unfinished_file(out)
    plan_path = working.with_suffix(".plan.json")
    try:
        with _opened(working, plan_path, plan, header, resume) as (stream, before):
            try:
                yield PredictionFile(stream, before)
                name_new_file(working, out)
                plan_path.unlink(missing_ok=True)
            finally:  # still locked: only the call that took the place may remove anything
                if not _size(working, header):
                    for path in (working, plan_path):
                        with suppress(OSError):
                            path.unlink()
    except OSError as error:
        raise OutputError(f"{out}: could not be written ({error.strerror or error}){_remedy(working)}") from error


def _remedy(working: Path) -> str:
    kept = working.is_file()
    return f"; free space and go on with --resume ({working.name})" if kept else "; choose another place"


@contextmanager
def _opened(
    working: Path, plan_path: Path, plan: dict[str, Any], header: str | None, resume: bool
) -> Iterator[tuple[IO[str], Written]]:
    working.parent.mkdir(parents=True, exist_ok=True)
    if not resume and working.exists():
        with working.open("r+", encoding="utf-8") as stream:
            lock_file(stream, working)  # tells a running call from an interrupted one
        raise OutputError(f"{working}: left by an interrupted call; go on with --resume, or remove it")
    if resume and not working.is_file():
        raise OutputError(f"{working}: no interrupted prediction to resume; leave --resume away")
    # Exclusive: of two calls that begin together, one makes the file.
    try:
        stream = working.open("r+" if resume else "x+", encoding="utf-8", errors=_ESCAPE, newline="")
    except FileExistsError as error:
        raise OutputError(f"{working}: another process is writing there; choose another place") from error
    with stream:
        lock_file(stream, working)
        before = Written()
        if resume:
            if not plan_path.is_file():
                raise OutputError(f"{plan_path}: missing; without it there is nothing to resume, begin anew")
            if json.loads(plan_path.read_text(encoding="utf-8")) != plan:
                raise OutputError(f"{working}: was begun with another bundle, other files or options; give the same")
            before = _read(stream, header is not None)
        else:
            write_json(plan_path, plan)
            if header is not None:
                stream.write(f"{header}\n")
                stream.flush()
        yield stream, before


def _read(stream: IO[str], is_table: bool) -> Written:
    """Return what was written, and cut off a record that is not whole."""
    text = stream.read()
    whole = text[: text.rfind("\n") + 1]
    while True:
        try:
            rows = _rows(whole, is_table)
            break
        except (ValueError, csv.Error):  # a line break within a record that is not whole
            whole = whole[: whole.rstrip("\n").rfind("\n") + 1]
    if any(not {"path", "frame", "error"} <= row.keys() for row in rows):
        raise OutputError("the unfinished records were changed; begin anew")
    stream.seek(0)
    stream.truncate(len(whole.encode("utf-8", _ESCAPE)))
    stream.seek(0, os.SEEK_END)
    if not rows:
        return Written()
    last = as_written(str(rows[-1]["path"]))
    frames = frozenset(int(row["frame"]) for row in rows if as_written(str(row["path"])) == last)
    return Written(len(rows), sum(bool(row["error"]) for row in rows), last, frames)


def _rows(text: str, is_table: bool) -> list[dict[str, Any]]:
    if not is_table:
        return [json.loads(line) for line in text.splitlines()]
    header, *rows = csv_rows(text) or [[]]
    return [dict(zip(header, row, strict=True)) for row in rows]


def _size(path: Path, header: str | None) -> int:
    """Return the bytes of records in a file."""
    with suppress(OSError):
        return path.stat().st_size - (len(header.encode()) + 1 if header is not None else 0)
    return 0
