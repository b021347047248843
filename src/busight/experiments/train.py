"""Training: from a recipe to a finished model and its bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from busight.audit.checked_dataset import CheckedDataset, check_dataset
from busight.data.manifest_file import write_manifest
from busight.data.sources.catalogue import load_data
from busight.data.split import SUBSETS, Split, make_split
from busight.data.split_file import read_split, write_split
from busight.decision.fit import CalibrationCases, fit_decision
from busight.errors import ConfigError, DataError, OutputError
from busight.experiments.checks import (
    check_data_is_named,
    require_classes_to_learn,
    require_split_file,
    warn_other_data,
)
from busight.experiments.networks import BuiltNetwork, TrainedNetwork, build_networks
from busight.experiments.pretrained import require_unseen, training_digests_of_weights
from busight.experiments.scoring import of_predictions, score_samples
from busight.experiments.training import StageTimer, train_networks
from busight.experiments.training_images import with_training_images
from busight.io.atomic import require_free_folder, write_text
from busight.io.progress import Progress, Silent
from busight.model.bundle.finish import finished
from busight.model.model import Model
from busight.recipes.load import recipe_toml
from busight.recipes.schema import Recipe
from busight.results.case import Case
from busight.results.cases_file import read_cases, write_cases
from busight.results.store import CASES_FILE, MANIFEST_FILE, METRICS_FILE, RECIPE_FILE, SPLIT_FILE
from busight.training.accelerator import started_by_torchrun, trainer_device
from busight.types import FloatArray, Prediction, Rejected, Sample, prediction_of


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """A finished training.

    Attributes:
        model: The finished model: calibrated, its bundle saved.
        checked: The data.
        split: The split of the data.
        networks: The trained networks, for the report.
        stage_seconds: (stage, seconds), in order.
    """

    model: Model
    checked: CheckedDataset
    split: Split
    networks: dict[str, TrainedNetwork]
    stage_seconds: tuple[tuple[str, float], ...]


def train(
    recipe: Recipe,
    out: Path,
    *,
    split_file: Path | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    checked: CheckedDataset | None = None,
) -> Model:
    """Train a model by a recipe. The test subset is held out and never read.

    Args:
        recipe: The recipe; ``data.spec`` names the data.
        out: A new folder. It receives ``recipe.toml``, ``manifest.csv``, ``split.json``, ``training/`` and ``bundle/``.
        split_file: A split to use instead of making one.
        resume: Continue in the folder of an interrupted training by the same recipe.
        progress: Receives stages, ticks and lines.
        checked: The recipe's data where they are read already; None reads them.

    Returns:
        The finished model; its bundle is ``out/bundle``.

    Raises:
        BusightError: One line that names the fault; see `busight.errors`.
    """
    timer = StageTimer(progress or Silent())
    return run_training(recipe, out, timer, split_file=split_file, resume=resume, checked=checked).model


def run_training(
    recipe: Recipe,
    out: Path,
    timer: StageTimer,
    *,
    split_file: Path | None = None,
    resume: bool = False,
    checked: CheckedDataset | None = None,
) -> Training:
    """Train as `train` does, and return everything that a report needs."""
    progress = timer.progress
    check_data_is_named(recipe)
    if started_by_torchrun():
        raise ConfigError(
            "torchrun would start several whole runs in one folder; start this once, with --set train.devices=N"
        )
    trainer_device(recipe.train)
    _open_folder(out, recipe, resume)
    require_split_file(split_file)
    # Cheap checks come first: the path of the data before any download, weights before the data are read.
    dataset = load_data(recipe.data.spec) if checked is None else checked.dataset
    built = build_networks(recipe, len(dataset.labels.for_task(recipe.classify.task).names))
    recipe.preprocess(dataset.image_spec)
    checked = checked or check_dataset(dataset, progress, recipe.data.label_conflicts)
    checked.require_classes(recipe.classify.task)
    split = _split(recipe, checked, split_file, out, resume)
    _require_parts(split, bool(built))
    require_classes_to_learn(checked, split, recipe)
    require_unseen(training_digests_of_weights(recipe), checked, split)
    warn_other_data(split_file, checked, progress)
    # Only once data and split are valid: after an error there the same --out can be used again.
    write_text(out / RECIPE_FILE, recipe_toml(recipe))
    write_manifest(out / MANIFEST_FILE, checked.manifest, checked.groups)
    write_split(out / SPLIT_FILE, split, checked.digest)
    timer.lap("data and split")
    model, networks = _undecided(built, recipe, checked, split, out, timer)
    cases = _calibration_cases(model, recipe, checked, split, out, timer)
    decision = fit_decision(model.decision, cases, model.labels, recipe.assess)
    model = finished(model.with_card(model.card.changed(decision=decision)))
    timer.lap("decision")
    return Training(model, checked, split, networks, tuple(timer.seconds))


def _undecided(
    built: dict[str, BuiltNetwork], recipe: Recipe, checked: CheckedDataset, split: Split, out: Path, timer: StageTimer
) -> tuple[Model, dict[str, TrainedNetwork]]:
    """Train everything but calibration, threshold and prediction sets."""
    model, networks = train_networks(built, recipe, checked, split, out, timer)
    # Before any case is scored: the fusion with the descriptor model changes the logits that are calibrated.
    model = with_training_images(model, checked, split, recipe.assess.descriptor_weight, timer.progress)
    timer.lap("training images")
    return model, networks


def _calibration_cases(
    model: Model, recipe: Recipe, checked: CheckedDataset, split: Split, out: Path, timer: StageTimer
) -> CalibrationCases:
    tuned = model.card.segment is not None and recipe.segment.tune_postprocess_on == "validation"
    chose = [*(["mask threshold"] if tuned else []), *(["epoch"] if recipe.train.checkpoint == "best" else [])]
    if recipe.assess.calibrate_on == "validation":
        timer.progress.stage("validation")
        samples = [s for s in checked.samples_of(split.val) if model.labels.class_of(s.label) is not None]
        # The logits alone: masks and descriptors of these images are not evaluated.
        logits = of_predictions(_logits, samples, checked.reader, model, timer.progress)
        targets = [str(model.labels.class_of(sample.label)) for sample in samples]
        groups = [checked.group_of()[sample.sample_id] for sample in samples]
        return _as_calibration_cases(logits, targets, groups, model, f"{len(samples)} validation images", chose)
    cases = _out_of_fold(recipe, checked, split, out / "training" / "inner-folds", timer)
    source = f"{len(cases)} out-of-fold images of {recipe.assess.inner_folds} inner folds"
    of_cases = [case.logits for case in cases], [case.target for case in cases], [case.group for case in cases]
    return _as_calibration_cases(*of_cases, model, source, [])


def _logits(sample: Sample, answer: Prediction | Rejected) -> FloatArray:
    return prediction_of(answer).logits


def _as_calibration_cases(
    logits: Sequence[FloatArray | tuple[float, ...]],
    targets: Sequence[str],
    groups: Sequence[str],
    model: Model,
    source: str,
    chose: Sequence[str],
) -> CalibrationCases:
    return CalibrationCases(
        logits=np.array(logits, dtype=np.float64).reshape(len(logits), len(model.labels.names)),
        target=np.array([model.labels.names.index(target) for target in targets], dtype=np.int64),
        groups=list(groups),
        source=source,
        chose_otherwise=tuple(chose),
    )


def _out_of_fold(recipe: Recipe, checked: CheckedDataset, split: Split, folder: Path, timer: StageTimer) -> list[Case]:
    """Predict training and validation images out of fold, by networks of inner folds.

    Each finished fold writes its cases, which a resumed training reads.
    """
    known = {*split.train, *split.val}
    places = [place for place, sample in enumerate(checked.samples) if sample.sample_id in known]
    inner = checked.subset(places)
    cases: list[Case] = []
    for fold in range(recipe.assess.inner_folds):
        out = folder / f"fold-{fold + 1}"
        timer.progress.stage(f"inner fold {fold + 1} of {recipe.assess.inner_folds}")
        if not (out / CASES_FILE).is_file():
            settings = replace(recipe.split, kind="kfold_by_group", folds=recipe.assess.inner_folds, fold=fold)
            subsets = make_split(inner.samples, inner.groups, settings)
            built = build_networks(recipe, len(inner.labels.for_task(recipe.classify.task).names))
            model, _ = _undecided(built, recipe, inner, subsets, out, timer)
            held_out = inner.samples_of(subsets.test)
            scored = score_samples(held_out, inner.group_of(), inner.reader, model, timer.progress)
            write_cases(out / CASES_FILE, scored.cases, model.labels)
        cases += read_cases(out / CASES_FILE)[0]
    return cases


def _open_folder(out: Path, recipe: Recipe, resume: bool) -> None:
    if not resume:
        require_free_folder(out)
        return
    checkpoints = (*out.glob("training/*/last.ckpt"), *out.glob("training/*/member-*/last.ckpt"))
    if (out / METRICS_FILE).exists() and not checkpoints:
        raise OutputError(f"{out}: the run in it is finished; there is nothing to resume")
    before = out / RECIPE_FILE
    if not before.is_file():
        raise OutputError(f"{out}: no interrupted run to resume; leave --resume away")
    if before.read_text(encoding="utf-8") != recipe_toml(recipe):
        raise OutputError(
            f"{out}: was begun with another recipe or other settings; give the same ones, or another --out"
        )


def _split(recipe: Recipe, checked: CheckedDataset, split_file: Path | None, out: Path, resume: bool) -> Split:
    """Make the split, read the given one, or, on resumption, read that of the interrupted run."""
    begun = out / SPLIT_FILE
    if resume and begun.is_file():
        split = read_split(begun, checked.samples, checked.digest)
        if split_file is not None and read_split(split_file, checked.samples).digest != split.digest:
            raise OutputError(f"{out}: was begun with another split than {split_file}; leave --split away")
        return split
    if split_file is not None:
        return read_split(split_file, checked.samples)
    return make_split(checked.samples, checked.groups, recipe.split)


def _require_parts(split: Split, trains: bool) -> None:
    """Raise for a split with too few images in a subset, before hours of training."""
    counts = {subset: len(getattr(split, subset)) for subset in SUBSETS}
    least = {"train": 2 if trains else 0, "val": 1, "test": 1}
    if any(counts[subset] < least[subset] for subset in SUBSETS):
        given = ", ".join(f"{subset} {counts[subset]}" for subset in SUBSETS)
        raise DataError(
            f"the split has too few images in a subset ({given}); at least 2 to train, 1 to tune and 1 to test are "
            "needed"
        )
