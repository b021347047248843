"""One case on one page: the answer, what it means, what speaks for it, and the reasons for caution."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from busight.descriptors.lexicon import NOT_VISIBLE
from busight.model.bundle.card import Card
from busight.model.explain.explained import Explained
from busight.report.blocks.model import Block, Bullets, Document, Facts, Gallery, Paragraph, Section, Table, Tile, Tiles
from busight.report.figures import explained as figure
from busight.report.figures import similar_cases
from busight.report.pages.run import FIGURES, picture_of, write_document, write_plate
from busight.report.text.labels import percent, short_label

_STRONGEST = 6


def write_explanation(told: Explained, folder: Path, show_refused: bool = False, started: str | None = None) -> Path:
    """Write ``figures/``, ``report.html`` and ``report.pdf`` of one case.

    Args:
        told: From `busight.model.explain.explained.explained`.
        folder: New, or empty.
        show_refused: Show what was predicted for an image that the bundle refuses.
        started: UTC, ISO 8601, for the page; None for now.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: A file cannot be written.
    """
    answered = not told.prediction.refused or show_refused
    point = next(iter(told.card.operating_points), None)
    plates = figure.plates(told, None if point is None else point.threshold, answered)
    alike = similar_cases.plates(told.similar) if answered else []
    for plate in (*plates, *alike):
        write_plate(plate, folder / FIGURES)
    gallery, alike_gallery = (Gallery(tuple(map(picture_of, one))) for one in (plates, alike))
    sections = [_answer(told, gallery)] if answered else [_refusal(told, gallery)]
    if answered:
        sections += [
            _lesion(told),
            *_second_reader(told),
            _alike(told, alike_gallery),
            _about(told.card),
            *_numbers(told),
        ]
    return write_document(
        Document(
            title=f"One case: {short_label(Path(told.prediction.path).name, 60)}",
            subtitle=f"By {told.card.name}. Research use only, not for diagnosis.",
            started=started or datetime.now(UTC).isoformat(timespec="seconds"),
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


def _answer(told: Explained, gallery: Gallery) -> Section:
    found, card = told.prediction, told.card
    value = float(found.calibrated_probs[found.classes.index(found.finding)])
    tiles = [Tile("Finding", found.finding, "", f"{figure.probability_words(told)} {value:.2f}")]
    if card.conformal is not None and found.prediction_set is not None:
        inside = " or ".join(found.prediction_set) or "none"
        tiles.append(
            Tile("May be", inside, "", f"prediction set, each class held in {100 * card.conformal.level:g}% of cases")
        )
    if (second := found.second_reader) is not None:
        of = "probability of malignancy by BI-RADS words alone"
        note = f"{of}, if the likeliest region is a lesion" if second.assumed else of
        tiles.append(Tile("Second reader", f"{second.malignant:.2f}", "", note))
    blocks: list[Block] = []
    if found.refused:
        blocks.append(Paragraph(f"The bundle would not answer: the image is {found.refused}.", "warning"))
    blocks.append(Tiles(tuple(tiles)))
    if told.prediction.cautions:
        blocks.append(Paragraph("Reasons for caution", "warning"))
        blocks.append(Bullets(tuple(f"{word[0].upper()}{word[1:]}." for word in told.prediction.cautions)))
    blocks += [gallery, *_operating(told), *_prevalence(told)]
    return Section("answer", "Answer", tuple(blocks))


def _operating(told: Explained) -> list[Block]:
    point = next(iter(told.card.operating_points), None)
    if point is None or point.threshold is None:
        return [Paragraph("No operating point in this bundle.", "note")]
    side = "at or above" if told.prediction.flagged else "below"
    gave = ""
    if point.sensitivity is not None and point.specificity is not None:
        found, cleared = percent(point.sensitivity), percent(point.specificity)
        gave = f" There it found {found} of them and cleared {cleared} of the others."
    last, here = told.prediction.classes[-1], float(told.prediction.calibrated_probs[-1])
    wanted, value = f"{100 * point.wanted_sensitivity:g}%", _apart(here, point.threshold)
    return [
        Paragraph(
            f"Operating point: {last} from {point.threshold:.3f}, chosen for a sensitivity of {wanted} on "
            f"{point.source}.{gave} This image is {side} it ({value})."
        )
    ]


def _apart(value: float, other: float) -> str:
    """Return a number with as many digits as tell it from another one."""
    return next((f"{value:.{n}f}" for n in (3, 4, 5) if f"{value:.{n}f}" != f"{other:.{n}f}"), f"{value:.6f}")


def _prevalence(told: Explained) -> list[Block]:
    at = told.at_prevalence
    if at is None:
        return [
            Paragraph("With --prevalence the page says what this means where the disease is rarer or commoner.", "note")
        ]
    last = told.prediction.classes[-1]
    probs = ", ".join(f"{name} {value:.3f}" for name, value in zip(told.prediction.classes, at.probs, strict=True))
    ill, well = percent(at.ppv, 1), percent(at.npv, 1)
    values = "undefined" if at.ppv != at.ppv else f"{ill} of the flagged have it, {well} of the others do not"
    here, calibration = percent(at.prevalence, 2), percent(at.measured)
    return [
        Paragraph(
            f"Where {here} have {last} findings (among the calibration images {calibration} had), and images are "
            f"otherwise alike: {probs}. At the operating point, as measured on {at.point_source}, {values}."
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
        if one.word == NOT_VISIBLE:
            rows.append((one.term.replace("_", " "), one.word, "–", "–"))
            continue
        ranked = sorted(one.probs, key=lambda pair: -pair[1])
        next_best = ", ".join(f"{word} {prob:.2f}" for word, prob in ranked[1:3] if prob >= 0.05)
        rows.append((one.term.replace("_", " "), one.word, f"{ranked[0][1]:.2f}", next_best or "–"))
    blocks: list[Block] = [
        Paragraph(f"{told.description.sentence().capitalize()}."),
        Table("BI-RADS words", ("term", "word", "probability", "or"), tuple(rows), numeric=(2,)),
    ]
    blocks.append(
        Paragraph(
            "The words were learned from simulated lesions whose words are known. On patients’ images they are "
            "suggestions.",
            "note",
        )
    )
    return Section("lesion", "The lesion in words", tuple(blocks))


def _second_reader(told: Explained) -> list[Section]:
    second = told.prediction.second_reader
    if second is None:
        return []
    part, card = "the lesion as outlined", told.card.classify
    if second.assumed:
        part = (
            "the likeliest region by edges, darkness and place (dotted line), because the network outlined nothing or "
            "is not sure of its outline"
        )
    weight = card.reader if card is not None else 0.0
    say = f"In the answer above it has a weight of {weight:g}." if weight else "It has no say in the answer above."
    shown = tuple((name.replace("_", " "), f"{change:+.2f}") for name, change in second.reasons[:_STRONGEST])
    caption = "What moved it most: change of the logarithm of the odds of malignancy"
    blocks = (
        Paragraph(f"It knows BI-RADS words alone and read {part}. {say}"),
        Table(caption, ("word or number", "change"), shown, numeric=(1,)),
    )
    return [Section("second", "The second reader", blocks)]


def _numbers(told: Explained) -> list[Section]:
    if told.description is None:
        return []
    numbers = tuple((name, "–" if value != value else f"{value:.3g}") for name, value in told.description.numbers)
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
