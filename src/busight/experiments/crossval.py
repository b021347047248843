"""Cross-validation: in each repeat every image is tested once, by a network that never saw its group."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from busight._version import __version__
from busight.audit.checked_dataset import Material, gather
from busight.data.dataset import DataSet
from busight.data.sources.catalogue import load
from busight.data.split import SplitKind, crossing_pairs, source_names
from busight.errors import ConfigError
from busight.experiments.checks import check_data_is_named, require_classes_to_learn
from busight.experiments.facts import limits, versions
from busight.experiments.jobs import Member, plan_member, run_series
from busight.io.atomic import write_json
from busight.io.progress import Progress, Silent
from busight.metrics.table import Score, ScoreSheet
from busight.model.bundle.card import Card
from busight.model.bundle.load import load_bundle
from busight.recipes.load import recipe_toml
from busight.recipes.schema import Recipe
from busight.results.crossval_folder import SCORES_FILE, By, Plan, fold_folder, repeat_cases
from busight.results.ensemble import together
from busight.results.metrics_file import read_metrics
from busight.results.plan_file import open_planned_folder, write_plan
from busight.results.run_record import FoldScores, RunRecord
from busight.results.scoring import repeated_sheet, subgroups_of
from busight.results.store import DONE_FILE


def crossval(
    recipe: Recipe,
    out: Path,
    plan: Plan,
    *,
    resume: bool = False,
    command: str = "",
    progress: Progress | None = None,
    material: Material | None = None,
) -> RunRecord:
    """Train and test every fold of every repeat, then score all of them together.

    Args:
        recipe: What to do; its own split is replaced by folds, its seeds are raised by one a repeat.
        out: A new folder: ``repeat-R/fold-F/`` holds what a run leaves, ``crossval.json`` the scores.
        plan: Folds and repeats.
        resume: Go on in a folder that an interrupted call of the same plan left; finished folds are kept.
        command: The command line, for the record.
        progress: Told what happens.
        material: The recipe's data where they are read already; None reads them.

    Raises:
        BusightError: One line that names what is wrong; folds that cannot be made are noticed before any training.
    """
    progress = progress or Silent()
    began, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    check_data_is_named(recipe)
    dataset = load(recipe.data.spec) if material is None else material.dataset
    if plan.by == "source":
        plan = plan_of_sources(recipe, dataset, plan.repeats)
    open_planned_folder(out, _plan_document(recipe, plan), "cross-validation", resume)
    material = material or gather(dataset, progress, recipe.data.label_conflicts)
    material.require_classes(recipe.classify.task)
    members = plan_folds(recipe, out, plan, material)
    for member in members:
        require_classes_to_learn(material, member.split, recipe.classify.task)
    write_plan(out, _plan_document(recipe, plan))
    run_series(members, material, command, progress)
    progress.stage("all folds together")
    record = _record(recipe, out, plan, material, members, command, started)
    write_json(out / SCORES_FILE, scores_document(record, plan))
    return replace(record, stage_seconds=(("cross-validation", time.monotonic() - began),))


def plan_folds(recipe: Recipe, out: Path, plan: Plan, material: Material) -> list[Member]:
    """Make the splits of all folds; nothing is written.

    Args:
        recipe: Whose split is replaced.
        out: Folder of the cross-validation.
        plan: Folds and repeats.
        material: The data.

    Raises:
        DataError: A fold cannot be made.
    """
    return [
        plan_member(
            f"repeat {repeat + 1} of {plan.repeats}, {_fold_name(plan, fold, material)}",
            fold_folder(out, repeat, fold),
            fold_recipe(recipe, plan, repeat, fold),
            material,
        )
        for repeat in range(plan.repeats)
        for fold in range(plan.folds)
    ]


def _fold_name(plan: Plan, fold: int, material: Material) -> str:
    if plan.by == "source":
        return f"without {source_names(material.samples)[fold]}"
    return f"fold {fold + 1} of {plan.folds}"


def fold_recipe(recipe: Recipe, plan: Plan, repeat: int, fold: int) -> Recipe:
    """Return the recipe of one fold, both counted from 0; saved as a file, it runs this fold alone."""
    seed = recipe.split.seed + repeat
    split = replace(recipe.split, kind=_KINDS[plan.by], folds=plan.folds, fold=fold, seed=seed)
    train = replace(recipe.train, seed=recipe.train.seed + repeat)
    return recipe.model_copy(update={"split": split, "train": train})


_KINDS: dict[By, SplitKind] = {"group": "folds", "image": "image-folds", "source": "source-folds"}


def plan_of_sources(recipe: Recipe, dataset: DataSet, repeats: int) -> Plan:
    """Return the plan that leaves out each of the data sets that a recipe joins, in turn.

    Raises:
        ConfigError: It joins none.
    """
    names = source_names(dataset.samples)
    if len(names) < 2:
        raise ConfigError(
            f"--by source: {recipe.data.spec} is one data set; join several as --data 'busi:PATH + busbra:PATH'"
        )
    return Plan(len(names), repeats, "source")


def scores_document(record: RunRecord, plan: Plan) -> dict[str, object]:
    """Return ``crossval.json``: every figure over all repeats, and what it was in each fold. NaN is null there."""
    scores = []
    for score in record.sheet.scores:
        by_fold = [fold.sheet.get(score.metric, score.of).value for fold in record.folds if _has(fold.sheet, score)]
        defined = np.array([value for value in by_fold if value == value])
        scores.append(
            {
                **score.document(),
                "folds": by_fold,
                "folds_mean": float(defined.mean()) if defined.size else None,
                "folds_sd": float(defined.std(ddof=1)) if defined.size > 1 else None,
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
        "n_images": record.sheet.n_images,
        "n_groups": record.sheet.n_groups,
        "level": record.sheet.level,
        "resamples": record.sheet.resamples,
        "scores": scores,
        "repeats_together": [score.document() for score in (record.together.scores if record.together else ())],
    }


def _has(sheet: ScoreSheet, score: Score) -> bool:
    return any((one.metric, one.of) == (score.metric, score.of) for one in sheet.scores)


def _record(
    recipe: Recipe, out: Path, plan: Plan, material: Material, members: Sequence[Member], command: str, started: str
) -> RunRecord:
    repeats, classes = repeat_cases(out)
    sheet = repeated_sheet(repeats, classes, recipe.assess)
    cards = [load_bundle(member.folder).card for member in members]
    data = material.summary()
    crossing = sum(crossing_pairs(member.split, material.pair_ids()) for member in members)
    folds = tuple(
        FoldScores(repeat + 1, fold + 1, read_metrics(fold_folder(out, repeat, fold) / DONE_FILE))
        for repeat in range(plan.repeats)
        for fold in range(plan.folds)
    )
    return RunRecord(
        kind="crossval",
        title=recipe.name,
        command=command,
        started=started,
        stage_seconds=(),
        recipe_toml=recipe_toml(recipe),
        classes=classes,
        network=f"{plan.repeats} × {plan.folds} networks by the recipe {recipe.name}, one a fold and repeat.",
        weights=cards[0].training.weights,
        calibration=_calibration_sentence(cards),
        paper_comparison=material.dataset.name == "busi" and recipe.classify.task == "multiclass",
        data=data,
        split=None,
        digests=(("data", data.digest),),
        versions=versions(),
        histories=(),
        sheet=sheet,
        cases=tuple(case for cases in repeats for case in cases),
        walks=(),
        gallery=(),
        limits=(*_fold_limits(plan, crossing, len(members)), *limits(data, None, sheet, recipe)),
        warnings=_fold_limits(plan, crossing, len(members)) if plan.by == "image" else (),
        subgroups=subgroups_of(repeats, classes, recipe.assess),
        folds=folds,
        together=repeated_sheet([together(repeats, classes)], classes, recipe.assess) if plan.repeats > 1 else None,
    )


def _calibration_sentence(cards: Sequence[Card]) -> str:
    fitted = sum(card.decision.calibration.calibrator.method != "none" for card in cards)
    told = f"In {fitted} of {len(cards)} folds a calibration, each on its own validation images."
    without = next((card for card in cards if card.decision.calibration.calibrator.method == "none"), None)
    return told if without is None else f"{told} Elsewhere none: {without.decision.calibration.source}."


def _fold_limits(plan: Plan, crossing: int, n_splits: int) -> tuple[str, ...]:
    if plan.by == "image":
        return (
            f"Folds by image: on average {crossing / n_splits:.0f} near-duplicate pairs lie on two sides of a split, "
            "so the networks have seen copies of what they are tested on. The scores are too high.",
        )
    if plan.by == "source":
        return (
            f"Each of the {plan.folds} data sets was tested by networks trained on the others alone. The scores over "
            "all images mix networks and hospitals: read them fold by fold.",
        )
    few = (f"{plan.repeats} repeat: the interval does not hold the luck of folds and seed; use --repeats 3 or more.",)
    return few if plan.repeats < 2 else ()


def _plan_document(recipe: Recipe, plan: Plan) -> dict[str, object]:
    return {"folds": plan.folds, "repeats": plan.repeats, "by": plan.by, "recipe": recipe_toml(recipe)}
