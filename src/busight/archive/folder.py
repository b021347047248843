"""The folder of an archive's predictions: ``plan.json`` and ``parts/``, on a disk or in an object store."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from busight.archive.addresses import file_system, is_remote, storage_errors
from busight.errors import OutputError
from busight.io.atomic import require_free_folder, write_bytes
from busight.io.claim import claimed_folder

PLAN_FILE = "plan.json"
_PART = re.compile(r"part-(\d{6,})\.parquet")


class ArchiveFolder:
    """A folder that receives parts, each whole or not at all.

    Attributes:
        parts: Numbers of the parts that were there when it was opened.
    """

    def __init__(self, address: str) -> None:
        """Look into the folder; see `archive_folder`."""
        self._address = address.rstrip("/")
        self._system: Any = None
        self._path = address
        if is_remote(address):
            self._system, self._path = file_system(self._address)
        self.parts = {int(match[1]) for name in self._names() if (match := _PART.fullmatch(name))}

    def read_plan(self) -> dict[str, Any] | None:
        """Return the plan; None where the folder holds none, or an unreadable one."""
        try:
            plan = json.loads(self._read(PLAN_FILE))
        except (FileNotFoundError, ValueError):
            return None
        return plan if isinstance(plan, dict) else None

    def write_plan(self, plan: dict[str, Any]) -> None:
        """Write the plan.

        Raises:
            OutputError: It could not be written.
        """
        self._write(PLAN_FILE, (json.dumps(plan, indent=2) + "\n").encode())

    def write_part(self, number: int, content: bytes) -> None:
        """Write a part.

        Raises:
            OutputError: It could not be written; the parts so far stay.
        """
        self._write(part_name(number), content)

    def read_part(self, number: int) -> bytes:
        """Return the content of a part."""
        return self._read(part_name(number))

    def _names(self) -> list[str]:
        if self._system is None:
            folder = Path(self._path) / "parts"
            for left in folder.glob(".part-*"):  # of a process that was killed
                with suppress(OSError):
                    left.unlink()
            return [path.name for path in folder.glob("part-*")]
        with storage_errors(self._address):
            return [name.rpartition("/")[2] for name in self._system.find(f"{self._path}/parts")]

    def _read(self, name: str) -> bytes:
        if self._system is None:
            return (Path(self._path) / name).read_bytes()
        if not self._system.exists(f"{self._path}/{name}"):
            raise FileNotFoundError(name)
        with storage_errors(f"{self._address}/{name}"):
            return bytes(self._system.cat_file(f"{self._path}/{name}"))

    def _write(self, name: str, content: bytes) -> None:
        if self._system is None:
            write_bytes(Path(self._path) / name, content)
        else:
            path = f"{self._path}/{name}"
            with storage_errors(f"{self._address}/{name}"):
                self._system.makedirs(path.rpartition("/")[0], exist_ok=True)
                self._system.pipe_file(path, content)  # an object appears whole or not at all


def part_name(number: int) -> str:
    """Return the name of a part below the folder.

    Example:
        >>> part_name(12)
        'parts/part-000012.parquet'
    """
    return f"parts/part-{number:06d}.parquet"


@contextmanager
def archive_folder(address: str, plan: dict[str, Any]) -> Iterator[ArchiveFolder]:
    """Open a new folder, or that of an earlier call with the same plan, whose parts stay.

    A folder on a disk belongs to one process at a time; an object store has no such claim.

    Args:
        address: The folder's path or address.
        plan: What the records depend on.

    Raises:
        OutputError: The folder holds something else or parts of another plan, or cannot be written.
    """
    address = address.removeprefix("file://")
    with claimed_folder(Path(address), Path(address).is_dir()) if not is_remote(address) else nullcontext():
        folder = ArchiveFolder(address)
        begun = folder.read_plan()
        if begun is None:
            if not is_remote(address):
                require_free_folder(Path(address))
            elif folder.parts:
                raise OutputError(f"{address}: holds parts without a plan; choose another --out")
            folder.write_plan(plan)
        elif begun != plan:
            other = ", ".join(key for key in plan if begun.get(key) != plan[key]) or "format"
            raise OutputError(f"{address}: was begun with another {other}; give the same, or choose another --out")
        yield folder
