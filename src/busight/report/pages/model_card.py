"""A bundle's model card and reporting checklists, written from the bundle itself."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from busight.errors import BundleError
from busight.model.bundle.card import Card
from busight.report.blocks.model import Block, Document, Facts, Listing, Paragraph, Section, Table
from busight.report.blocks.scores_table import score_name
from busight.report.pages.checklists import CLAIM, OPEN, TRIPOD_AI, CardFacts, Item, answered
from busight.report.pages.run import write_document


def write_card_page(card: Card, folder: Path) -> Path:
    """Write ``report.html`` and ``report.pdf``: the model card.

    Args:
        card: Of a checked bundle.
        folder: New, or empty.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: A file cannot be written.
        BundleError: The recipe in the card is none.
    """
    facts = CardFacts(card, _recipe(card))
    sections = (
        _use(card),
        _training(card),
        _scores(card),
        _answers(card),
        _open(),
        _checklist("claim", "CLAIM 2024", CLAIM, facts),
        _checklist("tripod", "TRIPOD+AI", TRIPOD_AI, facts),
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
    """Return how many items of the two checklists are left to the makers."""
    facts = CardFacts(card, _recipe(card))
    return sum(OPEN in answer for items in (CLAIM, TRIPOD_AI) for _, _, answer in answered(items, facts))


def _recipe(card: Card) -> dict[str, Any]:
    """Return the recipe that the card holds.

    Raises:
        BundleError: It is none.
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
    task = "tells " + ", ".join(card.labels.names) + " apart" if card.classify else "outlines lesions"
    return Section(
        "use",
        "What it is for",
        (
            Paragraph(f"It {task} in single B-mode images of the breast. For research and teaching."),
            Paragraph(
                "Not for diagnosis, screening, triage or any decision about a patient. Not for other organs, other "
                "imaging, men, children, or images during procedures: none of these was measured.",
                "warning",
            ),
        ),
    )


def _training(card: Card) -> Section:
    training = card.training
    pairs = (
        ("Data", f"{training.source}, {training.images} images"),
        ("Manifest", training.data_digest),
        ("Split", f"{training.split_kind}, {training.split_digest}"),
        ("Initial weights", training.weights),
        ("Made", card.created),
        ("Graph against network", f"largest difference {card.onnx_max_abs_diff:.1e}"),
    )
    return Section("training", "What it was made from", (Facts(pairs), Listing(training.recipe)))


def _scores(card: Card) -> Section:
    if not card.metrics:
        told = Paragraph(f"{OPEN}: the bundle holds no scores. busight evaluate makes some.", "warning")
        return Section("scores", "Scores", (told,))
    rows = []
    for score in card.metrics:
        value = "undefined" if score.value is None else f"{score.value:.3f}"
        interval = "–" if score.low is None or score.high is None else f"{score.low:.3f}–{score.high:.3f}"
        rows.append((score_name(score.metric, score.of), value, interval, str(score.n)))
    level = CardFacts(card, _recipe(card)).of("assess", "level", 0.95)
    table = Table(
        f"On the test part, {level:.0%} intervals over groups",
        ("score", "value", "interval", "images"),
        tuple(rows),
        (1, 2, 3),
    )
    note = Paragraph("On another hospital’s images expect less; docs/results.md has how much.", "note")
    return Section("scores", "Scores", (table, note))


def _answers(card: Card) -> Section:
    decision = card.decision
    calibration = decision.calibration
    pairs = [("Calibration", f"{calibration.calibrator.method}, {calibration.source}")]
    if decision.threshold is not None:
        threshold = decision.threshold.threshold
        shown = "none" if threshold is None else f"from {threshold:.3f}"
        pairs.append((f"Threshold for {card.labels.positive}", f"{shown}; {decision.threshold.source}"))
    if decision.conformal is not None:
        level = f"{100 * decision.conformal.level:g}%"
        pairs.append(("Prediction sets", f"cover each class in {level} of cases; {decision.conformal.source}"))
    if decision.ood is not None:
        pairs.append(("Out-of-distribution detector", decision.ood.source))
    if decision.fusion is not None:
        pairs.append(("Descriptor model", decision.fusion.source))
    return Section("answers", "How it answers", (Facts(tuple(pairs)),))


def _open() -> Section:
    blocks: list[Block] = [
        Paragraph(
            f"What is marked {OPEN} cannot be known by a program. Fill it in before the card is given to anybody."
        ),
        Facts(
            (
                ("Who made it, contact", OPEN),
                ("Licence of the bundle and of its data", OPEN),
                ("Who the patients were: age, origin, indication", OPEN),
                ("Devices and probes", OPEN),
                ("Ethical approval, consent", OPEN),
            )
        ),
    ]
    return Section("open", "Left to its makers", tuple(blocks))


def _checklist(anchor: str, title: str, items: tuple[Item, ...], facts: CardFacts) -> Section:
    rows = answered(items, facts)
    done = sum(OPEN not in answer for _, _, answer in rows)
    caption = f"{done} of {len(rows)} items answered from the bundle"
    return Section(anchor, f"Checklist: {title}", (Table(caption, ("item", "what", "answer"), rows),))
