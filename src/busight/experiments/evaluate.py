"""Evaluation of a bundle on a data set, with the metrics and report of a run."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from busight.audit.checked_dataset import CheckedDataset, check_dataset
from busight.data.labels import LabelSchema
from busight.data.manifest_file import write_manifest
from busight.data.sources.catalogue import load_data
from busight.data.split_file import read_split
from busight.decision.settings import AssessSettings
from busight.experiments.checks import require_split_file, warn_other_data
from busight.experiments.facts import calibration_sentence, limitations, versions
from busight.experiments.scoring import score_samples, shown_cases
from busight.io.atomic import require_free_folder
from busight.io.progress import Progress, Silent
from busight.model.bundle.card import Card
from busight.model.model import Model
from busight.results.records import EvaluationRecord
from busight.results.scoring import case_metrics, subgroup_metrics
from busight.results.store import MANIFEST_FILE, write_result


def evaluate(
    model: Model,
    spec: str,
    out: Path,
    *,
    split_file: Path | None = None,
    settings: AssessSettings | None = None,
    command: str = "",
    progress: Progress | None = None,
) -> EvaluationRecord:
    """Evaluate a model on a data set, or on the test subset of a split of it. Nothing is fitted.

    Args:
        model: A finished model.
        spec: The data set.
        out: A new folder for ``manifest.csv``, ``cases.csv``, ``metrics.json`` and, later, the report.
        split_file: Evaluate only the test subset of this split.
        settings: Resampling of the intervals.
        command: The command line, for the record.
        progress: Receives stages, ticks and lines.

    Raises:
        BusightError: One line that names the fault.
    """
    progress = progress or Silent()
    settings = settings or AssessSettings()
    began = time.monotonic()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    require_free_folder(out)
    require_split_file(split_file)
    checked = check_dataset(load_data(spec).read_as(model.preprocess.image), progress)
    split = read_split(split_file, checked.samples) if split_file is not None else None
    warn_other_data(split_file, checked, progress)
    reader = checked.reader
    wanted = set(split.test) if split is not None else {sample.sample_id for sample in checked.samples}
    samples = checked.samples_of(wanted)
    progress.stage("assess")
    scored = score_samples(samples, checked.group_of(), reader, model, progress)
    metrics = case_metrics([scored.cases], model.labels, settings)
    data, card = checked.summary(), model.card
    write_manifest(out / MANIFEST_FILE, checked.manifest, checked.groups)
    write_result(
        out,
        scored.cases,
        model.labels,
        metrics,
        data=spec,
        data_digest=data.digest,
        split_digest=split.digest if split is not None else None,
        bundle_digest=card.digest,
    )
    warnings = (*_leakage_warning(card, checked, wanted), *_label_warning(model.labels, checked.labels))
    for warning in warnings:
        progress.line(f"warning: {warning}")
    shown = shown_cases(scored, reader, model, settings.seed)
    return EvaluationRecord(
        title=card.name,
        command=command,
        started=started,
        stage_seconds=(("evaluation", time.monotonic() - began),),
        recipe_toml=card.training.recipe,
        classes=model.labels.names,
        network=_network(card),
        weights=card.training.weights,
        calibration=calibration_sentence(card.decision, card.labels, scored.cases),
        data=data,
        digests=(("data", data.digest), ("bundle", card.digest)),
        versions=versions(),
        metrics=metrics,
        cases=scored.cases,
        example_cases=shown.example_cases,
        explanations=shown.explanations,
        more_cases=shown.more_cases,
        warnings=warnings,
        subgroups=subgroup_metrics([scored.cases], model.labels, settings),
        limitations=(*warnings, *limitations(data, None, metrics, None)),
    )


def _network(card: Card) -> str:
    trained = f"trained on {card.training.images} images of {card.training.source}"
    return f"The bundle {card.name} of {card.created[:10]}, {trained}."


def _label_warning(own: LabelSchema, of_data: LabelSchema) -> tuple[str, ...]:
    """Return a warning where the data call another class positive than the model does."""
    if own.positive is None or of_data.positive is None or of_data.positive == own.positive or own.members:
        return ()
    return (
        f"the data call {of_data.positive} the positive class, the model {own.positive}: sensitivity, specificity, PPV "
        f"and NPV are of {own.positive}",
    )


def _leakage_warning(card: Card, checked: CheckedDataset, wanted: set[str]) -> tuple[str, ...]:
    """Return a warning where evaluated images were training or validation images of the bundle."""
    digests = set(card.training.digests)
    scored = [entry for entry in checked.rows if entry.sample.sample_id in wanted]
    again = sum(entry.is_among(digests) for entry in scored)
    if not again:
        return ()
    return (
        f"{again} of the {len(scored)} images are among those that the bundle was trained or tuned on: the scores are "
        "too high. Leave them out; of a run of your own give --split with its split.json.",
    )
