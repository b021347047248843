"""Search of a recipe's hyper-parameters by Optuna, on grouped inner folds that never hold a test image."""

from __future__ import annotations

import logging
import math
import shutil
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.study import MaxTrialsCallback
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from busight.audit.checked_dataset import CheckedDataset, check_dataset
from busight.data.sources.catalogue import load_data
from busight.data.split import make_split
from busight.errors import ConfigError, DataError, OutputError
from busight.experiments.checks import check_data_is_named
from busight.experiments.crossval import fold_recipe
from busight.experiments.jobs import plan_job, run_jobs
from busight.io.atomic import write_text
from busight.io.csv_text import csv_text
from busight.io.digests import sha256_of_json
from busight.io.progress import Progress, Silent
from busight.recipes.load import recipe_toml, with_values
from busight.recipes.schema import Recipe
from busight.recipes.tune_section import Choices
from busight.results.crossval_folder import Plan
from busight.results.metrics_file import read_metrics
from busight.results.store import METRICS_FILE

BEST_FILE = "best.toml"
TRIALS_FILE = "trials.csv"

_DONE = (TrialState.COMPLETE, TrialState.PRUNED)
_HEARTBEAT_S = 60
_TRIES = 4
_RANDOM_TRIALS = 5
"""Trials before the pruner has a median to compare with."""


@dataclass(frozen=True, slots=True)
class TuneResult:
    """The outcome of a search.

    Attributes:
        study: Name of the study in its storage.
        best: The best recipe.
        value: Its metric, the mean over the inner folds.
        values: The values that were searched, of the best recipe.
        trials: Finished and pruned trials of the study, those of other processes too.
    """

    study: str
    best: Recipe
    value: float
    values: Mapping[str, Any]
    trials: int


def tune(
    recipe: Recipe,
    out: Path,
    storage: str,
    trials: int,
    *,
    heartbeat_s: int = _HEARTBEAT_S,
    progress: Progress | None = None,
    checked: CheckedDataset | None = None,
) -> TuneResult:
    """Search the recipe's ``tune.space`` until its study has so many finished trials, and write the best recipe.

    The study's name holds the digest of recipe and data: the same call goes on with it, and several processes on one
    storage share it, each with its own ``out``. A trial's values depend on ``train.seed``, its number and the trials
    before it alone. A trial whose process was ended is tried again once its heartbeat is twice overdue.

    Args:
        recipe: The recipe.
        out: A folder of this process: ``best.toml``, ``trials.csv``, and the trainings of the running trial.
        storage: URL of an SQL database, e.g. ``sqlite:///study.db`` or ``postgresql://...``.
        trials: Trials of the study in all. Processes that are at work when it is reached finish their trial.
        heartbeat_s: Seconds between two signs of life of a process.
        progress: Receives stages, ticks and lines.
        checked: The recipe's data where they are read already; None reads them.

    Raises:
        BusightError: One line that names the fault.
    """
    progress = progress or Silent()
    check_data_is_named(recipe)
    _require_space(recipe)
    with _storage_errors():
        database = _database(storage, heartbeat_s)
        checked = checked or check_dataset(load_data(recipe.data.spec), progress, recipe.data.label_conflicts)
        inner = _without_test(recipe, checked)
        name = f"{recipe.name}-{sha256_of_json([recipe_toml(recipe), checked.digest])[:12]}"
        pruner = optuna.pruners.MedianPruner(n_startup_trials=_RANDOM_TRIALS)
        direction = recipe.tune.direction
        study = optuna.create_study(
            storage=database, study_name=name, load_if_exists=True, direction=direction, pruner=pruner
        )
        progress.line(f"study {name}: {_count(study)} of {trials} trials done")
        search = _Search(recipe, inner, out / "trials", trials, progress)
        if _count(study) < trials:
            study.optimize(search, callbacks=[MaxTrialsCallback(trials, _DONE), search.tell])
        return _written(recipe, study, out)


def _require_space(recipe: Recipe) -> None:
    """Raise for a space that is empty, or holds a key or value that a recipe may not have."""
    if not recipe.tune.space:
        raise ConfigError(
            f'recipe {recipe.name}: tune.space is empty; write e.g. "train.learning_rate" = {{low = 1e-4, high = 1e-2, '
            "log = true} below [tune.space]"
        )
    for key, allowed in recipe.tune.space.items():
        if key.partition(".")[0] in ("tune", "data", "split", "name"):
            raise ConfigError(f"tune.space: {key} decides what is measured, and is no setting of the model; remove it")
        for value in allowed.choices if isinstance(allowed, Choices) else (allowed.low, allowed.high):
            with_values(recipe, {key: value})


def _without_test(recipe: Recipe, checked: CheckedDataset) -> CheckedDataset:
    split = make_split(checked.samples, checked.groups, recipe.split)
    known = {*split.train, *split.val}
    return checked.subset([place for place, sample in enumerate(checked.samples) if sample.sample_id in known])


