"""The images of an archive: below folders and prefixes, in a manifest, or named one by one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from busight.archive.addresses import file_system, is_remote, storage_errors
from busight.data.readers.inputs import list_files
from busight.data.readers.listing import has_image_suffix, is_hidden, is_mask_name
from busight.errors import DataError
from busight.io.csv_table import listed_path, read_table

_DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ""})
"""Objects below a prefix are known by their suffix alone: looking into ten million of them would take hours."""

_Entry = tuple[str, str]
"""Address, and what tells that the file has changed: size and time, or what the storage says; empty where unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The files to predict.

    Attributes:
        addresses: Paths or addresses, in order.
        digest: SHA-256 over the addresses, sizes and times.
        notes: What was left out, one line each.
    """

    addresses: tuple[str, ...]
    digest: str
    notes: tuple[str, ...]


def list_archive(sources: Sequence[str]) -> Listing:
    """Return the files that sources name: files, folders, manifests (CSV with a column ``path``), addresses.

    Raises:
        DataError: No image is named, a source is a bundle or a result, or a storage refuses.
    """
    notes: list[str] = []
    digest, addresses = hashlib.sha256(), []
    for source in sources:
        for address, state in _entries(source, notes):
            addresses.append(address)
            digest.update(f"{address}\0{state}\n".encode(errors="surrogateescape"))
    if not addresses:
        raise DataError(f"{sources[0]}: no image or DICOM file in it; name files, a manifest or another folder")
    return Listing(tuple(addresses), digest.hexdigest(), tuple(notes))


def _entries(source: str, notes: list[str]) -> Iterable[_Entry]:
    if source.lower().endswith(".csv"):
        return _of_manifest(source, notes)
    return _below_address(source, notes) if is_remote(source) else _below_path(Path(source), notes)


def _below_path(source: Path, notes: list[str]) -> Iterator[_Entry]:
    listing = list_files([source])
    notes.extend(listing.notes())
    for path in listing.files:
        yield str(path), _state(path)


def _state(path: str | Path) -> str:
    try:
        status = os.stat(path)  # noqa: PTH116 - a path object for each of ten million files takes as long again
    except (OSError, ValueError):  # reading it gives the reason
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"


def _below_address(source: str, notes: list[str]) -> Iterator[_Entry]:
    system, path = file_system(source)
    with storage_errors(source):
        found = system.find(path, detail=True)
    if not found:
        raise DataError(f"{source}: nothing there; check the address")
    others = 0
    for name, info in sorted(found.items()):
        inside = Path(PurePosixPath(name).relative_to(path) if name != path else PurePosixPath(name).name)
        is_image = has_image_suffix(inside) or inside.suffix.lower() in _DICOM_SUFFIXES
        if name == path or (is_image and not is_mask_name(inside) and not is_hidden(inside, Path())):
            stamp = next((info[key] for key in ("ETag", "etag", "mtime", "LastModified", "created") if key in info), "")
            yield system.unstrip_protocol(name), f"{info.get('size')} {stamp}"
        else:
            others += 1
    if others:
        notes.append(f"{source}: {others} objects left out: masks, hidden ones, or no image by their suffix")


def _of_manifest(source: str, notes: list[str]) -> Iterator[_Entry]:
    """Yield the files of a manifest; relative paths are below the manifest's folder."""
    if is_remote(source):
        raise DataError(f"{source}: a manifest is read from a file; copy it here, its column path may hold addresses")
    table = read_table(Path(source), ("path",), max_bytes=None)
    notes.extend(f"{source}: {note}" for note in table.notes)
    if "path" not in table.columns:
        raise DataError(f"{source}: a manifest needs a column path; it has {', '.join(table.columns) or 'none'}")
    seen: set[str] = set()
    for row in table.rows:
        cell = row.cells["path"]
        if not cell:
            raise DataError(f"{source}: line {row.line} has no path; fill or remove it")
        address = cell if is_remote(cell) else str(Path(source).parent / listed_path(Path(source), cell))
        if address in seen:
            raise DataError(f"{source}: line {row.line} names {cell} again; keep one line for each file")
        seen.add(address)
        yield address, "" if is_remote(cell) else _state(address)
