"""A client of the web application: upload images to a BUSight server, wait, read the answers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import requests

from busight.errors import ServerError

_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


class Client:
    """A connection to a server.

    Example:
        >>> client = Client("http://127.0.0.1:8000", token)  # doctest: +SKIP
        >>> batch = client.upload(Path("images").glob("*.png"))  # doctest: +SKIP
        >>> for case in client.wait(batch):  # doctest: +SKIP
        ...     print(case["name"], case["label"], case["positive_prob"])
    """

    def __init__(self, address: str, token: str, timeout: float = 60.0) -> None:
        """Keep the address and the token.

        Args:
            address: ``https://…``; plain ``http://`` for this machine alone, since the token travels with each request.
            token: Made in the browser under Account, Tokens.
            timeout: Seconds for one request.

        Raises:
            ServerError: The token would travel unencrypted to another machine.
        """
        parts = urlsplit(address)
        if parts.scheme != "https" and parts.hostname not in _LOCAL:
            raise ServerError(f"{address}: the token would travel unencrypted; give an address with https://")
        self._base, self._timeout = address.rstrip("/") + "/api/v1", timeout
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def upload(self, files: Iterable[Path], name: str = "", pseudonym: str = "") -> str:
        """Upload files, one request each, and return the id of their batch.

        Raises:
            ServerError: No file was given, or one was refused at the door; those before it are there.
        """
        batch = ""
        for file in files:
            data = {"name": name, "pseudonym": pseudonym} | ({"batch": batch} if batch else {})
            with file.open("rb") as content:
                told = self._ask("POST", "/uploads", data=data, files={"uploads": (file.name, content)}).json()
            if told["refused"]:
                raise ServerError(told["refused"][0]["reason"])
            batch = told["batch"]
        if not batch:
            raise ServerError("no file to upload; name at least one")
        return batch

    def batch(self, batch: str) -> dict[str, Any]:
        """Return how far a batch is, with the fate of each file."""
        found: dict[str, Any] = self._ask("GET", f"/batches/{batch}").json()
        return found

    def wait(self, batch: str, seconds: float = 600.0) -> list[dict[str, Any]]:
        """Wait until all cases of a batch are finished, and return them.

        Raises:
            ServerError: They are not, within the time.
        """
        until = time.monotonic() + seconds
        while not (told := self.batch(batch))["is_done"]:
            if time.monotonic() > until:
                raise ServerError(f"batch {batch}: not finished within {seconds:g} s ({told['states']}); wait longer")
            time.sleep(0.3)
        return list(self.cases(batch=batch))

    def cases(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Yield cases, the newest first; filters are ``state``, ``search``, ``flagged`` and ``batch``."""
        offset = 0
        while True:
            told = self._ask("GET", "/cases", params={**filters, "offset": offset, "limit": 200}).json()
            yield from told["cases"]
            offset += len(told["cases"])
            if not told["cases"] or offset >= told["total"]:
                return

    def case(self, case: str) -> dict[str, Any]:
        """Return a case with its prediction record and descriptors."""
        found: dict[str, Any] = self._ask("GET", f"/cases/{case}").json()
        return found

    def review(
        self, case: str, verdict: Literal["agreed", "disagreed", "overridden"], label: str = "", reason: str = ""
    ) -> None:
        """Add a review; a reason where it differs, a class where it overrides."""
        self._ask("POST", f"/cases/{case}/reviews", json={"verdict": verdict, "label": label, "reason": reason})

    def page(self, case: str, seconds: float = 120.0) -> bytes:
        """Return the page of a case as PDF.

        Raises:
            ServerError: It is not ready within the time.
        """
        until = time.monotonic() + seconds
        while (answer := self._ask("GET", f"/cases/{case}/page.pdf")).status_code == 202:
            if time.monotonic() > until:
                raise ServerError(f"case {case}: its page is not ready within {seconds:g} s; ask later")
            time.sleep(0.5)
        return answer.content

    def _ask(self, method: str, path: str, **named: Any) -> requests.Response:
        address = self._base + path
        try:
            answer = self._session.request(method, address, timeout=self._timeout, allow_redirects=False, **named)
        except requests.RequestException as error:
            raise ServerError(f"{self._base}: does not answer ({type(error).__name__}); is it running?") from error
        if answer.status_code >= 300:
            raise ServerError(f"{method} {path}: {_reason(answer)} ({answer.status_code})")
        return answer


def _reason(answer: requests.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return "no answer of a BUSight server"
    return detail if isinstance(detail, str) else "; ".join(str(one.get("msg", one)) for one in detail)
