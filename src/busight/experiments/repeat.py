"""Repeated hold-out: one recipe with several seeds, each with its own split and training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from busight.data.split import leaking_pairs
from busight.errors import ConfigError
from busight.experiments.facts import versions
from busight.experiments.jobs import Job, open_jobs, plan_job, run_jobs
from busight.io.atomic import write_json
from busight.io.progress import Progress, Silent
from busight.metrics.repeats import seed_spread
from busight.metrics.table import MetricRows, MetricTable
from busight.model.bundle.load import load_bundle
from busight.recipes.load import recipe_toml
from busight.recipes.schema import Recipe
from busight.results.metrics_file import read_metrics
from busight.results.plan_file import write_plan
from busight.results.repeat_record import RepeatedMetric, RepeatRecord
from busight.results.store import METRICS_FILE

REPEAT_FILE = "repeat.json"

_RANGES = {"kappa": (-1.0, 1.0), "mcc": (-1.0, 1.0), "brier": (0.0, 2.0), "log_loss": (0.0, float("inf"))}
"""Ranges of metrics, where that is not 0 to 1."""


def repeat_seeds(
    recipe: Recipe,
    out: Path,
    count: int,
    *,
    n_jobs: int = 1,
    resume: bool = False,
    command: str = "",
    progress: Progress | None = None,
) -> RepeatRecord:
    """Run a recipe with several seeds, each with its own split by the recipe's rule and its own training.

    Args:
        recipe: The recipe; 0 to ``count - 1`` is added to ``split.seed`` and ``train.seed``.
        out: A new folder: ``seed-K/`` holds the files of a run, ``repeat.json`` the record.
        count: Number of seeds, 2 or more.
        n_jobs: Parallel trainings; see `busight.experiments.jobs.run_jobs`.
        resume: Continue in the folder of an interrupted call; finished seeds are kept.
        command: The command line, for the record.
        progress: Receives stages, ticks and lines.

    Raises:
        BusightError: One line that names the fault; splits that cannot be made are reported before any training.
    """
    progress = progress or Silent()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    if count < 2:
        raise ConfigError(f"{count} seeds: the spread over seeds needs at least 2")
    plan = {"seeds": count, "recipe": recipe_toml(recipe)}
    checked = open_jobs(recipe, out, plan, "series of seeds", resume=resume, progress=progress)
    jobs = [
        plan_job(f"seed {seed + 1} of {count}", seed_folder(out, seed), seed_recipe(recipe, seed), checked)
        for seed in range(count)
    ]
    write_plan(out, plan)
    run_jobs(jobs, n_jobs=n_jobs, command=command, progress=progress)
    record = _record(recipe, jobs, command, started)
    write_json(out / REPEAT_FILE, record.document())
    return record


def seed_recipe(recipe: Recipe, seed: int) -> Recipe:
    """Return the recipe of one seed; saved as a file, it runs this seed alone."""
    split = replace(recipe.split, seed=recipe.split.seed + seed)
    train = replace(recipe.train, seed=recipe.train.seed + seed)
    return recipe.model_copy(update={"split": split, "train": train})


def seed_folder(out: Path, seed: int) -> Path:
    """Return the folder of one seed."""
    return out / f"seed-{seed}"


def _record(recipe: Recipe, jobs: Sequence[Job], command: str, started: str) -> RepeatRecord:
    tables = [read_metrics(job.folder / METRICS_FILE) for job in jobs]
    checked, splits = jobs[0].checked, [job.split for job in jobs]
    n_train, n_test = (
        float(np.mean([len(getattr(split, subset)) for split in splits])) for subset in ("train", "test")
    )
    return RepeatRecord(
        title=recipe.name,
        command=command,
        started=started,
        recipe_toml=recipe_toml(recipe),
        data=checked.summary(),
        weights=load_bundle(jobs[0].folder).card.training.weights,
        versions=versions(),
        seeds=tuple(range(len(splits))),
        n_train=n_train,
        n_test=n_test,
        positive=tables[0].positive,
        lesion_comparison=tables[0].lesion_comparison,
        leaking_pairs=float(np.mean([leaking_pairs(split, checked.near_duplicate_ids()) for split in splits])),
        metrics=MetricRows(
            _repeated_metric(tables, row.metric, row.of, round(n_train), round(n_test)) for row in tables[0].rows
        ),
    )


def _repeated_metric(tables: Sequence[MetricTable], metric: str, of: str, train: int, test: int) -> RepeatedMetric:
    nan = float("nan")
    estimates = [table.find(metric, of) for table in tables]
    # A seed whose test subset lacks a class has no such metric.
    values = tuple(nan if estimate is None else estimate.value for estimate in estimates)
    ends = np.array([(e.low, e.high) for e in estimates if e is not None and e.low == e.low])
    low, high = ends.mean(axis=0).tolist() if len(ends) else (nan, nan)
    spread = seed_spread(values, train, test)
    # Two or three seeds give an interval that reaches beyond the metric's range.
    lowest, highest = _RANGES.get(metric, (0.0, 1.0))
    spread = replace(spread, low=max(spread.low, lowest), high=min(spread.high, highest))
    return RepeatedMetric(metric, of, spread, values, low, high)
