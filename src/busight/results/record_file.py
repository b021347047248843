"""A file of records that grows image by image, survives any end of the process, and can be resumed.

Beside the unfinished file stand the plan of the call and, after each record, the digest of all bytes so far: a changed
file is not continued.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from busight.errors import OutputError
from busight.io.atomic import name_new_file, require_new_file, write_json
from busight.io.claim import lock_file
from busight.io.csv_text import csv_rows
from busight.io.digests import sha256_of_json

_ESCAPE = "backslashreplace"
"""How a file name that is not UTF-8 is written; in JSON the escape stands for the same name."""


@dataclass(frozen=True, slots=True)
class Written:
    """What an interrupted call has written.

    Attributes:
        records: Number of records, of one image each.
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
            raise OutputError(f"{self.last}: was last, but is not among the files now; give the same files")
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


class RecordFile:
    """The records of one call, open for writing.

    Attributes:
        before: What an interrupted call has written.
    """

    def __init__(self, stream: IO[bytes], digests: _Digests, before: Written) -> None:
        self._stream = stream
        self._digests = digests
        self.before = before

    def write(self, records: Iterable[str]) -> int:
        """Write records, each of one or more lines, as they come; each is on the disk before the next is computed.

        Returns:
            Number of records that were written.
        """
        count = 0
        for record in records:
            _write(self._stream, self._digests, record)
            count += 1
        return count


def _write(stream: IO[bytes], digests: _Digests, text: str) -> None:
    content = f"{text}\n".encode("utf-8", _ESCAPE)
    stream.write(content)
    stream.flush()
    digests.add(content)


class _Digests:
    """The file of digests: a line for each write, with the bytes so far and their SHA-256.

    Attributes:
        n_writes: Number of lines.
        content: The bytes that the last line is of.
    """

    def __init__(self, working: Path, content: bytes) -> None:
        """Find the last line that is of the content, and drop those behind it.

        Args:
            working: The unfinished file.
            content: Its bytes; the last of them may be of a record that is not whole.

        Raises:
            OutputError: The bytes are others than those that were written.
        """
        self._stream = _digests_path(working).open("a+b")
        self._stream.seek(0)
        self.n_writes, kept, size, digest = 0, 0, 0, hashlib.sha256().hexdigest().encode()
        for line in self._stream:
            number, _, rest = line.partition(b" ")
            if not line.endswith(b"\n") or not number.isdigit() or not size < int(number) <= len(content):
                break
            self.n_writes, kept, size, digest = self.n_writes + 1, kept + len(line), int(number), rest.strip()
        self.content = content[:size]
        self._sha256, self._size = hashlib.sha256(self.content), size
        if self._sha256.hexdigest().encode() != digest:
            self._stream.close()
            raise OutputError(f"{working}: the unfinished records were changed; remove it and begin anew")
        self._stream.truncate(kept)

    def __enter__(self) -> Self:
        """Return the open file."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._stream.close()

    def add(self, content: bytes) -> None:
        """Add the digest of all bytes up to the end of a write."""
        self._sha256.update(content)
        self._size += len(content)
        self._stream.write(f"{self._size} {self._sha256.hexdigest()}\n".encode())
        self._stream.flush()


def files_digest(files: Iterable[Path]) -> str:
    """Return the digest of the files' names, sizes and times: a call that resumes must find them unchanged."""
    entries = []
    for path in files:
        with suppress(OSError, ValueError):
            status = path.stat()
            entries.append([as_written(str(path)), status.st_size, status.st_mtime_ns])
    return sha256_of_json(entries)


