"""A run: train a model, evaluate it on the test subset, and write all inputs of a report."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from busight.audit.checked_dataset import CheckedDataset
from busight.data.split import SUBSETS, Split, leaking_pairs
from busight.experiments.facts import calibration_sentence, limitations, network_sentence, versions
from busight.experiments.scoring import score_samples, shown_cases
from busight.experiments.train import run_training
from busight.experiments.training import StageTimer
from busight.io.atomic import nan_as_none
from busight.io.progress import Progress, Silent
from busight.metrics.table import MetricTable
from busight.model.bundle.card import Card, MetricPart
from busight.model.bundle.save import write_card
from busight.recipes.load import recipe_toml
from busight.recipes.schema import Recipe
from busight.results.records import SplitSummary, TrainingRunRecord
from busight.results.scoring import case_metrics, subgroup_metrics
from busight.results.store import write_result


def run(
    recipe: Recipe,
    out: Path,
    *,
    split_file: Path | None = None,
    resume: bool = False,
    keep_checkpoints: bool = False,
    command: str = "",
    progress: Progress | None = None,
    checked: CheckedDataset | None = None,
) -> TrainingRunRecord:
    """Train by a recipe, evaluate on the test subset, and write everything but the report.

    Args:
        recipe: The recipe; ``data.spec`` names the data.
        out: A new folder. It receives what `busight.experiments.train.train` writes, ``cases.csv`` and, last,
            ``metrics.json``.
        split_file: A split to use instead of making one.
        resume: Continue in the folder of an interrupted run of the same recipe.
        keep_checkpoints: Keep the checkpoints, so that a later step (a report) can fail without the loss of the
            training; call `finish` afterwards.
        command: The command line, for the record.
        progress: Receives stages, ticks and lines.
        checked: The recipe's data where they are read already; None reads them.

    Returns:
        The record, from which a report is written.

    Raises:
        BusightError: One line that names the fault; see `busight.errors`.
    """
    progress = progress or Silent()
    timer = StageTimer(progress)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    training = run_training(recipe, out, timer, split_file=split_file, resume=resume, checked=checked)
    checked, split, model = training.checked, training.split, training.model
    progress.stage("test")
    samples = checked.samples_of(split.test)
    test = score_samples(samples, checked.group_of(), checked.reader, model, progress)
    metrics = case_metrics([test.cases], model.labels, recipe.assess)
    card = write_card(model.folder, with_metrics(model.card, metrics))
    model = model.with_card(card)
    write_result(
        out,
        test.cases,
        model.labels,
        metrics,
        data=recipe.data.spec,
        data_digest=checked.digest,
        split_digest=split.digest,
        bundle_digest=card.digest,
    )
    timer.lap("test")
    shown = shown_cases(test, checked.reader, model, recipe.assess.seed, checked.samples_of(split.train))
    data, parts = checked.summary(), _split_summary(split, checked)
    if not keep_checkpoints:
        finish(out)
    networks = training.networks
    return TrainingRunRecord(
        title=recipe.name,
        command=command,
        started=started,
        stage_seconds=tuple(timer.seconds),
        recipe_toml=recipe_toml(recipe),
        classes=model.labels.names,
        network=network_sentence(recipe, {name: net.parameters for name, net in networks.items()}),
        weights=card.training.weights,
        calibration=calibration_sentence(card.decision, card.labels, test.cases),
        comparable_with_paper=checked.dataset.name == "busi" and recipe.classify.task == "multiclass",
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
        subgroups=subgroup_metrics([test.cases], model.labels, recipe.assess),
    )


def with_metrics(card: Card, metrics: MetricTable) -> Card:
    """Return a card with the metrics of the test subset."""
    return card.changed(metrics=tuple(MetricPart(**nan_as_none(row.document())) for row in metrics.rows))


def _split_summary(split: Split, checked: CheckedDataset) -> SplitSummary:
    part_of = split.subset_of()
    counts: dict[tuple[str, str], int] = {}
    for sample in checked.samples:
        if sample.sample_id in part_of:
            key = (part_of[sample.sample_id], str(sample.label))
            counts[key] = counts.get(key, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (SUBSETS.index(item[0][0]), item[0][1]))
    return SplitSummary(
        kind=split.kind,
        seed=split.seed,
        digest=split.digest,
        counts=tuple((subset, name, count) for (subset, name), count in ordered),
        leaking_pairs=leaking_pairs(split, checked.near_duplicate_ids()),
    )


def finish(out: Path) -> None:
    """Remove the files that only a resumed run needs: arrays, checkpoints and the intermediate graph."""
    work = out / "training"
    shutil.rmtree(work / "graph", ignore_errors=True)
    shutil.rmtree(work / "inner-folds", ignore_errors=True)
    for name in ("segmenter", "classifier"):
        shutil.rmtree(work / name / "arrays", ignore_errors=True)
        for checkpoint in (work / name).glob("*.ckpt"):
            checkpoint.unlink()
