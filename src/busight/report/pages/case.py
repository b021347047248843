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


def write_explanation(told: Explained, folder: Path, show_rejected: bool = False, started: str | None = None) -> Path:
    """Write ``figures/``, ``report.html`` and ``report.pdf`` of one case.

    Args:
        told: From `busight.model.explain.explained.explained`.
        folder: New, or empty.
        show_rejected: Show what was predicted for an image that the bundle refuses.
        started: UTC, ISO 8601, for the page; None for now.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: A file cannot be written.
    """
    answered = told.rejected is None or show_rejected
    point = told.card.decision.threshold
    plates = figure.plates(told, None if point is None else point.threshold, answered)
    alike = similar_cases.plates(told.similar) if answered else []
    for plate in (*plates, *alike):
        write_plate(plate, folder / FIGURES)
    gallery, alike_gallery = (Gallery(tuple(map(picture_of, one))) for one in (plates, alike))
    sections = [_answer(told, gallery)] if answered else [_refusal(told, gallery)]
    if answered:
        sections += [
            _lesion(told),
            *_descriptor_model(told),
            _alike(told, alike_gallery),
            _about(told.card),
            *_numbers(told),
        ]
    return write_document(
        Document(
            title=f"One case: {short_label(Path(told.prediction.ref.path).name, 60)}",
            subtitle=f"By {told.card.name}. Research use only, not for diagnosis.",
            started=started or datetime.now(UTC).isoformat(timespec="seconds"),
            sections=tuple(sections),
        ),
        folder,
    )


def _refusal(told: Explained, gallery: Gallery) -> Section:
    why = f"Not answered: the image is {told.rejected}."
    note = (
        "The detector looks at grey values, layers and texture alone. Another device's ultrasound may be rejected too: "
        "then the bundle was never shown such images, and its answer would rest on nothing. With --show-rejected it is "
        "shown all the same."
    )
    return Section("answer", "No answer", (Paragraph(why, "warning"), gallery, Paragraph(note, "note")))


def _answer(told: Explained, gallery: Gallery) -> Section:
    found, card = told.prediction, told.card
    value = float(found.calibrated_probs[found.classes.index(found.label)])
    tiles = [Tile("Class", found.label, "", f"{figure.probability_words(told)} {value:.2f}")]
    if card.decision.conformal is not None and found.prediction_set is not None:
        inside = " or ".join(found.prediction_set) or "none"
        tiles.append(
            Tile(
                "May be",
                inside,
                "",
                f"prediction set at {100 * card.decision.conformal.level:g}% coverage",
            )
        )
    if (evidence := found.descriptors) is not None:
        of = f"probability of {found.positive} by BI-RADS descriptors alone"
        note = f"{of}, if the lesion proposal is a lesion" if evidence.from_proposal else of
        tiles.append(Tile("Descriptors", f"{evidence.prob_positive:.2f}", "", note))
    blocks: list[Block] = []
    if told.rejected:
        blocks.append(Paragraph(f"The bundle would not answer: the image is {told.rejected}.", "warning"))
    blocks.append(Tiles(tuple(tiles)))
    if told.prediction.warnings:
        blocks.append(Paragraph("Warnings", "warning"))
        blocks.append(Bullets(tuple(f"{word[0].upper()}{word[1:]}." for word in told.prediction.warnings)))
    blocks += [gallery, *_operating(told), *_prevalence(told)]
    return Section("answer", "Answer", tuple(blocks))


def _operating(told: Explained) -> list[Block]:
    point = told.card.decision.threshold
    if point is None or point.threshold is None:
        return [Paragraph("No threshold in this bundle.", "note")]
    side = "at or above" if told.prediction.above_threshold else "below"
    gave = ""
    if point.sensitivity is not None and point.specificity is not None:
        found, cleared = percent(point.sensitivity), percent(point.specificity)
        gave = f" There it found {found} of them and cleared {cleared} of the others."
    positive = told.prediction.positive
    wanted, value = (
        f"{100 * point.wanted_sensitivity:g}%",
        _apart(told.prediction.positive_prob or 0.0, point.threshold),
    )
    return [
        Paragraph(
            f"Threshold: {positive} from {point.threshold:.3f}, chosen for a sensitivity of {wanted} on "
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
    positive = told.prediction.positive
    probs = ", ".join(f"{name} {value:.3f}" for name, value in zip(told.prediction.classes, at.probs, strict=True))
    values = f"PPV {percent(at.ppv, 1)}, NPV {percent(at.npv, 1)}" if at.ppv == at.ppv else "PPV and NPV are undefined"
    here, calibration = percent(at.prevalence, 2), percent(at.measured)
    return [
        Paragraph(
            f"Where {here} are {positive} (among the calibration images {calibration} were), and images are otherwise "
            f"alike: {probs}. At the threshold, as measured on {at.point_source}: {values}."
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
    for one in told.description.descriptors:
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


def _descriptor_model(told: Explained) -> list[Section]:
    evidence, fusion = told.prediction.descriptors, told.card.decision.fusion
    if evidence is None or fusion is None:
        return []
    region = "the lesion as outlined"
    if evidence.from_proposal:
        region = (
            "the lesion proposal by edges, darkness and place (dotted line), because the network outlined nothing or "
            "is not sure of its outline"
        )
    weight = f"Its log-odds have a weight of {fusion.weight:g} in the answer above."
    told_weight = weight if fusion.weight else "It has no weight in the answer above."
    shown = tuple((name.replace("_", " "), f"{change:+.2f}") for name, change in evidence.contributions[:_STRONGEST])
    caption = f"The strongest contributions: change of the log-odds of {told.prediction.positive}"
    blocks = (
        Paragraph(f"A logistic model of BI-RADS descriptors alone, of {region}. {told_weight}"),
        Table(caption, ("descriptor", "change"), shown, numeric=(1,)),
    )
    return [Section("descriptors", "The descriptor model", blocks)]


def _numbers(told: Explained) -> list[Section]:
    if told.description is None:
        return []
    numbers = tuple((name, "–" if value != value else f"{value:.3g}") for name, value in told.description.features)
    table = Table("Lengths in pixels of the image at 256 rows", ("number", "value"), numbers, numeric=(1,), folded=True)
    return [Section("numbers", "The numbers behind the words", (table,))]


def _alike(told: Explained, pictures: Gallery) -> Section:
    if not told.similar:
        note = Paragraph("This bundle keeps no features of its training images.", "note")
        return Section("alike", "Training images that look alike to the network", (note,))
    rows = tuple((one.sample_id, one.label, f"{one.likeness:.3f}") for one in told.similar)
    table = Table("The most alike first", ("training image", "label", "likeness (cosine)"), rows, numeric=(2,))
    shown = (pictures, table) if pictures.pictures else (table,)
    return Section("alike", "Training images that look alike to the network", shown)


def _about(card: Card) -> Section:
    pairs = [
        ("Bundle", card.digest),
        ("Trained on", f"{card.training.images} images of {card.training.source}"),
        ("Calibration", f"{card.decision.calibration.calibrator.method}, {card.decision.calibration.source}"),
    ]
    pairs += [("Prediction set", card.decision.conformal.source)] if card.decision.conformal is not None else []
    decision = card.decision
    pairs += [("Out-of-distribution detector", decision.ood.source)] if decision.ood is not None else []
    pairs += [("Descriptor model", decision.fusion.source)] if decision.fusion is not None else []
    return Section("about", "Where this comes from", (Facts(tuple(pairs)),))
