"""Leakage study: one recipe under four evaluation protocols, from the most optimistic to the strictest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from busight.audit.checked_dataset import CheckedDataset, check_dataset
from busight.data.labels import TaskName
from busight.data.sources.catalogue import load_data
from busight.errors import DataError
from busight.experiments.compare import compare_runs
from busight.experiments.crossval import crossval, plan_folds
from busight.experiments.evaluate_folds import score_networks
from busight.experiments.facts import versions
from busight.experiments.jobs import open_jobs
from busight.io.atomic import write_json
from busight.io.progress import Progress, Silent
from busight.metrics.paired import Difference
from busight.metrics.table import MetricRows
from busight.recipes.load import recipe_toml
from busight.recipes.schema import Recipe
from busight.results.crossval_folder import By, Plan, fold_folders
from busight.results.leakage_record import LeakageRecord, ProtocolResult
from busight.results.plan_file import PLAN_FILE, write_plan
from busight.results.scoring import case_metrics

LEAKAGE_FILE = "leakage.json"


def leakage_study(
    recipe: Recipe,
    out: Path,
    plan: Plan,
    *,
    external: str = "",
    n_jobs: int = 1,
    resume: bool = False,
    command: str = "",
    progress: Progress | None = None,
) -> LeakageRecord:
    """Run one recipe under image folds, grouped folds, grouped folds without conflicting labels, and on other data.

    The folds are of equal size under every protocol, and each image is tested once per repeat, so that the protocols
    differ only in what may be in two subsets of a split.

    Args:
        recipe: The recipe.
        out: A new folder: ``image/``, ``group/`` and ``without_label_conflicts/`` are cross-validations, ``external/``
            the other data. Where no labels conflict there is no ``without_label_conflicts/``.
        plan: Folds and repeats; its ``by`` is not used.
        external: Another data set for the fourth protocol, tested with every network of the grouped folds; or empty.
        n_jobs: Parallel trainings; see `busight.experiments.jobs.run_jobs`.
        resume: Continue in the folder of an interrupted call with the same plan.
        command: The command line, for the record.
        progress: Receives stages, ticks and lines.

    Raises:
        BusightError: One line that names the fault; all checks are made before any training.
    """
    progress = progress or Silent()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    document = {"folds": plan.folds, "repeats": plan.repeats, "external": external, "recipe": recipe_toml(recipe)}
    listed = [load_data(spec) for spec in (external,) if spec]
    checked = open_jobs(
        _with_conflicts(recipe, "keep"), out, document, "leakage study", resume=resume, progress=progress
    )
    others = [check_dataset(dataset.read_as(checked.dataset.image_spec), progress) for dataset in listed]
    for other in others:
        _require_another_set(checked, other, recipe.classify.task)
    protocols_of = _protocols(recipe, checked)
    for name, protocol in protocols_of.items():
        plan_folds(protocol.recipe, out / name, replace(plan, by=protocol.by), protocol.checked)
    write_plan(out, document)
    records = {}
    for name, protocol in protocols_of.items():
        progress.stage(f"protocol: {DESCRIPTIONS[name]}")
        records[name] = crossval(
            protocol.recipe,
            out / name,
            replace(plan, by=protocol.by),
            n_jobs=n_jobs,
            resume=(out / name / PLAN_FILE).is_file(),
            command=command,
            progress=progress,
            checked=protocol.checked,
        )
    protocols = [
        ProtocolResult(
            name, DESCRIPTIONS[name], recipe.data.spec, record.metrics, _difference_to_grouped(name, out, recipe)
        )
        for name, record in records.items()
    ]
    bundles = [folder / "bundle" for folder in fold_folders(out / "group", plan)]
    for other in others:
        cases, labels = score_networks(bundles, other, out / "external", progress)
        metrics = case_metrics(cases, labels, recipe.assess)
        protocols.append(ProtocolResult("external", DESCRIPTIONS["external"], external, metrics, MetricRows()))
    record = LeakageRecord(
        title=recipe.name,
        command=command,
        started=started,
        recipe_toml=recipe_toml(recipe),
        data=records["group"].data,
        weights=records["group"].weights,
        versions=versions(),
        folds=plan.folds,
        repeats=plan.repeats,
        protocols=tuple(protocols),
    )
    write_json(out / LEAKAGE_FILE, record.document())
    return record


DESCRIPTIONS = {
    "image": "folds by image, as often published",
    "group": "folds by patient and near-duplicate",
    "without_label_conflicts": "likewise, conflicting labels left out",
    "external": "another data set, unchanged networks",
}
"""Each protocol in a few words."""


@dataclass(frozen=True, slots=True, eq=False)
class _Protocol:
    """A cross-validation of the study: its recipe, what its folds are grouped by, its data."""

    recipe: Recipe
    by: By
    checked: CheckedDataset


def _protocols(recipe: Recipe, checked: CheckedDataset) -> dict[str, _Protocol]:
    kept = _with_conflicts(recipe, "keep")
    protocols = {"image": _Protocol(kept, "image", checked), "group": _Protocol(kept, "group", checked)}
    if checked.in_conflict():  # without a conflicting label it would be the grouped folds again
        dropped = _Protocol(_with_conflicts(recipe, "drop"), "group", checked.without_conflicts())
        protocols["without_label_conflicts"] = dropped
    return protocols


def _with_conflicts(recipe: Recipe, conflicts: Literal["keep", "drop"]) -> Recipe:
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"label_conflicts": conflicts})})


def _require_another_set(checked: CheckedDataset, other: CheckedDataset, task: TaskName) -> None:
    spec = other.dataset.spec
    known = {entry.image_digest for entry in checked.rows}
    again = sum(entry.image_digest in known for entry in other.rows)
    if again:
        raise DataError(
            f"--external {spec}: {again} of its {len(other.samples)} images are in {checked.dataset.spec} "
            "too; name a set that the networks have not seen"
        )
    labels = checked.labels.for_task(task)
    if all(labels.class_of(sample.label) is None for sample in other.samples):
        raise DataError(f"--external {spec}: no image has a label of the task {task}; name a labelled set")


def _difference_to_grouped(name: str, out: Path, recipe: Recipe) -> MetricRows[Difference]:
    if name == "group":
        return MetricRows()
    return compare_runs(out / "group", out / name, recipe.assess).comparison.differences
