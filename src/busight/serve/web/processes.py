"""The processes of a site: the web server and the workers, started anew where one dies."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from busight.errors import OutputError
from busight.serve.web.site import Site

RESTART_SECONDS = 1.0
STOP_SECONDS = 15.0


@dataclass(slots=True)
class _Child:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes]
    begun: float


def run(site: Site, workers: int, say: Callable[[str], None]) -> None:
    """Serve until the process is told to stop.

    Args:
        site: The site, whose tables are there.
        workers: Processes that predict.
        say: Shows a line to the user.

    Raises:
        OutputError: The address is taken, or not one of this machine.
    """
    host, port = site.host_and_port
    _require_free(host, port, site.bind)
    environment = os.environ | site.environment() | {"DJANGO_SETTINGS_MODULE": "busight.serve.web.settings"}
    web = [sys.executable, "-m", "gunicorn", "busight.serve.web.wsgi:application", "--bind", site.bind]
    web += [
        "--workers",
        "2",
        "--threads",
        "4",
        "--timeout",
        "120",
        "--graceful-timeout",
        "10",
        "--log-level",
        "warning",
    ]
    commands = {"web server": web}
    for number in range(1, workers + 1):
        name = f"{socket.gethostname()}/{site.data.resolve().name}/{number}"
        commands[f"worker {number}"] = [sys.executable, "-m", "busight.serve.web.cases.worker", name]

    def start(name: str, command: list[str]) -> _Child:
        process = subprocess.Popen(command, env=environment, start_new_session=True)
        return _Child(name, command, process, time.monotonic())

    stopping = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stopping.set())
    children = [start(name, command) for name, command in commands.items()]
    try:
        say(f"http://{site.bind}/ (stop with Ctrl-C)")
        while not stopping.wait(0.2):
            for place, child in enumerate(children):
                code = child.process.poll()
                if code is not None and time.monotonic() - child.begun > RESTART_SECONDS:
                    say(f"{child.name} ended with {code}; starting it anew")
                    children[place] = start(child.name, child.command)
    finally:
        for child in children:
            child.process.terminate()
        until = time.monotonic() + STOP_SECONDS
        for child in children:
            try:
                child.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()


def _require_free(host: str, port: int, bind: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise OutputError(f"--bind {bind}: {error.strerror}; choose another address or port") from error
