"""Cross-validation: in each repeat every image is tested once, by a network that its group was held out from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from busight._version import __version__
from busight.audit.checked_dataset import CheckedDataset
from busight.data.dataset import DataSet
from busight.data.sources.catalogue import load_data
from busight.data.split import SplitKind, leaking_pairs, source_names
from busight.errors import ConfigError
from busight.experiments.checks import check_data_is_named
from busight.experiments.facts import limitations, versions
from busight.experiments.jobs import Job, open_jobs, plan_job, run_jobs
from busight.io.atomic import write_json
from busight.io.progress import Progress, Silent
from busight.model.bundle.card import Card
from busight.model.bundle.load import load_bundle
from busight.recipes.load import recipe_toml
from busight.recipes.schema import Recipe
from busight.results.crossval_folder import CROSSVAL_FILE, By, Plan, fold_folder, repeat_cases
from busight.results.ensemble import ensemble_cases
from busight.results.metrics_file import read_metrics
from busight.results.plan_file import write_plan
from busight.results.records import CrossValidationRecord, FoldMetrics
from busight.results.scoring import case_metrics, subgroup_metrics
from busight.results.store import METRICS_FILE


def crossval(
    recipe: Recipe,
    out: Path,
    plan: Plan,
    *,
    n_jobs: int = 1,
    resume: bool = False,
    command: str = "",
    progress: Progress | None = None,
    checked: CheckedDataset | None = None,
) -> CrossValidationRecord:
    """Train and test every fold of every repeat, then compute the metrics over all of them.

    Args:
        recipe: The recipe; its split is replaced by folds, its seeds are raised by one for each repeat.
        out: A new folder: ``repeat-R/fold-F/`` holds what a run leaves, ``crossval.json`` the metrics.
        plan: Folds and repeats.
        n_jobs: Parallel trainings; see `busight.experiments.jobs.run_jobs`.
        resume: Continue in the folder of an interrupted call with the same plan; finished folds are kept.
        command: The command line, for the record.
        progress: Receives stages, ticks and lines.
        checked: The recipe's data where they are read already; None reads them.

    Raises:
        BusightError: One line that names the fault; folds that cannot be made are reported before any training.
    """
    progress = progress or Silent()
    began, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    check_data_is_named(recipe)
    dataset = load_data(recipe.data.spec) if checked is None else checked.dataset
    if plan.by == "source":
        plan = plan_of_sources(recipe, dataset, plan)
    document = _plan_document(recipe, plan)
    checked = open_jobs(
        recipe, out, document, "cross-validation", resume=resume, progress=progress, dataset=dataset, checked=checked
    )
    jobs = plan_folds(recipe, out, plan, checked)
    write_plan(out, document)
    run_jobs(jobs, n_jobs=n_jobs, command=command, progress=progress)
    progress.stage("metrics over all folds")
    record = _record(recipe, out, plan, jobs, command, started)
    write_json(out / CROSSVAL_FILE, crossval_document(record, plan))
    return replace(record, stage_seconds=(("cross-validation", time.monotonic() - began),))


def plan_folds(recipe: Recipe, out: Path, plan: Plan, checked: CheckedDataset) -> list[Job]:
    """Return the jobs of all folds, without writing anything.

    Args:
        recipe: The recipe, whose split is replaced.
        out: Folder of the cross-validation.
        plan: Folds and repeats.
        checked: The data.

    Raises:
        DataError: A fold cannot be made.
    """
    return [
        plan_job(
            f"repeat {repeat + 1} of {plan.repeats}, {_fold_name(plan, fold, checked)}",
            fold_folder(out, repeat, fold),
            fold_recipe(recipe, plan, repeat, _number(plan, fold, checked)),
            checked,
        )
        for repeat in range(plan.repeats)
        for fold in range(plan.folds)
    ]


def _fold_name(plan: Plan, fold: int, checked: CheckedDataset) -> str:
    if plan.by == "source":
        return f"without {source_names(checked.samples)[_number(plan, fold, checked)]}"
    return f"fold {fold + 1} of {plan.folds}"


def _number(plan: Plan, fold: int, checked: CheckedDataset) -> int:
    """Return the fold of the split: by source the number of the data set that is left out."""
    return source_names(checked.samples).index(plan.left_out[fold]) if plan.left_out else fold


def fold_recipe(recipe: Recipe, plan: Plan, repeat: int, fold: int) -> Recipe:
    """Return the recipe of one fold, both counted from 0; saved as a file, it runs this fold alone."""
    seed = recipe.split.seed + repeat
    folds = max(plan.folds, fold + 1, 2)
    split = replace(recipe.split, kind=_KINDS[plan.by], folds=folds, fold=fold, seed=seed)
    train = replace(recipe.train, seed=recipe.train.seed + repeat)
    return recipe.model_copy(update={"split": split, "train": train})


_KINDS: dict[By, SplitKind] = {"group": "kfold_by_group", "image": "kfold_by_image", "source": "leave_one_source_out"}


def plan_of_sources(recipe: Recipe, dataset: DataSet, plan: Plan) -> Plan:
    """Return the plan that leaves out each of a recipe's joined data sets in turn, or those that a plan names.

    Raises:
        ConfigError: The recipe joins no data sets, or none of a name.
    """
    names = source_names(dataset.samples)
    if len(names) < 2:
        raise ConfigError(
            f"--by source: {recipe.data.spec} is one data set; join several as --data 'busi:PATH + busbra:PATH'"
        )
    for wanted in plan.left_out:
        if wanted not in names:
            raise ConfigError(f"--leave-out {wanted}: no data set of this name; joined are {', '.join(names)}")
    return Plan(len(plan.left_out or names), plan.repeats, "source", plan.left_out)


def crossval_document(record: CrossValidationRecord, plan: Plan) -> dict[str, object]:
    """Return ``crossval.json``: every metric over all repeats, and its value in each fold. NaN is null there."""
    metrics = []
    for row in record.metrics.rows:
        of_folds = (fold.metrics.find(row.metric, row.of) for fold in record.folds)
        by_fold = [of_fold.value for of_fold in of_folds if of_fold is not None]
        defined = np.array([value for value in by_fold if value == value])
        metrics.append(
            {
                **row.document(),
                "folds": by_fold,
                "folds_mean": float(defined.mean()) if defined.size else None,
                "folds_std": float(defined.std(ddof=1)) if defined.size > 1 else None,
            }
        )
    return {
        "format": 1,
        "created_by": f"busight {__version__}",
        "data": record.data.spec,
        "data_digest": record.data.digest,
        "by": plan.by,
        "folds": plan.folds,
        "repeats": plan.repeats,
        "classes": list(record.classes),
        "n_images": record.metrics.n_images,
        "n_groups": record.metrics.n_groups,
        "level": record.metrics.level,
        "resamples": record.metrics.resamples,
        "metrics": metrics,
        "ensemble": [row.document() for row in (record.ensemble.rows if record.ensemble else ())],
    }


def _record(
    recipe: Recipe,
    out: Path,
    plan: Plan,
    jobs: Sequence[Job],
    command: str,
    started: str,
) -> CrossValidationRecord:
    repeats, labels = repeat_cases(out)
    metrics = case_metrics(repeats, labels, recipe.assess)
    ensemble = None
    if plan.repeats > 1:
        ensemble = case_metrics([ensemble_cases(repeats, labels.names)], labels, recipe.assess)
    cards = [load_bundle(job.folder).card for job in jobs]
    checked = jobs[0].checked
    data = checked.summary()
    crossing = sum(leaking_pairs(job.split, checked.near_duplicate_ids()) for job in jobs)
    fold_limitations = _fold_limitations(plan, crossing, len(jobs))
    folds = tuple(
        FoldMetrics(repeat + 1, fold + 1, read_metrics(fold_folder(out, repeat, fold) / METRICS_FILE))
        for repeat in range(plan.repeats)
        for fold in range(plan.folds)
    )
    return CrossValidationRecord(
        title=recipe.name,
        command=command,
        started=started,
        stage_seconds=(),
        recipe_toml=recipe_toml(recipe),
        classes=labels.names,
        network=f"{plan.repeats} × {plan.folds} networks by the recipe {recipe.name}, one a fold and repeat.",
        weights=cards[0].training.weights,
        calibration=_calibration_sentence(cards),
        comparable_with_paper=checked.dataset.name == "busi" and recipe.classify.task == "multiclass",
        data=data,
        digests=(("data", data.digest),),
        versions=versions(),
        metrics=metrics,
        cases=tuple(case for cases in repeats for case in cases),
        limitations=(*fold_limitations, *limitations(data, None, metrics, recipe)),
        warnings=fold_limitations if plan.by == "image" else (),
        subgroups=subgroup_metrics(repeats, labels, recipe.assess),
        folds=folds,
        ensemble=ensemble,
    )


def _calibration_sentence(cards: Sequence[Card]) -> str:
    fitted = sum(card.decision.calibration.calibrator.method != "none" for card in cards)
    sentence = f"In {fitted} of {len(cards)} folds a calibration, each on its own validation images."
    without = next((card for card in cards if card.decision.calibration.calibrator.method == "none"), None)
    return sentence if without is None else f"{sentence} Elsewhere none: {without.decision.calibration.source}."


def _fold_limitations(plan: Plan, crossing: int, n_splits: int) -> tuple[str, ...]:
    if plan.by == "image":
        return (
            f"Folds by image: on average {crossing / n_splits:.0f} near-duplicate pairs lie on two sides of a split, "
            "so the networks were trained on copies of what they are tested on. The metrics are too high.",
        )
    if plan.by == "source":
        return (
            f"Each of the {plan.folds} data sets was tested by networks trained on the others alone. The metrics over "
            "all images mix networks and hospitals: read them fold by fold.",
        )
    one_repeat = (
        f"{plan.repeats} repeat: the interval does not include the variance of folds and seed; use --repeats 3 or more."
    )
    return (one_repeat,) if plan.repeats < 2 else ()


def _plan_document(recipe: Recipe, plan: Plan) -> dict[str, object]:
    folds = {"folds": plan.folds, "repeats": plan.repeats, "by": plan.by, "left_out": list(plan.left_out)}
    return {**folds, "recipe": recipe_toml(recipe)}
