"""Jobs: a list of trainings (folds, repeats, protocols) and their runner. A finished job is not run again."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from busight.audit.checked_dataset import CheckedDataset, check_dataset
from busight.data.dataset import DataSet
from busight.data.sources.catalogue import load_data
from busight.data.split import Split, make_split
from busight.errors import BusightError, ConfigError
from busight.experiments.checks import check_data_is_named, require_classes_to_learn
from busight.io.cores import usable_cores, use_cores
from busight.io.progress import Progress
from busight.recipes.schema import Recipe
from busight.results.plan_file import open_planned_folder
from busight.results.store import RECIPE_FILE, is_finished


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One training with its evaluation.

    Attributes:
        name: Its name in messages, e.g. ``"repeat 1 of 3, fold 2 of 5"``.
        folder: Receives the files of a run.
        recipe: The recipe with the job's own split and seeds; saved as a file, it runs this job alone.
        checked: The data.
        split: The split that the recipe makes of them.
    """

    name: str
    folder: Path
    recipe: Recipe
    checked: CheckedDataset
    split: Split


def plan_job(name: str, folder: Path, recipe: Recipe, checked: CheckedDataset) -> Job:
    """Return a job with its split, without writing anything.

    Raises:
        DataError: The data cannot be split by the recipe, or a class of the task is missing in the train subset.
    """
    split = make_split(checked.samples, checked.groups, recipe.split)
    require_classes_to_learn(checked, split, recipe)
    return Job(name, folder, recipe, checked, split)


def open_jobs(
    recipe: Recipe,
    out: Path,
    plan: dict[str, Any],
    kind: str,
    *,
    resume: bool,
    progress: Progress,
    dataset: DataSet | None = None,
    checked: CheckedDataset | None = None,
) -> CheckedDataset:
    """Check folder, plan and data of an experiment with several jobs, without writing anything.

    Args:
        recipe: The recipe of all jobs.
        out: The folder of the experiment.
        plan: Content of its ``plan.json``.
        kind: The kind of experiment, in messages.
        resume: Continue in the folder of an interrupted call with the same plan.
        progress: Receives stages, ticks and lines.
        dataset: The recipe's data where they are listed already.
        checked: The recipe's data where they are read already.

    Returns:
        The data, read once for all jobs.

    Raises:
        BusightError: One line that names the fault.
    """
    check_data_is_named(recipe)
    open_planned_folder(out, plan, kind, resume)
    checked = checked or check_dataset(dataset or load_data(recipe.data.spec), progress, recipe.data.label_conflicts)
    checked.require_classes(recipe.classify.task)
    return checked


def run_jobs(jobs: Sequence[Job], *, n_jobs: int = 1, command: str = "", progress: Progress) -> None:
    """Run every job that is not finished; continue those that were interrupted.

    With ``n_jobs`` above 1 a script that calls this needs ``if __name__ == "__main__":``, as with `multiprocessing`.

    Args:
        jobs: The jobs, in their order.
        n_jobs: Parallel jobs, each in a process of its own on its share of the cores. With another number of cores sums
            are in another order, so that results differ as on another processor.
        command: The command line, for the records.
        progress: Receives stages, ticks and lines.

    Raises:
        BusightError: One line that names the fault; jobs running in parallel are stopped and can be resumed.
    """
    if n_jobs < 1:
        raise ConfigError(f"{n_jobs} jobs at a time: at least 1 is needed")
    if n_jobs > 1:
        _run_in_processes(jobs, n_jobs, command, progress)
        return
    for job in jobs:
        progress.stage(job.name)
        if is_finished(job.folder, job.split, job.checked):
            progress.line("finished before")
        else:
            _run(job, command, progress)


def _run(job: Job, command: str, progress: Progress) -> None:
    from busight.experiments.run import run

    begun = (job.folder / RECIPE_FILE).is_file()
    run(job.recipe, job.folder, resume=begun, command=command, progress=progress, checked=job.checked)


@dataclass(frozen=True, slots=True, eq=False)
class _Running:
    job: Job
    process: BaseProcess
    cores: list[int]


class _Sent:
    """Progress of a job in another process: it sends stages and lines, not ticks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def stage(self, name: str) -> None:
        self._connection.send(("stage", name))

    def tick(self, done: int, total: int) -> None:
        pass

    def line(self, text: str) -> None:
        self._connection.send(("line", text))


def _run_in_processes(jobs: Sequence[Job], n_jobs: int, command: str, progress: Progress) -> None:
    cores = usable_cores()
    n_jobs = min(n_jobs, len(jobs))
    # With more jobs than cores, several share one.
    shares = [cores[place::n_jobs] or [cores[place % len(cores)]] for place in range(n_jobs)]
    waiting, running = list(jobs), dict[Connection, _Running]()
    try:
        while waiting or running:
            while waiting and shares:
                job = waiting.pop(0)
                if is_finished(job.folder, job.split, job.checked):
                    progress.stage(job.name)
                    progress.line("finished before")
                    continue
                progress.stage(job.name)
                connection, one = _start(job, shares.pop(), command)
                running[connection] = one
            for ready in wait(list(running)):
                assert isinstance(ready, Connection)
                one = running[ready]
                try:
                    kind, content = ready.recv()
                except EOFError:
                    del running[ready]
                    shares.append(one.cores)
                    _require_success(one)
                    progress.line(f"{one.job.name}: done")
                else:
                    _tell(one.job.name, kind, content, progress)
    finally:
        for one in running.values():
            one.process.terminate()
            one.process.join()


def _start(job: Job, cores: list[int], command: str) -> tuple[Connection, _Running]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_in_process, args=(job, cores, command, sender), name=job.name)
    process.start()
    sender.close()  # the process has its own copy: when that is closed, the receiver gets EOF
    return receiver, _Running(job, process, cores)


def _in_process(job: Job, cores: list[int], command: str, connection: Connection) -> None:
    import signal

    # Ctrl-C reaches every process of a terminal; the one that started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    use_cores(cores)
    import torch

    torch.set_num_threads(len(cores))
    with suppress(BrokenPipeError):
        try:
            _run(job, command, _Sent(connection))
        except (BusightError, ImportError, MemoryError, OSError) as error:
            connection.send(("error", error))
        except KeyboardInterrupt:
            sys.exit(1)  # the process that started this one stopped it, and says so


def _tell(name: str, kind: str, content: Any, progress: Progress) -> None:
    if kind == "error":
        raise content
    (progress.stage if kind == "stage" else progress.line)(f"{name}: {content}")


def _require_success(one: _Running) -> None:
    one.process.join()
    if one.process.exitcode:
        raise BusightError(
            f"{one.job.name}: its process ended with exit code {one.process.exitcode} (a negative one is a signal, -9 "
            "mostly want of memory); go on with --resume, with fewer --jobs"
        )
