"""Load on a site of its own: images through the queue, then users who read at once."""

from __future__ import annotations

import os
import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import requests

from busight.errors import ServerError
from busight.io.progress import Progress

_PAGES = ("worklist", "case page")


@dataclass(frozen=True, slots=True)
class ServeSpeed:
    """What was measured.

    Attributes:
        database: ``sqlite`` or ``postgresql``.
        images: Images uploaded.
        upload_seconds: Until the last upload was taken in.
        queue_seconds: Until the last image was answered, from the first upload on.
        predict_seconds: What ``busight predict`` takes for the same files, the start of its process among it.
        throughput: ``predict_seconds / queue_seconds``: 1 where uploading and the queue are as quick as the command.
        failed: Uploads or cases that failed.
        users: Users at once.
        think_seconds: Mean pause of a user between two pages.
        milliseconds: (page, median, 95th percentile, requests) of each page.
        errors: Requests of users that failed.
        memory_mb: Resident memory of all processes, before, after the images, after the users.
    """

    database: str
    images: int
    upload_seconds: float
    queue_seconds: float
    predict_seconds: float
    throughput: float
    failed: int
    users: int
    think_seconds: float
    milliseconds: tuple[tuple[str, float, float, int], ...]
    errors: int
    memory_mb: tuple[float, float, float]

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


def measure_serve(
    files: Sequence[Path],
    users: int,
    seconds: float,
    progress: Progress,
    database: str = "",
    think_seconds: float = 3.0,
) -> ServeSpeed:
    """Measure a site that is made for it, in a temporary folder.

    Args:
        files: Images to upload.
        users: Users who read at once.
        seconds: How long they read.
        progress: Receives the stages.
        database: An empty database of PostgreSQL; empty for SQLite.
        think_seconds: Mean pause of a user between two pages.

    Raises:
        ServerError: The site does not come up, or an upload is refused.
    """
    with tempfile.TemporaryDirectory(prefix="busight-bench-") as folder:
        progress.stage("predict")
        begun = time.monotonic()
        command = [sys.executable, "-m", "busight", "predict", *map(str, files), "--out", f"{folder}/records.json"]
        subprocess.run(command, check=True, capture_output=True)
        predict_seconds = time.monotonic() - begun
        with _site(Path(folder) / "data", database) as (address, process, password):
            before = _memory_mb(process)
            progress.stage("uploads")
            session = _logged_in(address, password)
            begun = time.monotonic()
            batch = _upload(session, address, files, progress)
            upload_seconds = time.monotonic() - begun
            progress.stage("queue")
            failed = _wait(session, address, batch)
            queue_seconds = time.monotonic() - begun
            after_images = _memory_mb(process)
            progress.stage(f"{users} users")
            times, errors = _read_at_once(address, password, users, seconds, think_seconds)
            after_users = _memory_mb(process)
    return ServeSpeed(
        database="postgresql" if database else "sqlite",
        images=len(files),
        upload_seconds=upload_seconds,
        queue_seconds=queue_seconds,
        predict_seconds=predict_seconds,
        throughput=predict_seconds / queue_seconds,
        failed=failed,
        users=users,
        think_seconds=think_seconds,
        milliseconds=tuple(
            (page, *(1000 * np.percentile(times[page], (50, 95))).tolist(), len(times[page]))
            for page in _PAGES
            if times[page]
        ),
        errors=errors,
        memory_mb=(before, after_images, after_users),
    )


@contextmanager
def _site(data: Path, database: str) -> Iterator[tuple[str, int, str]]:
    password = secrets.token_urlsafe(16)
    where = ["--data", str(data), *(["--database", database] if database else [])]
    user = [sys.executable, "-m", "busight", "serve", "user", "bench", "--role", "reviewer", "--password-stdin", *where]
    subprocess.run(user, input=password + "\n", text=True, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "busight", "serve", *where, "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > until:
                raise ServerError(f"{address}: the site does not come up; try busight serve by itself")
            time.sleep(0.2)
        yield address, process.pid, password
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/login/", timeout=5).ok
    except requests.RequestException:
        return False


def _logged_in(address: str, password: str) -> requests.Session:
    session = requests.Session()
    session.get(f"{address}/login/", timeout=60)
    form = {"username": "bench", "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    session.post(f"{address}/login/", form, timeout=60).raise_for_status()
    return session


def _upload(session: requests.Session, address: str, files: Sequence[Path], progress: Progress) -> str:
    batch = ""
    for place, file in enumerate(files, start=1):
        form = {"paths": file.name, "batch": batch, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
        with file.open("rb") as content:
            given = {"uploads": (file.name, content)}
            answer = session.post(
                f"{address}/upload/", form, files=given, headers={"Accept": "application/json"}, timeout=60
            )
        told = answer.json()
        if answer.status_code != 200 or told["files"][0]["reason"]:
            raise ServerError(f"{file}: {told.get('reason') or told['files'][0]['reason']}")
        batch = told["batch"]
        progress.tick(place, len(files))
    return batch


def _wait(session: requests.Session, address: str, batch: str) -> int:
    """Wait until a batch is finished; return how many of its files or cases failed."""
    while True:
        page = session.get(f"{address}/batches/{batch}/", timeout=60, headers={"HX-Request": "true"}).text
        if "hx-trigger" not in page:
            counted = re.findall(r"<b>(\d+)</b> (refused|failed)", page)
            return sum(int(count) for count, _ in counted)
        time.sleep(0.5)


def _read_at_once(
    address: str, password: str, users: int, seconds: float, think_seconds: float
) -> tuple[dict[str, list[float]], int]:
    times: dict[str, list[float]] = defaultdict(list)
    errors = [0]
    lock = threading.Lock()
    sessions = [_logged_in(address, password) for _ in range(users)]
    until = time.monotonic() + seconds

    def ask(session: requests.Session, page: str, path: str) -> str:
        begun = time.monotonic()
        try:
            answer = session.get(address + path, timeout=60)
            text, good = answer.text, answer.ok
        except requests.RequestException:
            text, good = "", False
        with lock:
            times[page].append(time.monotonic() - begun)
            errors[0] += not good
        return text

    def read(session: requests.Session, number: int) -> None:
        dice = random.Random(number)  # nosec - no secret
        time.sleep(dice.uniform(0, think_seconds))
        while time.monotonic() < until:
            cases = re.findall(r'data-row="(/cases/[^"]+)"', ask(session, "worklist", "/worklist/"))
            for _ in range(3):
                time.sleep(dice.expovariate(1 / think_seconds))
                if cases and time.monotonic() < until:
                    ask(session, "case page", dice.choice(cases))

    threads = [threading.Thread(target=read, args=(session, number)) for number, session in enumerate(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, errors[0]


def _memory_mb(pid: int) -> float:
    """Return the resident memory of a process and all below it."""
    pages, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            pages += int(Path(f"/proc/{one}/statm").read_text().split()[1])
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