@contextmanager
def record_file(out: Path, plan: dict[str, Any], header: str | None, resume: bool) -> Iterator[RecordFile]:
    """Open the file of records; it gets its name when the block succeeds.

    Until then the records stand in `unfinished_file`, with the plan of the call and the digests beside it. All stay
    when the process ends early, by an error or in any other way, and are removed where nothing was written.

    Args:
        out: A new file.
        plan: What the records depend on; a call that resumes must have the same.
        header: The first line of a table; None for JSON lines.
        resume: Continue the file of an interrupted call.

    Raises:
        OutputError: The file exists, another call has it open, there is nothing to resume, the unfinished file was
            changed, or nothing can be written, here or elsewhere in the block.
    """
    require_new_file(out)
    working = unfinished_file(out)
    beside = _plan_path(working), _digests_path(working)
    made = [] if resume else [folder for folder in working.parents if not folder.exists()]
    try:
        with _opened(working, plan, header, resume) as records:
            try:
                yield records
                name_new_file(working, out)
                for path in beside:
                    path.unlink(missing_ok=True)
            except OutputError as error:  # of an image beside the records
                kept = f"; the records so far are in {working}; go on with --resume" if _size(working, header) else ""
                raise OutputError(f"{error}{kept}") from error
            finally:  # still locked: only the call that took the place may remove anything
                if not _size(working, header):
                    for path in (working, *beside):
                        with suppress(OSError):
                            path.unlink()
    except OSError as error:
        raise OutputError(f"{out}: could not be written ({error.strerror or error}){_remedy(working)}") from error
    finally:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()  # refused where something was written


def _plan_path(working: Path) -> Path:
    return working.with_suffix(".plan.json")


def _digests_path(working: Path) -> Path:
    return working.with_suffix(".digests")


def _remedy(working: Path) -> str:
    kept = working.is_file()
    return f"; free space and go on with --resume ({working.name})" if kept else "; choose another place"


@contextmanager
def _opened(working: Path, plan: dict[str, Any], header: str | None, resume: bool) -> Iterator[RecordFile]:
    if not resume:
        working.parent.mkdir(parents=True, exist_ok=True)
    if not resume and working.exists():
        with working.open("r+", encoding="utf-8") as stream:
            lock_file(stream, working)  # tells a running call from an interrupted one
        raise OutputError(f"{working}: left by an interrupted call; go on with --resume, or remove it")
    if resume and not working.is_file():
        raise OutputError(f"{working}: no interrupted call to resume; leave --resume away")
    # Exclusive: of two calls that begin together, one makes the file.
    try:
        records = working.open("r+b" if resume else "x+b")
    except FileExistsError as error:
        raise OutputError(f"{working}: another process is writing there; choose another place") from error
    with records, ExitStack() as stack:
        lock_file(records, working)
        try:
            if resume:
                _require_plan(working, plan)
            else:
                _digests_path(working).unlink(missing_ok=True)
                write_json(_plan_path(working), plan)
            digests = stack.enter_context(_Digests(working, records.read()))
            records.seek(len(digests.content))
            records.truncate()
            before = _written(digests, header is not None)
            if header is not None and not digests.content:
                _write(records, digests, header)
        except (OSError, OutputError):  # as of a disk that is full already: nothing was begun
            for path in () if resume else (working, _plan_path(working), _digests_path(working)):
                path.unlink(missing_ok=True)
            raise
        yield RecordFile(records, digests, before)


def _require_plan(working: Path, plan: dict[str, Any]) -> None:
    for path in (_plan_path(working), _digests_path(working)):
        if not path.is_file():
            raise OutputError(f"{path}: missing; without it there is nothing to resume, begin anew")
    try:
        begun = json.loads(_plan_path(working).read_bytes())
    except ValueError as error:
        raise OutputError(
            f"{_plan_path(working)}: is damaged; without it there is nothing to resume, begin anew"
        ) from error
    if begun != plan:
        raise OutputError(f"{working}: was begun with another bundle, other files or options; give the same")


def _written(digests: _Digests, is_table: bool) -> Written:
    rows = _rows(digests.content.decode("utf-8"), is_table)
    if not rows:
        return Written()
    last = as_written(str(rows[-1]["path"]))
    frames = frozenset(int(row["frame"]) for row in rows if as_written(str(row["path"])) == last)
    return Written(digests.n_writes - is_table, sum(bool(row["error"]) for row in rows), last, frames)


def _rows(text: str, is_table: bool) -> list[dict[str, Any]]:
    if not is_table:
        return [json.loads(line) for line in text.split("\n") if line]
    header, *rows = csv_rows(text) or [[]]
    return [dict(zip(header, row, strict=True)) for row in rows]


def _size(path: Path, header: str | None) -> int:
    """Return the bytes of records in a file."""
    with suppress(OSError):
        return path.stat().st_size - (len(header.encode()) + 1 if header is not None else 0)
    return 0
