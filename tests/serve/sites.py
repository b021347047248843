"""A running site for tests: `busight serve` in a process of its own, and what tests do to it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import requests
from playwright.sync_api import Page

PASSWORD = "correct horse battery staple"
USERS = {
    "rita": ("reader",),
    "rob": ("reader",),
    "vera": ("reviewer",),
    "adam": ("administrator",),
}


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def busight(*arguments: object, text: str = "") -> subprocess.CompletedProcess[str]:
    """Call the command line."""
    command = [sys.executable, "-m", "busight", *map(str, arguments)]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)


@dataclass
class Client:
    """A logged-in user without a browser."""

    site: RunningSite
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, **named: Any) -> requests.Response:
        """Ask for a page, without following where it leads."""
        return self.session.get(self.site.address + path, allow_redirects=False, timeout=60, **named)

    def post(self, path: str, data: Any = None, **named: Any) -> requests.Response:
        """Send a form, with its token."""
        given = list((data or {}).items()) if isinstance(data, dict) or data is None else list(data)
        given.append(("csrfmiddlewaretoken", self.session.cookies.get("csrftoken", "")))
        return self.session.post(self.site.address + path, given, allow_redirects=False, timeout=120, **named)

    def log_in(self, name: str, password: str = PASSWORD) -> requests.Response:
        """Log in."""
        self.get("/login/")
        return self.post("/login/", {"username": name, "password": password})

    def upload(self, files: Sequence[tuple[str, bytes]], batch: str = "", **more: str) -> dict[str, Any]:
        """Upload files as the page's script does, all in one request."""
        data = [("paths", name) for name, _ in files] + [("batch", batch), *more.items()]
        parts = [("uploads", (Path(name).name, content)) for name, content in files]
        answer = self.post("/upload/", data, files=parts, headers={"Accept": "application/json"})
        told: dict[str, Any] = answer.json()
        return told | {"status": answer.status_code}


@dataclass
class RunningSite:
    """A site and its processes."""

    data: Path
    port: int
    database: str = ""
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def where(self) -> list[str]:
        """Options of every command."""
        return ["--data", str(self.data), *(["--database", self.database] if self.database else [])]

    def add_users(self) -> None:
        """Make the users of the tests."""
        for name, roles in USERS.items():
            role = [part for role in roles for part in ("--role", role)]
            done = busight("serve", "user", name, *role, *self.where, "--password-stdin", text=PASSWORD + "\n")
            assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "busight", "serve", *self.where, "--bind", f"127.0.0.1:{self.port}"]
        with (self.data.parent / f"{self.data.name}.log").open("ab") as log:
            self.process = subprocess.Popen([*command, *self.options], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_for(self.answers, 60)

    def answers(self) -> bool:
        """Return whether it answers."""
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        with contextlib.suppress(requests.RequestException):
            return requests.get(self.address + "/login/", timeout=5).status_code == 200
        return False

    def log(self) -> str:
        """Return what its processes said."""
        return (self.data.parent / f"{self.data.name}.log").read_text()

    def stop(self, sign: int = signal.SIGTERM) -> None:
        """Stop it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(sign)
            self.process.wait(30)

    def pids(self, what: str) -> list[int]:
        """Return the processes whose command holds a word: ``"gunicorn"``, ``"cases.worker"``, ``"cases.decoder"``."""
        assert self.process is not None
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if any(what in part for part in child.cmdline()):
                    found.append(child.pid)
        return found

    def kill(self, what: str) -> int:
        """Kill such processes as a full memory does; return how many there were."""
        pids = self.pids(what)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(pids)

    def client(self, name: str = "") -> Client:
        """Return a client, logged in where a name is given."""
        client = Client(self)
        if name:
            assert client.log_in(name).status_code == 302
        return client

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database itself."""
        if self.database:
            with psycopg.connect(self.database, autocommit=True) as connection:
                cursor = connection.execute(statement)  # type: ignore[call-overload]
                return cursor.fetchall() if cursor.description else []
        with contextlib.closing(sqlite3.connect(self.data / "busight.sqlite3", timeout=30)) as connection:
            rows = connection.execute(statement).fetchall()
            connection.commit()
            return rows

    def wait_until_done(self, seconds: float = 120) -> None:
        """Wait until nothing is received or running."""
        waiting = "SELECT count(*) FROM {} WHERE state IN ('received', 'running')"

        def is_done() -> bool:
            if any(self.sql(waiting.format(table))[0][0] for table in ("cases_upload", "cases_case")):
                return False
            return self.sql("SELECT count(*) FROM cases_case WHERE state = 'done' AND details IS NULL") == [(0,)]

        wait_for(is_done, seconds, lambda: f"{self.states()}\n{self.log()[-3000:]}")

    def states(self) -> dict[str, int]:
        """Return how many uploads and cases are in each state."""
        counted = "SELECT state, count(*) FROM {} GROUP BY state"
        return {
            f"{table} {state}": count
            for table in ("cases_upload", "cases_case")
            for state, count in self.sql(counted.format(table))
        }


def log_in(page: Page, name: str) -> None:
    """Log in by the form."""
    page.goto("/login/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda address: "/login/" not in address)


def wait_for(is_so: Callable[[], bool], seconds: float, tell: Callable[[], str] = str) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, f"not within {seconds} s: {tell()}"
        time.sleep(0.2)


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run PostgreSQL in a folder of its own; yield the address of an empty database."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    folder.mkdir(parents=True)
    as_user: list[str] = []
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(folder, "postgres")
        for parent in folder.parents:
            if parent.stat().st_mode & 0o001 == 0:
                parent.chmod(parent.stat().st_mode | 0o011)
        as_user = ["runuser", "-u", "postgres", "--"]
    port, cluster = free_port(), folder / "cluster"

    def program(name: str, *arguments: str) -> None:
        command = [*as_user, str(programs[-1] / name), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"

    program("initdb", "-D", str(cluster), "-U", "busight", "--auth=trust", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    start = [*as_user, str(programs[-1] / "pg_ctl"), "start", "-w", "-D", str(cluster), "-o", options]
    subprocess.run([*start, "-l", str(folder / "log")], check=True, stdout=subprocess.DEVNULL, cwd=folder)
    try:
        program("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "busight", "busight")
        yield f"postgres://busight@127.0.0.1:{port}/busight"
    finally:
        program("pg_ctl", "stop", "-m", "immediate", "-D", str(cluster))
