"""Several processes on one machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import wait as wait_for_end

from busight.archive.work import Finished, Part, Work
from busight.errors import BusightError
from busight.io.cores import usable_cores


def run_in_pool(work: Work, parts: Sequence[Part], workers: int = 0) -> Iterator[Finished]:
    """Yield each part when it is finished.

    Args:
        work: How a part is predicted.
        parts: The parts.
        workers: Processes; 0 for one a core.

    Raises:
        BusightError: One line that names the fault; a worker that was killed is one.
    """
    n_workers = min(workers or len(usable_cores()), len(parts))
    others = set(multiprocessing.active_children())
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_workers, mp_context=spawn, initializer=_begin) as pool:
        waiting = iter(parts)
        running: set[Future[Finished]] = set()
        try:
            while True:
                for part in waiting:
                    running.add(pool.submit(work.predict, part))
                    if len(running) > n_workers:  # one more than can run, so that none waits
                        break
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        except BrokenProcessPool as error:
            raise BusightError(
                "a worker process was ended from outside, mostly for want of memory; the finished parts stay, go on "
                "with the same command and fewer --workers"
            ) from error
        finally:
            if running:
                for process in set(multiprocessing.active_children()) - others:
                    process.terminate()
            # Python would wake the thread of a pool that nobody waits for when it exits, and print "Bad file
            # descriptor" where that thread is just closing its pipe.
            pool.shutdown(cancel_futures=True)


def _begin() -> None:
    # Ctrl-C reaches every process of a terminal; the one that started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=partial(_end_with, parent.sentinel), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """End this process when its parent is gone: a killed parent cannot do it."""
    wait_for_end([sentinel])
    os._exit(1)
