"""The whole flow: data → split → enhance → segment → classify → bundle → assessment."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from busight.audit.checked_dataset import Material, gather
from busight.data.manifest_file import write_manifest
from busight.data.sources.catalogue import load
from busight.data.split import PARTS, Split, crossing_pairs, make_split
from busight.data.split_file import read_split, write_split
from busight.errors import DataError, OutputError
from busight.experiments import assemble
from busight.experiments.checks import check_data_is_named, require_split_file, tell_other_data
from busight.experiments.facts import calibration_sentence, limitations, network_sentence, versions
from busight.experiments.memory import with_memory
from busight.experiments.networks import build_networks
from busight.experiments.pretrained import require_unseen, seen_by_weights
from busight.experiments.scoring import ScoredPart, score_samples, shown_cases
from busight.experiments.training import Clock, train_networks
from busight.experiments.tune_postprocess import choose_postprocess
from busight.io.atomic import require_free_folder, write_text
from busight.io.progress import Progress, Silent
from busight.metrics.table import MetricTable
from busight.model.bundle.load import Bundle
from busight.model.bundle.save import write_card
from busight.model.model import Predictor
from busight.model.opening import open_predictor
from busight.recipes.load import recipe_toml
from busight.recipes.schema import Recipe
from busight.results.records import SplitSummary, TrainingRunRecord
from busight.results.scoring import case_metrics, subgroup_metrics
from busight.results.store import METRICS_FILE, RECIPE_FILE, SPLIT_FILE, write_result
from busight.train.accelerator import trainer_device


def run(
    recipe: Recipe,
    out: Path,
    *,
    split_file: Path | None = None,
    resume: bool = False,
    keep_checkpoints: bool = False,
    command: str = "",
    progress: Progress | None = None,
    material: Material | None = None,
) -> TrainingRunRecord:
    """Train by a recipe, assess on the test part, and write everything but the report.

    Args:
        recipe: What to do; ``data.spec`` names the data.
        out: A new folder. It receives ``recipe.toml``, ``manifest.csv``, ``split.json``, ``training/``, ``bundle/``,
            ``cases.csv`` and, last, ``metrics.json``.
        split_file: A split to use instead of making one.
        resume: Go on in a folder that an interrupted run of the same recipe left.
        keep_checkpoints: Leave the checkpoints, so that whatever comes after (a report) can fail without costing the
            training; call `finish` then.
        command: The command line, for the record.
        progress: Told what happens.
        material: The recipe's data where they are read already; None reads them.

    Returns:
        The record that a report is written from.

    Raises:
        BusightError: One line that names what is wrong; see `busight.errors`.
    """
    progress = progress or Silent()
    clock = Clock(progress)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    check_data_is_named(recipe)
    trainer_device(recipe.train)
    _open_folder(out, recipe, resume)
    require_split_file(split_file)
    # What is cheap to find wrong comes first: the data's place before any download, weights before any reading.
    dataset = load(recipe.data.spec) if material is None else material.inspection.dataset
    built = build_networks(recipe)
    material = material or gather(dataset, progress, recipe.data.conflicts)
    material.require_classes(recipe.classify.task)
    split = _split(recipe, material, split_file, out, resume)
    _require_parts(split, bool(built))
    require_unseen(seen_by_weights(recipe), material, split)
    tell_other_data(split_file, material, progress)
    # Not before data and split are known to be sound: after a mistake there the same --out can be used again.
    write_text(out / RECIPE_FILE, recipe_toml(recipe))
    write_manifest(out / "manifest.csv", material.inspection, material.groups)
    write_split(out / SPLIT_FILE, split, material.inspection.digest)
    clock.lap("data and split")
    bundle, networks = train_networks(built, recipe, material, split, out, clock)
    predictor, test, metrics = _assess(recipe, material, split, bundle, out, progress)
    clock.lap("assessment")
    card = predictor.card
    reader = material.inspection.dataset.reader
    shown = shown_cases(test, reader, predictor, recipe.assess.seed, material.samples_of(split.train))
    data, parts = material.summary(), _split_summary(split, material)
    if not keep_checkpoints:
        finish(out)
    return TrainingRunRecord(
        title=recipe.name,
        command=command,
        started=started,
        stage_seconds=tuple(clock.seconds),
        recipe_toml=recipe_toml(recipe),
        classes=predictor.classes,
        network=network_sentence(recipe, {name: net.parameters for name, net in networks.items()}),
        weights=card.training.weights,
        calibration=calibration_sentence(card.calibration, card.operating_points, test.cases),
        comparable_with_paper=material.inspection.dataset.name == "busi" and recipe.classify.task == "finding",
        data=data,
        split=parts,
        digests=(("data", data.digest), ("split", split.digest), ("bundle", card.digest)),
        versions=versions(),
        histories=tuple(net.history for net in networks.values()),
        metrics=metrics,
        cases=test.cases,
        example_cases=shown.example_cases,
        explanations=shown.explanations,
        more_cases=shown.more_cases,
        limitations=limitations(data, parts, metrics, recipe),
        subgroups=subgroup_metrics([test.cases], predictor.classes, recipe.assess),
    )


def _assess(
    recipe: Recipe, material: Material, split: Split, bundle: Bundle, out: Path, progress: Progress
) -> tuple[Predictor, ScoredPart, MetricTable]:
    """Calibrate on the validation part, score the test part once, write card, cases and metrics."""
    predictor = _with_chosen_postprocess(open_predictor(bundle), recipe, material, split)
    reader = material.inspection.dataset.reader
    # Before the validation part is scored: the second reader may have a say in what is calibrated.
    predictor = with_memory(predictor, material.samples, split, reader, bundle.folder, progress)
    progress.stage("assess: validation")
    val = _score(material, split.val, predictor, progress)
    predictor = replace(predictor, card=assemble.calibrated(predictor.card, val, predictor.classes, recipe.assess))
    progress.stage("assess: test")
    test = _score(material, split.test, predictor, progress)
    metrics = case_metrics([test.cases], predictor.classes, recipe.assess)
    card = write_card(bundle.folder, assemble.with_scores(predictor.card, metrics))
    write_result(
        out,
        test.cases,
        metrics,
        data=recipe.data.spec,
        data_digest=material.inspection.digest,
        split_digest=split.digest,
        bundle_digest=card.digest,
    )
    return replace(predictor, card=card), test, metrics


def _with_chosen_postprocess(predictor: Predictor, recipe: Recipe, material: Material, split: Split) -> Predictor:
    """Choose threshold and peak of a classifier's own mask; those of a segmenter were chosen before it was used."""
    part = predictor.card.segment
    if part is None or part.method != "joint" or recipe.segment.choose == "given":
        return predictor
    reader = material.inspection.dataset.reader
    chosen = choose_postprocess(predictor.mask_probs, material.samples_of(split.val), reader, part.postprocess)
    return replace(predictor, card=predictor.card.with_postprocess(chosen))


