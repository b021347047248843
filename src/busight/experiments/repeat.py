"""One protocol with several seeds: how much of a score is luck of split and training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from busight._version import __version__
from busight.audit.checked_dataset import DataSummary, Material, gather
from busight.data.sources.catalogue import load
from busight.data.split import Split, crossing_pairs
from busight.errors import RecipeError
from busight.experiments.checks import check_data_is_named
from busight.experiments.facts import versions
from busight.experiments.jobs import plan_member, run_series
from busight.io.atomic import write_json
from busight.io.progress import Progress, Silent
from busight.metrics.repeats import SeedSpread, seed_spread
from busight.metrics.table import ScoreSheet
from busight.model.bundle.load import load_bundle
from busight.recipes.load import recipe_toml
from busight.recipes.schema import Recipe
from busight.results.metrics_file import read_metrics
from busight.results.plan_file import open_planned_folder, write_plan
from busight.results.store import DONE_FILE

SEEDS_FILE = "seeds.json"

_RANGES = {"kappa": (-1.0, 1.0), "mcc": (-1.0, 1.0), "brier": (0.0, 2.0), "log_loss": (0.0, float("inf"))}
"""What a score can be, where that is not 0 to 1."""


@dataclass(frozen=True, slots=True)
class SeedScore:
    """One figure over the seeds.

    Attributes:
        metric: As in a score sheet.
        of: As in a score sheet.
        spread: Over the seeds.
        values: For each seed; NaN where undefined.
        single_low: Mean over the seeds of the lower end of one seed's own interval.
        single_high: Likewise the upper end.
    """

    metric: str
    of: str
    spread: SeedSpread
    values: tuple[float, ...]
    single_low: float
    single_high: float


@dataclass(frozen=True, slots=True)
class SeedsRecord:
    """The outcome: everything that ``seeds.json`` tells.

    Attributes:
        recipe: The recipe's name.
        command: The command line as typed.
        started: UTC, ISO 8601.
        seeds: Those that were added to the recipe's own.
        n_train: Training images of a seed, on average.
        n_test: Test images of a seed, on average.
        crossing_pairs: Copies on two sides of a split, on average.
        data: What went in.
        weights: A sentence: where the initial weights came from.
        scores: Every figure.
        recipe_toml: The recipe in full.
        versions: (library, version).
    """

    recipe: str
    command: str
    started: str
    seeds: tuple[int, ...]
    n_train: float
    n_test: float
    crossing_pairs: float
    data: DataSummary
    weights: str
    scores: tuple[SeedScore, ...]
    recipe_toml: str
    versions: tuple[tuple[str, str], ...]

    def find(self, metric: str, of: str) -> SeedScore | None:
        """Return one figure, None where the task does not have it."""
        return next((one for one in self.scores if (one.metric, one.of) == (metric, of)), None)

    def document(self) -> dict[str, Any]:
        """Return the content of ``seeds.json``; NaN is null there."""
        return {"format": 1, "created_by": f"busight {__version__}", **asdict(self)}


def repeat_seeds(
    recipe: Recipe,
    out: Path,
    count: int,
    *,
    resume: bool = False,
    command: str = "",
    progress: Progress | None = None,
) -> SeedsRecord:
    """Run a recipe with seed after seed: another split by the recipe's own rule, another training.

    Args:
        recipe: What to do; 0 to ``count - 1`` is added to ``split.seed`` and ``train.seed``.
        out: A new folder: ``seed-K/`` holds what a run leaves, ``seeds.json`` the outcome.
        count: Seeds, 2 or more.
        resume: Go on in a folder that an interrupted call left; finished seeds are kept.
        command: The command line, for the record.
        progress: Told what happens.

    Raises:
        BusightError: One line that names what is wrong; splits that cannot be made are noticed before any training.
    """
    progress = progress or Silent()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    if count < 2:
        raise RecipeError(f"{count} seeds: the spread over seeds needs at least 2")
    check_data_is_named(recipe)
    plan = {"seeds": count, "recipe": recipe_toml(recipe)}
    open_planned_folder(out, plan, "series of seeds", resume)
    material = gather(load(recipe.data.spec), progress, recipe.data.label_conflicts)
    material.require_classes(recipe.classify.task)
    members = [
        plan_member(f"seed {seed + 1} of {count}", seed_folder(out, seed), seed_recipe(recipe, seed), material)
        for seed in range(count)
    ]
    write_plan(out, plan)
    run_series(members, material, command, progress)
    record = _record(recipe, out, material, [member.split for member in members], command, started)
    write_json(out / SEEDS_FILE, record.document())
    return record


def seed_recipe(recipe: Recipe, seed: int) -> Recipe:
    """Return the recipe of one seed; saved as a file, it runs this seed alone."""
    split = replace(recipe.split, seed=recipe.split.seed + seed)
    train = replace(recipe.train, seed=recipe.train.seed + seed)
    return recipe.model_copy(update={"split": split, "train": train})


def seed_folder(out: Path, seed: int) -> Path:
    """Return the folder of one seed."""
    return out / f"seed-{seed}"


def _record(
    recipe: Recipe, out: Path, material: Material, splits: Sequence[Split], command: str, started: str
) -> SeedsRecord:
    sheets = [read_metrics(seed_folder(out, seed) / DONE_FILE) for seed in range(len(splits))]
    n_train, n_test = (float(np.mean([len(getattr(split, part)) for split in splits])) for part in ("train", "test"))
    return SeedsRecord(
        recipe=recipe.name,
        command=command,
        started=started,
        seeds=tuple(range(len(splits))),
        n_train=n_train,
        n_test=n_test,
        crossing_pairs=float(np.mean([crossing_pairs(split, material.pair_ids()) for split in splits])),
        data=material.summary(),
        weights=load_bundle(seed_folder(out, 0)).card.training.weights,
        scores=tuple(_score(sheets, one.metric, one.of, round(n_train), round(n_test)) for one in sheets[0].scores),
        recipe_toml=recipe_toml(recipe),
        versions=versions(),
    )


def _score(sheets: Sequence[ScoreSheet], metric: str, of: str, train: int, test: int) -> SeedScore:
    # A seed whose test part lacks a class has no such figure.
    nan = float("nan")
    found = [next((s for s in sheet.scores if (s.metric, s.of) == (metric, of)), None) for sheet in sheets]
    values = tuple(nan if one is None else one.value for one in found)
    ends = np.array([(one.low, one.high) for one in found if one is not None and one.low == one.low])
    low, high = ends.mean(axis=0).tolist() if len(ends) else (nan, nan)
    spread = seed_spread(values, train, test)
    # Two or three seeds give an interval that reaches beyond what a score can be.
    least, most = _RANGES.get(metric, (0.0, 1.0))
    spread = replace(spread, low=max(spread.low, least), high=min(spread.high, most))
    return SeedScore(metric, of, spread, values, low, high)
