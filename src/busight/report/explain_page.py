"""One case on one page: the answer, what it means, what speaks for it, and the reasons for caution."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from busight.bundle.card import Card
from busight.predict.explained import Explained
from busight.report.blocks import Block, Bullets, Document, Facts, Gallery, Paragraph, Section, Table, Tile, Tiles
from busight.report.figures import explained as figure
from busight.report.figures import similar_cases
from busight.report.labels import short_label
from busight.report.pages import FIGURES, picture_of, write_document, write_plate

_STRONGEST = 6


def write_explanation(told: Explained, folder: Path, show_refused: bool = False) -> Path:
    """Write ``figures/``, ``report.html`` and ``report.pdf`` of one case.

    Args:
        told: From `busight.predict.explained.explained`.
        folder: New, or empty.
        show_refused: Show what was predicted for an image that the bundle refuses.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: A file cannot be written.
    """
    card = told.card
    answered = not told.prediction.refused or show_refused
    point = next(iter(card.operating_points), None)
    plates = figure.plates(told, None if point is None else point.threshold, answered)
    alike = similar_cases.plates(told.similar) if answered else []
    for plate in (*plates, *alike):
        write_plate(plate, folder / FIGURES)
    gallery, alike_gallery = (Gallery(tuple(map(picture_of, one))) for one in (plates, alike))
    sections = [_answer(told, card, gallery)] if answered else [_refusal(told, gallery)]
    if answered:
        sections += [_lesion(told), _alike(told, alike_gallery), _about(card), *_numbers(told)]
    return write_document(
        Document(
            title=f"One case: {short_label(Path(told.prediction.path).name, 60)}",
            subtitle=f"By {card.name}. Research use only, not for diagnosis.",
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            sections=tuple(sections),
        ),
        folder,
    )


def _refusal(told: Explained, gallery: Gallery) -> Section:
    why = f"Not answered: the image is {told.prediction.refused}."
    note = (
        "The gate looks at grey values, layers and texture alone. Another device's ultrasound may be refused too: then "
        "the bundle was never shown such images, and its answer would rest on nothing. With --show-refused it is "
        "shown all the same."
    )
    return Section("answer", "No answer", (Paragraph(why, "warning"), gallery, Paragraph(note, "note")))


def _answer(told: Explained, card: Card, gallery: Gallery) -> Section:
    found = told.prediction
    value = float(found.calibrated_probs[found.classes.index(found.finding)])
    tiles = [Tile("Finding", found.finding, "", f"calibrated probability {value:.2f}")]
    if card.conformal is not None and found.prediction_set is not None:
        inside = " or ".join(found.prediction_set) or "none"
        tiles.append(
            Tile("May be", inside, "", f"prediction set, each class held in {card.conformal.level:.0%} of cases")
        )
    if told.prediction.second_reader is not None:
        outlined = found.mask is not None and found.mask.any()
        of = "probability of malignancy by BI-RADS words alone"
        note = of if outlined else f"{of}, if the likeliest region were a lesion: none was outlined"
        tiles.append(Tile("Second reader", f"{told.prediction.second_reader.malignant:.2f}", "", note))
    blocks: list[Block] = []
    if found.refused:
        blocks.append(Paragraph(f"The bundle would not answer: the image is {found.refused}.", "warning"))
    blocks.append(Tiles(tuple(tiles)))
    if told.prediction.cautions:
        blocks.append(Paragraph("Reasons for caution", "warning"))
        blocks.append(Bullets(tuple(f"{word[0].upper()}{word[1:]}." for word in told.prediction.cautions)))
    blocks += [gallery, *_operating(told, card), *_prevalence(told)]
    return Section("answer", "Answer", tuple(blocks))


def _operating(told: Explained, card: Card) -> list[Block]:
    point = next(iter(card.operating_points), None)
    if point is None or point.threshold is None:
        return [Paragraph("No operating point in this bundle.", "note")]
    side = "at or above" if told.prediction.flagged else "below"
    gave = ""
    if point.sensitivity is not None and point.specificity is not None:
        gave = f" There it found {point.sensitivity:.0%} of them and cleared {point.specificity:.0%} of the others."
    last, here = told.prediction.classes[-1], float(told.prediction.calibrated_probs[-1])
    return [
        Paragraph(
            f"Operating point: {last} from {point.threshold:.3f}, chosen for a sensitivity of "
            f"{point.wanted_sensitivity:.0%} on {point.source}.{gave} This image is {side} it ({here:.3f})."
        )
    ]


def _prevalence(told: Explained) -> list[Block]:
    at = told.at_prevalence
    if at is None:
        return [
            Paragraph("With --prevalence the page says what this means where the disease is rarer or commoner.", "note")
        ]
    last = told.prediction.classes[-1]
    probs = ", ".join(f"{name} {value:.3f}" for name, value in zip(told.prediction.classes, at.probs, strict=True))
    values = (
        "undefined" if at.ppv != at.ppv else f"{at.ppv:.1%} of the flagged have it, {at.npv:.1%} of the others do not"
    )
    return [
        Paragraph(
            f"Where {at.prevalence:.2%} have {last} findings (among the calibration images {at.measured:.0%} had), and "
            f"images are otherwise alike: {probs}. At the operating point {values}."
        )
    ]


def _lesion(told: Explained) -> Section:
    if told.description is None:
        return Section(
            "lesion",
            "The lesion in words",
            (Paragraph(f"{told.undescribed[0].upper()}{told.undescribed[1:]}.", "note"),),
        )
    rows = []
    for one in told.description.words:
        ranked = sorted(one.probs, key=lambda pair: -pair[1])
        next_best = ", ".join(f"{word} {prob:.2f}" for word, prob in ranked[1:3] if prob >= 0.05)
        rows.append((one.term.replace("_", " "), one.word, f"{ranked[0][1]:.2f}", next_best or "–"))
    blocks: list[Block] = [
        Paragraph(f"{told.description.sentence().capitalize()}."),
        Table("BI-RADS words", ("term", "word", "probability", "or"), tuple(rows), numeric=(2,)),
    ]
    if told.prediction.second_reader is not None:
        strongest = told.prediction.second_reader.reasons[:_STRONGEST]
        shown = tuple((name.replace("_", " "), f"{change:+.2f}") for name, change in strongest)
        caption = "What moved the second reader most: change of the logarithm of the odds of malignancy"
        blocks.append(Table(caption, ("word or number", "change"), shown, numeric=(1,)))
    blocks.append(
        Paragraph(
            "The words were learned from simulated lesions whose words are known. On patients’ images they are "
            "suggestions.",
            "note",
        )
    )
    return Section("lesion", "The lesion in words", tuple(blocks))


def _numbers(told: Explained) -> list[Section]:
    if told.description is None:
        return []
    numbers = tuple((name, f"{value:.3g}") for name, value in told.description.numbers)
    table = Table("Lengths in pixels of the image at 256 rows", ("number", "value"), numbers, numeric=(1,), folded=True)
    return [Section("numbers", "The numbers behind the words", (table,))]


def _alike(told: Explained, pictures: Gallery) -> Section:
    if not told.similar:
        note = Paragraph("This bundle keeps no features of its training images.", "note")
        return Section("alike", "Training images that look alike to the network", (note,))
    rows = tuple((one.sample_id, one.finding, f"{one.likeness:.3f}") for one in told.similar)
    table = Table("The most alike first", ("training image", "finding", "likeness (cosine)"), rows, numeric=(2,))
    shown = (pictures, table) if pictures.pictures else (table,)
    return Section("alike", "Training images that look alike to the network", shown)


def _about(card: Card) -> Section:
    pairs = [
        ("Bundle", card.digest),
        ("Trained on", f"{card.training.images} images of {card.training.source}"),
        ("Calibration", f"{card.calibration.method}, {card.calibration.source}"),
    ]
    pairs += [("Prediction set", card.conformal.source)] if card.conformal is not None else []
    pairs += [("Gate", card.gate.source)] if card.gate is not None else []
    pairs += [("Second reader", card.reader.source)] if card.reader is not None else []
    return Section("about", "Where this comes from", (Facts(tuple(pairs)),))
