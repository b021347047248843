"""Page of a bundle's model card, with reporting checklists answered from the bundle itself."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from busight.errors import BundleError
from busight.model.bundle.card import Card, SourcePart
from busight.report.blocks.metric_tables import metric_label
from busight.report.blocks.model import Block, Document, KeyValues, Listing, Paragraph, Section, Table
from busight.report.pages.checklists import CLAIM, OPEN, TRIPOD_AI, CardContent, Item, answered
from busight.report.render.files import write_document


def write_card_page(card: Card, folder: Path) -> Path:
    """Write ``report.html`` and ``report.pdf``: the model card.

    Args:
        card: Card of a verified bundle.
        folder: New, or empty.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: A file cannot be written.
        BundleError: The recipe in the card is invalid.
    """
    content = CardContent(card, _recipe(card))
    sections = (
        _use(card),
        *_evidence(card),
        _metrics(card),
        _decision(card),
        _training(card),
        _open(card),
        _checklist("claim", "CLAIM 2024", CLAIM, content),
        _checklist("tripod", "TRIPOD+AI", TRIPOD_AI, content),
        Section("recipe", "Recipe", (Listing(card.training.recipe),)),
    )
    return write_document(
        Document(
            title=f"Model card: {card.name}",
            subtitle=f"{card.notice} Bundle {card.digest[:16]}…, made by busight {card.busight}.",
            started=card.created,
            sections=sections,
        ),
        folder,
    )


def open_items(card: Card) -> int:
    """Return the number of items of the two checklists that are left to the authors."""
    content = CardContent(card, _recipe(card))
    return sum(OPEN in answer for items in (CLAIM, TRIPOD_AI) for _, _, answer in answered(items, content))


def _recipe(card: Card) -> dict[str, Any]:
    """Return the recipe in the card.

    Raises:
        BundleError: The recipe in the card is invalid.
    """
    try:
        recipe = tomllib.loads(card.training.recipe)
    except tomllib.TOMLDecodeError as error:
        raise BundleError(f"{card.name}: its card holds no recipe ({error}); get the bundle again") from error
    sections = {name: value for name, value in recipe.items() if isinstance(value, dict)}
    if not {"classify", "train", "assess"} <= set(sections):
        raise BundleError(f"{card.name}: the recipe in its card lacks sections; get the bundle again")
    return sections


def _use(card: Card) -> Section:
    task = "classifies " + ", ".join(card.labels.names) if card.classify else "segments lesions"
    return Section(
        "use",
        "Intended use",
        (
            Paragraph(f"It {task} in single B-mode images of the breast. For research and teaching."),
            Paragraph(card.not_for, "warning"),
        ),
    )


def _training(card: Card) -> Section:
    training = card.training
    pairs = (
        ("Data", f"{training.source}, {training.images} images"),
        *((f"Source {source.name}", _source(source)) for source in training.sources),
        ("Manifest", training.data_digest),
        ("Split", f"{training.split_kind}, {training.split_digest}"),
        ("Initial weights", training.weights),
        ("Created", card.created),
        ("ONNX graph against network", f"largest difference {card.onnx_max_abs_diff:.1e}"),
    )
    return Section("training", "Training", (KeyValues(pairs),))


def _source(source: SourcePart) -> str:
    cited = f" {source.citation}." if source.citation else ""
    return f"{source.images} images to train and to tune.{cited} Licence: {source.licence}."


def _metrics(card: Card) -> Section:
    if not card.metrics:
        note = Paragraph(f"{OPEN}: the bundle holds no metrics. busight evaluate computes them.", "warning")
        return Section("metrics", "Metrics", (note,))
    rows = []
    for metric in card.metrics:
        value = "undefined" if metric.value is None else f"{metric.value:.3f}"
        interval = "–" if metric.low is None or metric.high is None else f"{metric.low:.3f}–{metric.high:.3f}"
        rows.append((metric_label(metric.metric, metric.of), value, interval, str(metric.n)))
    level = CardContent(card, _recipe(card)).of("assess", "level", 0.95)
    table = Table(
        f"On the test subset, {level:.0%} intervals over groups",
        ("metric", "value", "interval", "images"),
        tuple(rows),
        (1, 2, 3),
    )
    note = Paragraph("Metrics on another hospital’s images are lower.", "note")
    return Section("metrics", "Metrics", (table, note))


_SHOWN_OF_ALL = "all images"


def _evidence(card: Card) -> tuple[Section, ...]:
    """Return what was measured on data sets left out, and what a new place is to expect; nothing without evidence."""
    evidence = card.evidence
    if evidence is None:
        return ()
    rows = []
    for row in evidence.rows:
        value = "undefined" if row.value is None else f"{row.value:.3f}"
        interval = "–" if row.low is None or row.high is None else f"{row.low:.3f}–{row.high:.3f}"
        images = f"{row.attribute} {row.shared}" if row.attribute else _SHOWN_OF_ALL
        rows.append((row.source, images, metric_label(row.metric, row.of), value, interval, str(row.n)))
    table = Table(
        f"{evidence.how[:1].upper()}{evidence.how[1:]}; {evidence.level:.0%} intervals over groups",
        ("data set left out", "images", "metric", "value", "interval", "n"),
        tuple(rows),
        (3, 4, 5),
    )
    text = (
        "This is what to expect of the recipe at a place that it has not learned from; the metrics on the test subset "
        "below are of places that it knows. The bundle itself learned from all of these data sets. Probabilities and "
        "threshold hold for the places of the training: fit them to your own with some 50 labelled images, by busight "
        "recalibrate MODEL --data SPEC --out FOLDER, which leaves the network as it is."
    )
    return (Section("evidence", "On data sets left out", (Paragraph(text), table)),)


def _decision(card: Card) -> Section:
    decision = card.decision
    pairs = [("Calibration", f"{decision.calibration.calibrator.method}, {decision.calibration.source}")]
    if decision.threshold is not None:
        threshold = decision.threshold.threshold
        value = "none" if threshold is None else f"from {threshold:.3f}"
        pairs.append((f"Threshold for {card.labels.positive}", f"{value}; {decision.threshold.source}"))
    if decision.conformal is not None:
        level = f"{100 * decision.conformal.level:g}%"
        pairs.append(("Prediction sets", f"nominal coverage {level} of each class; {decision.conformal.source}"))
    if decision.ood is not None:
        pairs.append(("Out-of-distribution detector", decision.ood.source))
    if decision.fusion is not None:
        pairs.append(("Descriptor model", decision.fusion.source))
    return Section("decision", "Calibration and decision", (KeyValues(tuple(pairs)),))


def _open(card: Card) -> Section:
    blocks: list[Block] = [
        Paragraph(
            f"Items marked {OPEN} cannot be known by a program: they are for the makers of the model to fill in."
        ),
        KeyValues(
            (
                ("Authors, contact", OPEN),
                ("Licence of the bundle", OPEN),
                *((f"Licence of {source.name}", source.licence) for source in card.training.sources),
                ("Patients: age, origin, indication", OPEN),
                ("Devices and probes", OPEN),
                ("Ethical approval, consent", OPEN),
            )
        ),
    ]
    return Section("open", "To be filled in by the authors", tuple(blocks))


def _checklist(anchor: str, title: str, items: tuple[Item, ...], content: CardContent) -> Section:
    rows = answered(items, content)
    done = sum(OPEN not in answer for _, _, answer in rows)
    caption = f"{done} of {len(rows)} items answered from the bundle"
    return Section(anchor, f"Checklist: {title}", (Table(caption, ("item", "title", "answer"), rows),))
