"""A real HTTP server on this machine that cuts, stalls and lies."""

import hashlib
import http.server
import io
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


def zip_with(seed: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(3):
            archive.writestr(f"Tiny/benign ({number}).png", hashlib.shake_128(seed + bytes([number])).digest(100_000))
    return stream.getvalue()


CONTENT = zip_with(b"first")
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Site:
    """What the server has and how it misbehaves; ``cuts`` and ``statuses`` are used up, one a request."""

    content: bytes = CONTENT
    ranges: bool = True
    wrong_start: int = 0
    says_length: bool = True
    cuts: list[int] = field(default_factory=list)
    stalls: bool = False
    statuses: list[int] = field(default_factory=list)
    redirect: str | None = None
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


class Handler(http.server.BaseHTTPRequestHandler):
    site: Site
    over = threading.Event()

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        site, wanted = self.site, self.headers["Range"]
        site.asked.append(wanted)
        if site.statuses:
            return self.send_error(site.statuses.pop(0))
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and site.ranges else 0
        if start >= len(site.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(site.content)}")
            return self.end_headers()
        return self.send(start)

    def send(self, start: int) -> None:
        site = self.site
        self.send_response(302 if site.redirect else 206 if start else 200)
        headers = {"Location": site.redirect}
        if start:
            start += site.wrong_start
            headers["Content-Range"] = f"bytes {start}-{len(site.content) - 1}/{len(site.content)}"
        if site.says_length:
            headers["Content-Length"] = str(len(site.content) - start)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        cut = site.cuts.pop(0) if site.cuts else None
        try:
            self.wfile.write(site.content[start:] if cut is None else site.content[start : start + cut])
        except (BrokenPipeError, ConnectionResetError):
            return  # the client was interrupted
        if cut is not None and site.stalls:
            self.over.wait(5)


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve the site at ``site.url`` until the block ends."""
    handler = type("OneHandler", (Handler,), {"site": site, "over": threading.Event()})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        site.url = f"http://127.0.0.1:{server.server_address[1]}/tiny.zip"
        try:
            yield site
        finally:
            handler.over.set()
            server.shutdown()
            thread.join()
