"""Public data sets that can be downloaded from their authors: `busight data download NAME`."""

from __future__ import annotations

import difflib
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests

from busight.data.citations import CITATIONS
from busight.data.transfer import Progress, ResumingDownloader, reason
from busight.data.unpack import unpack_zip
from busight.errors import DataError, OutputError


@dataclass(frozen=True, slots=True)
class RemoteArchive:
    """A zip archive with a data set, at its authors' address.

    Attributes:
        name: The data set's name, as in ``busight data download NAME``.
        url: The authors' address (https).
        sha256: Digest of the archive, 64 hexadecimal digits.
        size_bytes: Size of the archive for the progress bar; None where only the server knows it.
        folder: The folder that exists after unpacking.
        n_files: Files in that folder; fewer mean that it is incomplete.
        citation: The citation that the authors ask for.
        licence: The terms of use of the data.
    """

    name: str
    url: str
    sha256: str
    size_bytes: int | None
    folder: str
    n_files: int
    citation: str
    licence: str


REMOTE: dict[str, RemoteArchive] = {
    "busi": RemoteArchive(
        name="busi",
        url="https://scholar.cu.edu.eg/Dataset_BUSI.zip",
        # The authors publish no digest; this one is stated by third parties that use the same address (torch_em).
        sha256="b2ce09f6063a31a73f628b6a6ee1245187cbaec225e93e563735691d68654de7",
        size_bytes=None,
        folder="Dataset_BUSI_with_GT",
        n_files=1578,  # 780 images, 798 masks
        citation=CITATIONS["busi"].text,
        licence=CITATIONS["busi"].licence,
    ),
}


def get(
    name: str,
    target: Path,
    *,
    url: str | None = None,
    sha256: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Download a data set, verify it and unpack it into ``target``; a broken download is continued.

    Args:
        name: A key of ``REMOTE``.
        target: The folder that receives the data set's own folder, whole or not at all.
        url: Another address of the same archive (a mirror); http is allowed only here.
        sha256: Digest to expect in place of the catalogue's, for a newer version of the archive.
        progress: Called with the bytes received and the bytes expected (None where unknown).

    Returns:
        ``target / folder``. Where it exists and is complete already, nothing is downloaded (see ``is_there``).

    Raises:
        DataError: Unknown name, unusable address, no network, an HTTP error, another digest, an unsafe archive, or a
            folder that exists but is incomplete. Where the connection broke, the partial file stays for the next call.
        OutputError: ``target`` cannot be written (full disk, no permission, ...).
    """
    archive = _archive_named(name)
    folder = target / archive.folder
    if is_there(archive, target):
        return folder
    address = _checked_url(url, archive)
    work = target / f".{name}.download"
    _make_folder(work)
    zip_file = _downloaded(address, sha256 or archive.sha256, work, archive, _with_size(progress, archive.size_bytes))
    _unpack(zip_file, folder, archive)
    return folder


def is_there(archive: RemoteArchive, target: Path) -> bool:
    """Return whether the data set is complete in ``target`` already.

    Raises:
        DataError: Its folder exists but holds too few files, or is no folder.
    """
    folder = target / archive.folder
    if not folder.exists():
        return False
    n_files = sum(path.is_file() for path in folder.rglob("*"))
    if n_files < archive.n_files:
        raise DataError(
            f"{folder}: exists with {n_files} of {archive.n_files} files and is never overwritten; "
            "move it away or choose another folder, then run again"
        )
    return True


def _archive_named(name: str) -> RemoteArchive:
    if name in REMOTE:
        return REMOTE[name]
    near = difflib.get_close_matches(name, REMOTE, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise DataError(f"{name!r}: no data set that can be downloaded; {hint}known: {', '.join(sorted(REMOTE))}")


def _checked_url(url: str | None, archive: RemoteArchive) -> str:
    """Return the address to use: https, or the user's own, which may be http."""
    address = url or archive.url
    allowed = ("https", "http") if url else ("https",)
    try:
        parts = urlsplit(address)
        usable = parts.scheme in allowed and bool((parts.hostname or "").encode("idna"))
    except ValueError:  # brackets that do not close, labels that are empty
        usable = False
    if not usable:
        raise DataError(f"{address!r}: no address to download from; give one that begins with https://")
    return address


def _make_folder(target: Path) -> None:
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{target}: folder could not be made ({error.strerror}); choose another one") from error


def _by_hand(archive: RemoteArchive) -> str:
    return f"get {archive.url} by hand, unzip it and use {archive.name}:PATH/{archive.folder}"


def _with_size(progress: Progress | None, size_bytes: int | None) -> Progress | None:
    """Fill in the catalogue's size where the server states none."""
    if progress is None:
        return None
    return lambda have, total: progress(have, total or size_bytes)


def _downloaded(address: str, sha256: str, work: Path, archive: RemoteArchive, progress: Progress | None) -> Path:
    """Return the archive, whole and with the right digest, in ``work``."""
    downloader = ResumingDownloader(work / "part", progress)
    pooch.get_logger().setLevel("WARNING")  # it would write to the terminal beside the progress bar
    try:
        return Path(pooch.retrieve(address, f"sha256:{sha256.lower()}", "archive.zip", work, downloader=downloader))
    except requests.RequestException as error:
        with suppress(OSError):
            work.rmdir()  # where nothing was received
        raise DataError(f"{address}: {reason(error)}; run again to continue, or {_by_hand(archive)}") from error
    except ValueError as error:  # another digest; pooch has removed the file
        shutil.rmtree(work, ignore_errors=True)
        raise DataError(
            f"{address}: {error} Run again, give the new digest if the authors published a new version, or "
            f"{_by_hand(archive)}"
        ) from error
    except OSError as error:
        raise OutputError(
            f"{work}: could not be written ({error.strerror}); free space or choose another folder, "
            "then run again: the download continues"
        ) from error


def _unpack(zip_file: Path, folder: Path, archive: RemoteArchive) -> None:
    """Unpack beside the final folder, then rename, so that a folder of that name is always whole."""
    beside = zip_file.with_name("unpacked")
    shutil.rmtree(beside, ignore_errors=True)  # left by a process that was killed
    try:
        unpack_zip(zip_file, beside)  # pooch's Unzip would write links and bombs
        if not (beside / archive.folder).is_dir():
            raise DataError(f"{zip_file}: holds no folder {archive.folder}; {_by_hand(archive)}")
        (beside / archive.folder).rename(folder)
    except DataError:
        shutil.rmtree(zip_file.parent, ignore_errors=True)  # an archive that was refused is not tried again
        raise
    except OSError as error:
        raise OutputError(f"{folder}: could not be written ({error.strerror}); choose another folder") from error
    shutil.rmtree(zip_file.parent, ignore_errors=True)
