"""Unpacking of an untrusted zip archive: all of it inside one new folder, or nothing at all."""

from __future__ import annotations

import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from busight.errors import DataError, OutputError

MAX_BYTES = 4 << 30
"""Largest unpacked size of an archive in bytes (20 times BUSI)."""

MAX_RATIO = 100
"""Largest compression ratio; images give about 1, text about 10, zip bombs above 1000."""

_MAX_MEMBERS = 100_000
_RATIO_FREE_BYTES = 16 << 20  # an archive this small is harmless at any ratio
_CHUNK_BYTES = 1 << 16
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, struct.error, OSError)


def unpack_zip(archive: Path, target: Path, *, max_bytes: int = MAX_BYTES) -> None:
    """Unpack a zip archive into a new folder. Nothing remains where it is refused or interrupted.

    Args:
        archive: The zip file.
        target: The folder to make; it must not exist yet.
        max_bytes: Largest unpacked size, counted while unpacking.

    Raises:
        DataError: Damaged, encrypted or too large; or a member that is absolute, climbs out with ``..``, has a drive
            letter, is a link or a device, or occurs twice.
        OutputError: The folder exists already or cannot be written.
    """
    if target.exists() or target.is_symlink():
        raise OutputError(f"{target}: exists already and is never overwritten; remove it or choose another folder")
    with _opened(archive) as source:
        members = source.infolist()
        limit = min(max_bytes, max(MAX_RATIO * archive.stat().st_size, _RATIO_FREE_BYTES))
        _check_members(archive, members, limit)
        with _whole_or_not_at_all(target):
            _write_members(archive, source, members, target, limit)


@contextmanager
def _whole_or_not_at_all(target: Path) -> Iterator[None]:
    """Make a folder, and remove it where the block raises."""
    made = done = False
    try:
        target.mkdir(parents=True)
        made = True
        yield
        done = True
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{target}: could not be written ({reason}); free space or choose another folder, then run again"
        ) from error
    finally:
        if made and not done:
            shutil.rmtree(target, ignore_errors=True)


def _opened(archive: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(archive)
    except _UNREADABLE as error:
        raise _refusal(archive, f"no readable zip archive ({error})") from error


def _check_members(archive: Path, members: Sequence[zipfile.ZipInfo], limit: int) -> None:
    """Raise for members that the directory already shows to be unsafe, before anything is written."""
    if len(members) > _MAX_MEMBERS:
        raise _refusal(archive, f"{len(members)} members, at most {_MAX_MEMBERS} are unpacked")
    if sum(member.file_size for member in members) > limit:
        raise _refusal(archive, f"more than {limit} bytes would come out of it (a zip bomb?)")
    seen: set[str] = set()
    files: set[str] = set()
    for member in members:
        fault = _name_fault(member.orig_filename) or _kind_fault(member)
        # Windows and macOS take "A" and "a", and two spellings of "é", for one file.
        key = unicodedata.normalize("NFC", member.orig_filename.rstrip("/")).casefold()
        if fault or key in seen:
            raise _refusal(archive, f"member {member.orig_filename[:80]!a} {fault or 'comes twice'}")
        seen.add(key)
        if not member.is_dir():
            files.add(key)
    for key in seen:
        parents = key.split("/")[:-1]
        if any("/".join(parents[: depth + 1]) in files for depth in range(len(parents))):
            raise _refusal(archive, f"member {key[:80]!a} lies inside another file")


def _name_fault(name: str) -> str | None:
    r"""Return what makes a member's name unsafe on any system; None for a plain relative path.

    Example:
        >>> _name_fault("BUSI/benign/benign (1).png")
        >>> _name_fault("../evil.png")
        "leaves the folder or has an empty, '.' or '..' part"
        >>> _name_fault("C:evil.png")
        'has a drive letter or a character that no system should be given'
    """
    if any(char in ':\\"<>|*?' or unicodedata.category(char) in {"Cc", "Cs"} for char in name):
        return "has a drive letter or a character that no system should be given"
    parts = name.removesuffix("/").split("/")  # an absolute path begins with an empty part
    # Windows drops dots and spaces at the end, so ".. " would be ".." there.
    if any(not part or part != part.rstrip(". ") for part in parts):
        return "leaves the folder or has an empty, '.' or '..' part"
    return None


def _kind_fault(member: zipfile.ZipInfo) -> str | None:
    """Return why a member is no plain, readable file or folder; None where it is one."""
    kind = stat.S_IFMT(member.external_attr >> 16)  # the Unix mode; 0 from other systems
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "is a link or a device"
    if member.flag_bits & 0x1:
        return "is encrypted"
    # Other methods unpack without a bound on the memory in the standard library.
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return f"is packed with method {member.compress_type} (only stored and deflated are unpacked)"
    return None


def _write_members(
    archive: Path, source: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], target: Path, limit: int
) -> None:
    written = 0
    for member in members:
        path = target / member.orig_filename
        if member.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as stream:
            for chunk in _chunks(archive, source, member):
                written += len(chunk)
                if written > limit:  # the sizes in the directory may be false
                    raise _refusal(archive, f"more than {limit} bytes come out of it (a zip bomb?)")
                stream.write(chunk)


def _chunks(archive: Path, source: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a member's bytes; the archive's faults become DataError, so an OSError of the caller is the disk's."""
    try:
        with source.open(member) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk
    except _UNREADABLE as error:
        raise _refusal(archive, f"member {member.orig_filename[:80]!a} is damaged ({error})") from error


def _refusal(archive: Path, fault: str) -> DataError:
    return DataError(f"{archive}: {fault}; nothing was unpacked, get the archive again from its authors")