def _open_folder(out: Path, recipe: Recipe, resume: bool) -> None:
    if not resume:
        require_free_folder(out)
        return
    if (out / METRICS_FILE).exists() and not any(out.glob("training/*/last.ckpt")):
        raise OutputError(f"{out}: the run in it is finished; there is nothing to resume")
    before = out / RECIPE_FILE
    if not before.is_file():
        raise OutputError(f"{out}: no interrupted run to resume; leave --resume away")
    if before.read_text(encoding="utf-8") != recipe_toml(recipe):
        raise OutputError(
            f"{out}: was begun with another recipe or other settings; give the same ones, or another --out"
        )


def _split(recipe: Recipe, material: Material, split_file: Path | None, out: Path, resume: bool) -> Split:
    """Make the split, read the one given, or, when going on, take the one that the run began with."""
    begun = out / SPLIT_FILE
    if resume and begun.is_file():
        split = read_split(begun, material.samples, material.inspection.digest)
        if split_file is not None and read_split(split_file, material.samples).digest != split.digest:
            raise OutputError(f"{out}: was begun with another split than {split_file}; leave --split away")
        return split
    if split_file is not None:
        return read_split(split_file, material.samples)
    return make_split(material.samples, material.groups, recipe.split)


def _require_parts(split: Split, trains: bool) -> None:
    """Refuse a split that could be trained on for hours and then not be assessed."""
    counts = {part: len(getattr(split, part)) for part in PARTS}
    least = {"train": 2 if trains else 0, "val": 1, "test": 1}
    if any(counts[part] < least[part] for part in PARTS):
        told = ", ".join(f"{part} {counts[part]}" for part in PARTS)
        raise DataError(
            f"the split has too few images in a part ({told}); at least 2 to train, 1 to tune and 1 to test are needed"
        )


def _score(material: Material, ids: Sequence[str], predictor: Predictor, progress: Progress) -> ScoredPart:
    return score_samples(
        material.samples_of(ids), material.group_of(), material.inspection.dataset.reader, predictor, progress
    )


def _split_summary(split: Split, material: Material) -> SplitSummary:
    part_of = split.part_of()
    counts: dict[tuple[str, str], int] = {}
    for sample in material.samples:
        if sample.sample_id in part_of:
            key = (part_of[sample.sample_id], str(sample.finding))
            counts[key] = counts.get(key, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (PARTS.index(item[0][0]), item[0][1]))
    return SplitSummary(
        kind=split.kind,
        seed=split.seed,
        digest=split.digest,
        counts=tuple((part, name, count) for (part, name), count in ordered),
        crossing_pairs=crossing_pairs(split, material.pair_ids()),
    )


def finish(out: Path) -> None:
    """Remove what only an interrupted run needs: arrays, checkpoints and the intermediate graph."""
    work = out / "training"
    shutil.rmtree(work / "graph", ignore_errors=True)
    for name in ("segmenter", "classifier"):
        shutil.rmtree(work / name / "arrays", ignore_errors=True)
        for checkpoint in (work / name).glob("*.ckpt"):
            checkpoint.unlink()
