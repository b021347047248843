"""An existing bundle on another data set: the same scores, the same report."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from busight._version import __version__
from busight.audit.checked_dataset import Material, gather
from busight.data.sources.catalogue import load
from busight.data.split_file import read_split
from busight.decision.settings import AssessSettings
from busight.experiments.checks import require_split_file, tell_other_data
from busight.experiments.facts import calibration_sentence, limits, versions
from busight.experiments.scoring import score_samples, sheet_of, shown_cases
from busight.io.atomic import require_free_folder
from busight.io.digests import sha256_of_file
from busight.io.progress import Progress, Silent
from busight.model.bundle.card import Card
from busight.model.model import Model
from busight.results.cases_file import write_cases
from busight.results.metrics_file import About, write_metrics
from busight.results.run_record import RunRecord
from busight.results.scoring import subgroups_of
from busight.results.store import CASES_FILE, DONE_FILE


def evaluate(
    model: Model,
    spec: str,
    out: Path,
    *,
    split_file: Path | None = None,
    settings: AssessSettings | None = None,
    command: str = "",
    progress: Progress | None = None,
) -> RunRecord:
    """Score a model on a data set, or on the test subset of a split of it. Nothing is fitted.

    Args:
        model: A finished model.
        spec: The data set.
        out: A new folder for ``cases.csv``, ``metrics.json`` and, later, the report.
        split_file: Score only the test part of this split.
        settings: Resampling of the intervals.
        command: The command line, for the record.
        progress: Told what happens.

    Raises:
        BusightError: One line that names what is wrong.
    """
    progress = progress or Silent()
    settings = settings or AssessSettings()
    began = time.monotonic()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    require_free_folder(out)
    require_split_file(split_file)
    material = gather(load(spec).read_as(model.preprocess.image), progress)
    split = read_split(split_file, material.samples) if split_file is not None else None
    tell_other_data(split_file, material, progress)
    reader = material.reader
    wanted = set(split.test) if split is not None else {sample.sample_id for sample in material.samples}
    samples = material.samples_of(wanted)
    progress.stage("assess")
    part = score_samples(samples, material.group_of(), reader, model, progress)
    sheet = sheet_of(part, model.labels.names, settings)
    write_cases(out / CASES_FILE, part.cases, model.labels.names)
    data, card = material.summary(), model.card
    about = About(
        created_by=f"busight {__version__}",
        data=spec,
        data_digest=data.digest,
        split_digest=split.digest if split is not None else None,
        bundle_digest=card.digest,
        cases_digest=sha256_of_file(out / CASES_FILE),
    )
    write_metrics(out / DONE_FILE, sheet, about)
    seen = _seen_before(card, material, wanted)
    _tell(seen, progress)
    shown = shown_cases(part, reader, model, settings.seed)
    return RunRecord(
        kind="evaluate",
        title=card.name,
        command=command,
        started=started,
        stage_seconds=(("evaluation", time.monotonic() - began),),
        recipe_toml=card.training.recipe,
        classes=model.labels.names,
        network=_network(card),
        weights=card.training.weights,
        calibration=calibration_sentence(card.decision, card.labels, part.cases),
        paper_comparison=False,
        data=data,
        split=None,
        digests=(("data", data.digest), ("bundle", card.digest)),
        versions=versions(),
        histories=(),
        sheet=sheet,
        cases=part.cases,
        walks=shown.walks,
        gallery=shown.gallery,
        explained=shown.explained,
        warnings=seen,
        subgroups=subgroups_of([part.cases], model.labels.names, settings),
        limits=(*seen, *limits(data, None, sheet, None)),
    )


def _network(card: Card) -> str:
    trained = f"trained on {card.training.images} images of {card.training.source}"
    return f"The bundle {card.name} of {card.created[:10]}, {trained}."


def _tell(warnings: tuple[str, ...], progress: Progress) -> None:
    for warning in warnings:
        progress.line(f"warning: {warning}")


def _seen_before(card: Card, material: Material, wanted: set[str]) -> tuple[str, ...]:
    """Warn when images that are scored were among those that the bundle was trained or tuned on."""
    seen = set(card.training.digests)
    scored = [entry for entry in material.entries if entry.sample.sample_id in wanted]
    again = sum(not seen.isdisjoint(entry.known_as) for entry in scored)
    if not again:
        return ()
    return (
        f"{again} of the {len(scored)} images are among those that the bundle was trained or tuned on: the scores are "
        "too high. Give --split with the split.json of its run to score the test part only.",
    )