@dataclass(slots=True)
class _Search:
    """The objective: the mean of a metric over the inner folds."""

    recipe: Recipe
    inner: CheckedDataset
    folder: Path
    trials: int
    progress: Progress
    folds: dict[int, list[float]] = field(default_factory=dict)

    def __call__(self, trial: Trial) -> float:
        # Of its own for each trial: two processes, or a call that goes on, would else draw the same values again.
        trial.study.sampler = optuna.samplers.TPESampler(seed=self.recipe.train.seed + trial.number)
        values = {key: _suggested(trial, key, allowed) for key, allowed in self.recipe.tune.space.items()}
        try:
            chosen = with_values(self.recipe, values)
        except ConfigError as error:  # each value is allowed, but not all of them together
            trial.set_user_attr("refused", str(error))
            raise optuna.TrialPruned from error
        # By the values: a trial that is tried again goes on with its finished folds.
        folder = self.folder / sha256_of_json(values)[:16]
        self.progress.stage(f"trial {trial.number + 1}: {_text(values)}")
        try:
            return self._mean_of_folds(trial, chosen, folder)
        except KeyboardInterrupt:
            trial.study.enqueue_trial(trial.params)
            trial.study.tell(trial, state=TrialState.FAIL)
            raise

    def _mean_of_folds(self, trial: Trial, chosen: Recipe, folder: Path) -> float:
        tuning, scores = self.recipe.tune, []
        for fold in range(tuning.folds):
            settings = fold_recipe(chosen, Plan(tuning.folds, 1, "group"), 0, fold)
            # The interval is not looked at; the value does not depend on the resamples.
            settings = settings.model_copy(update={"assess": replace(settings.assess, resamples=100)})
            job = plan_job(
                f"inner fold {fold + 1} of {tuning.folds}", folder / f"fold-{fold + 1}", settings, self.inner
            )
            run_jobs([job], progress=self.progress)
            scores.append(_score(job.folder, tuning.metric, tuning.of))
            trial.set_user_attr("folds", scores)
            trial.report(float(np.mean(scores)), fold)
            if fold + 1 < tuning.folds and trial.should_prune():
                shutil.rmtree(folder)
                raise optuna.TrialPruned
        shutil.rmtree(folder)
        return float(np.mean(scores))

    def tell(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Report a finished trial."""
        value = "pruned" if trial.state == TrialState.PRUNED else f"{trial.value:.4f}"
        self.progress.line(f"trial {trial.number + 1}: {self.recipe.tune.metric} {value}")
        self.progress.tick(min(_count(study), self.trials), self.trials)


def _suggested(trial: Trial, key: str, allowed: Any) -> Any:
    if isinstance(allowed, Choices):
        return trial.suggest_categorical(key, allowed.choices)
    if isinstance(allowed.low, int) and isinstance(allowed.high, int):
        return trial.suggest_int(key, allowed.low, allowed.high, log=allowed.log)
    return trial.suggest_float(key, float(allowed.low), float(allowed.high), log=allowed.log)


def _score(folder: Path, metric: str, of: str) -> float:
    rows = read_metrics(folder / METRICS_FILE).rows
    found = rows.find(metric, of)
    if found is None:
        known = ", ".join(dict.fromkeys(f"{row.metric} of {row.of}" for row in rows))
        raise ConfigError(f"tune.metric {metric} of {of}: not measured here; choose one of {known}")
    if math.isnan(found.value):
        raise DataError(f"tune.metric {metric} of {of}: undefined on an inner fold; use fewer tune.folds or more data")
    return found.value


def _count(study: optuna.Study) -> int:
    return len(study.get_trials(deepcopy=False, states=_DONE))


def _written(recipe: Recipe, study: optuna.Study, out: Path) -> TuneResult:
    """Write the best recipe and the table of trials."""
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not finished:
        raise ConfigError("every trial was refused or pruned; look at tune.space: its values do not go together")
    keys = list(recipe.tune.space)
    header = ["trial", "state", recipe.tune.metric, *(f"fold {fold + 1}" for fold in range(recipe.tune.folds)), *keys]
    rows = [_row(trial, recipe.tune.folds, keys) for trial in study.get_trials(deepcopy=False, states=_DONE)]
    write_text(out / TRIALS_FILE, csv_text([header, *rows]))
    best = with_values(recipe, study.best_params)
    write_text(out / BEST_FILE, recipe_toml(best))
    return TuneResult(study.study_name, best, study.best_value, study.best_params, _count(study))


def _row(trial: FrozenTrial, n_folds: int, keys: list[str]) -> list[Any]:
    scores = list(trial.user_attrs.get("folds", []))
    scores += [""] * (n_folds - len(scores))
    value = trial.value if trial.state == TrialState.COMPLETE else ""
    return [trial.number + 1, trial.state.name.lower(), value, *scores, *(trial.params.get(key, "") for key in keys)]


def _text(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}" for key, value in values.items()
    )


def _database(storage: str, heartbeat_s: int) -> RDBStorage:
    """Open the database; of two processes that make its tables at once, one is refused and tries again."""
    optuna.logging.set_verbosity(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        for number in range(1, _TRIES + 1):
            try:
                return RDBStorage(
                    storage,
                    heartbeat_interval=heartbeat_s,
                    grace_period=2 * heartbeat_s,
                    heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(),
                )
            except DBAPIError:
                if number == _TRIES:
                    raise
                time.sleep(number / 4)
    raise AssertionError("the last try returns or raises")


@contextmanager
def _storage_errors() -> Iterator[None]:
    """Turn errors of the database into one line; its URL may hold a password and is not repeated."""
    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0][:200]
        raise OutputError(f"--storage: the database refuses ({reason}); check the URL, or leave it away") from error
    except ImportError as error:
        missing = getattr(error.__cause__ or error.__context__, "name", None) or error.name or "a driver"
        raise OutputError(f"--storage: this database needs {missing}; install it, or use sqlite:///FILE") from error
