"""Fetching one file over HTTP so that a cut connection costs only what had not arrived yet."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from busight._version import __version__
from busight.errors import DataError, OutputError
from busight.io.atomic import write_text

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and the bytes expected (None where the server does not say)."""

TIMEOUT_S = 30.0
"""A connection that is silent for this long counts as cut."""

PAUSE_S = 0.5
"""First pause before a new attempt; doubled, up to 8 s, while attempts bring nothing."""

_IDLE_ATTEMPTS = 4
_ATTEMPTS = 100  # 2 MB an attempt still bring BUSI's 200 MB home
_CHUNK_BYTES = 1 << 16
_WORTH_WAITING_FOR = frozenset({408, 429, 500, 502, 503, 504})


class _CutError(Exception):
    """The connection gave nothing (more); never leaves this file."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file that is arriving, and beside it the note of which version of which address it is.

    Attributes:
        path: The bytes so far.
        url: The address they come from.
    """

    path: Path
    url: str

    @property
    def note(self) -> Path:
        """Where the address and the version (ETag or Last-Modified) are written down."""
        return self.path.with_name(f"{self.path.name}.version")

    def size(self) -> int:
        """Count the bytes that are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def version(self) -> str | None:
        """Return the version of the bytes that are there; None where they cannot be continued."""
        if not self.size() or not self.note.exists():
            return None
        lines = self.note.read_text(errors="replace").splitlines()
        return lines[1] if len(lines) == 2 and lines[0] == self.url else None

    def start(self, version: str | None) -> None:
        """Empty the file, then note the version of what will follow (in this order, in case of a crash)."""
        self.path.write_bytes(b"")
        write_text(self.note, f"{self.url}\n{version or ''}\n")

    def remove(self) -> None:
        """Remove the bytes and the note."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def fetch(part: Part, *, remedy: str, progress: Progress | None = None) -> None:
    """Bring a file home, continuing what is there already and trying again when the connection is cut.

    Args:
        part: Where the bytes go; what an earlier call left there is continued if the server still has that version.
        remedy: What the user can do where the file cannot be had; the end of every message.
        progress: Called after every piece.

    Raises:
        DataError: No connection, an HTTP error, or too many cuts. The part stays for the next call.
        OutputError: The part cannot be written (full disk, no permission, ...). It stays as well.

    Source:
        RFC 9110, sections 13.1.5 (If-Range), 14.2 (Range), 14.4 (Content-Range), 15.5.17 (416).
    """
    idle, arrived = 0, False
    for _ in range(_ATTEMPTS):
        before = part.size()
        try:
            _attempt(part, remedy, progress)
            return
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(
                f"{part.path}: could not be written ({reason}); free space or choose another folder, "
                "then run again: the download continues"
            ) from error
        except _CutError as cut:
            reason = str(cut)
            came = part.size() > before
            arrived, idle = arrived or came, 0 if came else idle + 1
            if not arrived or idle > _IDLE_ATTEMPTS:
                break
            time.sleep(min(PAUSE_S * 2**idle, 8.0))
    raise DataError(f"{part.url}: {reason}; run again to continue, or {remedy}")


def _attempt(part: Part, remedy: str, progress: Progress | None) -> None:
    """Ask once for what is missing and write it down; _CutError where not all of it came."""
    version = part.version()
    have = part.size() if version else 0
    with _opened(part.url, have, version, remedy) as response:
        total = _total(response, have)
        if response.status == 416 and total == have:
            return  # everything had arrived before
        usable = response.status != 416
        if response.status == 206:
            usable = _first_byte(response.headers) == have and _version_of(response.headers) in {None, version}
        elif usable:  # no ranges here, or the file has changed since
            part.start(_version_of(response.headers))
            have = 0
        if usable:
            _write_down(part, response, have, total, progress)
    if not usable:
        part.remove()
        if not version:
            raise _CutError("the server sent a piece that nobody asked for")
        _attempt(part, remedy, progress)  # once only: without a part there is no version


def _write_down(part: Part, response: Any, have: int, total: int | None, progress: Progress | None) -> None:
    """Append what arrives to the part; _CutError where it ends too early."""
    with part.path.open("ab") as stream:
        for chunk in _chunks(response):
            stream.write(chunk)
            have += len(chunk)
            if progress:
                progress(have, total)
    if total is not None and have != total:
        raise _CutError(f"the connection was cut after {have} of {total} bytes")


def _opened(url: str, have: int, version: str | None, remedy: str) -> Any:
    """Open the address from byte ``have`` on; 200, 206 and (after a range was asked for) 416 are answers."""
    headers = {"User-Agent": f"busight/{__version__}", "Accept-Encoding": "identity"}
    if version:
        headers |= {"Range": f"bytes={have}-", "If-Range": version}
    try:
        return _opener().open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == 416 and version:
            return error
        error.close()
        answer = f"the server answered {error.code} {error.reason}"
        if error.code in _WORTH_WAITING_FOR:
            raise _CutError(answer) from error
        raise DataError(f"{url}: {answer}; {remedy}") from error
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        reason = getattr(error, "reason", None) or error
        text = " ".join(str(reason).split()) or type(reason).__name__
        raise _CutError(f"no connection ({text})") from error


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_NoDowngrade)


class _NoDowngrade(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to an address that is not encrypted."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        allowed = {"https"} if req.type == "https" else {"https", "http"}
        if urlsplit(newurl).scheme not in allowed:
            raise urllib.error.HTTPError(newurl, code, "redirect to an address without https, refused", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _chunks(response: Any) -> Iterator[bytes]:
    """Yield what arrives; network errors become _CutError, so that an OSError of the caller is the disk's."""
    while True:
        try:
            chunk = response.read1(_CHUNK_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise _CutError(f"the connection was cut ({type(error).__name__})") from error
        if not chunk:
            return
        yield chunk


def _total(response: Any, have: int) -> int | None:
    """Return the size of the whole file, from Content-Range (206, 416) or Content-Length (200)."""
    whole = re.search(r"/(\d+)\s*$", response.headers.get("Content-Range", ""))
    if response.status != 200 and whole:
        return int(whole[1])
    length = response.headers.get("Content-Length", "")
    return int(length) + (have if response.status == 206 else 0) if length.isdecimal() else None


def _first_byte(headers: HTTPMessage) -> int | None:
    span = re.match(r"bytes (\d+)-", headers.get("Content-Range", ""))
    return int(span[1]) if span else None


def _version_of(headers: HTTPMessage) -> str | None:
    """Return the validator for If-Range; a weak ETag is none, because bytes may differ under it."""
    etag = headers.get("ETag", "")
    return etag if etag.startswith('"') else headers.get("Last-Modified")
