"""Resumable HTTP downloads: a downloader for pooch."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import requests

from busight._version import __version__

Progress = Callable[[int, int | None], None]
"""Called with the bytes received and the bytes expected (None where the server does not say)."""

TIMEOUT_S = 30.0
"""A connection that is silent for this long counts as cut."""

PAUSE_S = 0.5
"""First pause before a new attempt; doubled, up to 8 s, while attempts receive nothing."""

_IDLE_ATTEMPTS = 4
_ATTEMPTS = 100  # at 2 MB an attempt, enough for BUSI's 200 MB
_CHUNK_BYTES = 1 << 13  # less than this is lost when a connection is cut
_WORTH_WAITING_FOR = frozenset({408, 429, 500, 502, 503, 504})


class ResumingDownloader:
    """Downloads over HTTP into a partial file that a later attempt, or a later call, continues.

    pooch's own downloader begins every attempt at the first byte. Whether the pieces are of one version is not checked
    with the server: pooch compares the SHA-256 of the whole.

    Attributes:
        part: The partial file.
        progress: Called after every piece.

    Source:
        RFC 9110, sections 14.2 (Range), 14.4 (Content-Range), 15.5.17 (416).
    """

    def __init__(self, part: Path, progress: Progress | None = None) -> None:
        self.part = part
        self.progress = progress

    def __call__(self, url: str, output_file: str, pooch: object = None, check_only: bool = False) -> None:
        """Download a file as pooch asks for it; retry when the connection is cut after some bytes were received.

        Raises:
            requests.RequestException: No connection, an HTTP error, or too many cuts. The partial file stays.
            OSError: The partial file cannot be written. It stays as well.
        """
        idle, arrived = 0, False
        for attempt in range(1, _ATTEMPTS + 1):
            before = self._size()
            try:
                self._attempt(url)
                break
            except requests.RequestException as error:
                came = self._size() > before
                arrived, idle = arrived or came, 0 if came else idle + 1
                final = error.response is not None and error.response.status_code not in _WORTH_WAITING_FOR
                if final or not arrived or idle > _IDLE_ATTEMPTS or attempt == _ATTEMPTS:
                    raise
                time.sleep(min(PAUSE_S * 2**idle, 8.0))
        self.part.replace(output_file)

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _attempt(self, url: str) -> None:
        """Request the missing bytes once and append them to the partial file; raise where some did not arrive."""
        have = self._size()
        headers = {"User-Agent": f"busight/{__version__}", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
            span = response.headers.get("Content-Range", "")
            if response.status_code == 416 and span == f"bytes */{have}":
                return None  # the file was complete before
            continues = response.status_code == 206 and span.startswith(f"bytes {have}-")
            if have and response.status_code in {206, 416} and not continues:
                self.part.unlink()  # the partial file does not fit the server's file
                return self._attempt(url)
            response.raise_for_status()
            have = have if continues else 0
            length = response.headers.get("Content-Length", "")
            total = have + int(length) if length.isdecimal() else None
            with self.part.open("ab" if continues else "wb") as stream:
                for chunk in response.iter_content(_CHUNK_BYTES):
                    stream.write(chunk)
                    have += len(chunk)
                    if self.progress:
                        self.progress(have, total)
        return None


def reason(error: requests.RequestException) -> str:
    """Return in a few words why a download failed."""
    if error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    # requests wraps the errors of urllib3, which wrap those of the system: the innermost names the cause.
    cause: BaseException = error
    while cause.__context__ is not None:
        cause = cause.__context__
    return f"no connection, or it was cut ({' '.join(str(cause).split()) or type(cause).__name__})"
