"""Page of one case: the prediction, its meaning, its explanation, and its warnings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from busight.descriptors.lexicon import NOT_VISIBLE
from busight.model.bundle.card import Card
from busight.model.explain.explained import Explained
from busight.report.blocks.model import (
    KPI,
    Block,
    Bullets,
    Document,
    FigureGrid,
    KeyValues,
    KPIs,
    Paragraph,
    Section,
    Table,
)
from busight.report.figures import explained as figure
from busight.report.figures import similar_cases
from busight.report.render.files import write_document, write_figures
from busight.report.text.numbers import percent
from busight.report.text.sanitise import short_label

_STRONGEST = 6


def write_explanation(
    explanation: Explained, folder: Path, show_rejected: bool = False, started: str | None = None
) -> Path:
    """Write ``figures/``, ``report.html`` and ``report.pdf`` of one case.

    Args:
        explanation: From `busight.model.explain.explained.explained`.
        folder: New, or empty.
        show_rejected: Show the prediction of an image that the bundle rejects.
        started: UTC, ISO 8601, for the page; None for now.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: A file cannot be written.
    """
    shows_prediction = not explanation.prediction.refused or show_rejected
    point = next(iter(explanation.card.operating_points), None)
    threshold = None if point is None else point.threshold
    figures = write_figures(figure.figure_specs(explanation, threshold, shows_prediction), folder)
    if shows_prediction:
        similar = write_figures(similar_cases.figure_specs(explanation.similar), folder)
        sections = [
            _prediction(explanation, figures),
            _descriptors(explanation),
            *_descriptor_model(explanation),
            _similar_cases(explanation, similar),
            _provenance(explanation.card),
            *_features(explanation),
        ]
    else:
        sections = [_rejection(explanation, figures)]
    return write_document(
        Document(
            title=f"One case: {short_label(Path(explanation.prediction.path).name, 60)}",
            subtitle=f"By {explanation.card.name}. Research use only, not for diagnosis.",
            started=started or datetime.now(UTC).isoformat(timespec="seconds"),
            sections=tuple(sections),
        ),
        folder,
    )


def _rejection(explanation: Explained, figures: FigureGrid) -> Section:
    reason = f"Rejected: the image is {explanation.prediction.refused}."
    note = (
        "The out-of-distribution detector uses grey values, layers and texture alone. Images of another device may be "
        "rejected too: the bundle was not trained on such images, and its prediction would be unreliable. With "
        "--show-refused it is shown all the same."
    )
    return Section("prediction", "No prediction", (Paragraph(reason, "warning"), figures, Paragraph(note, "note")))


def _prediction(explanation: Explained, figures: FigureGrid) -> Section:
    prediction, card = explanation.prediction, explanation.card
    value = float(prediction.calibrated_probs[prediction.classes.index(prediction.finding)])
    kpis = [KPI("Finding", prediction.finding, "", f"{figure.probability_name(explanation)} {value:.2f}")]
    if card.conformal is not None and prediction.prediction_set is not None:
        members = " or ".join(prediction.prediction_set) or "none"
        kpis.append(
            KPI("Prediction set", members, "", f"nominal coverage {100 * card.conformal.level:g}% of each class")
        )
    if (descriptor_model := prediction.second_reader) is not None:
        meaning = "probability of malignancy by BI-RADS descriptors alone"
        note = f"{meaning}, if the proposed region is a lesion" if descriptor_model.assumed else meaning
        kpis.append(KPI("Descriptor model", f"{descriptor_model.malignant:.2f}", "", note))
    blocks: list[Block] = []
    if prediction.refused:
        blocks.append(Paragraph(f"The bundle rejects this image: it is {prediction.refused}.", "warning"))
    blocks.append(KPIs(tuple(kpis)))
    if prediction.cautions:
        blocks.append(Paragraph("Warnings", "warning"))
        blocks.append(Bullets(tuple(f"{text[0].upper()}{text[1:]}." for text in prediction.cautions)))
    blocks += [figures, *_operating_point(explanation), *_prevalence(explanation)]
    return Section("prediction", "Prediction", tuple(blocks))


def _operating_point(explanation: Explained) -> list[Block]:
    point = next(iter(explanation.card.operating_points), None)
    if point is None or point.threshold is None:
        return [Paragraph("This bundle has no operating point.", "note")]
    prediction = explanation.prediction
    side = "at or above" if prediction.flagged else "below"
    measured = ""
    if point.sensitivity is not None and point.specificity is not None:
        measured = (
            f" There it has a sensitivity of {percent(point.sensitivity)} and a specificity of "
            f"{percent(point.specificity)}."
        )
    last, prob = prediction.classes[-1], float(prediction.calibrated_probs[-1])
    wanted, value = f"{100 * point.wanted_sensitivity:g}%", _distinct_digits(prob, point.threshold)
    return [
        Paragraph(
            f"Operating point: {last} from {point.threshold:.3f}, chosen for a sensitivity of {wanted} on "
            f"{point.source}.{measured} This image is {side} it ({value})."
        )
    ]


def _distinct_digits(value: float, other: float) -> str:
    """Return a number with as many digits as tell it from another one."""
    return next((f"{value:.{n}f}" for n in (3, 4, 5) if f"{value:.{n}f}" != f"{other:.{n}f}"), f"{value:.6f}")


def _prevalence(explanation: Explained) -> list[Block]:
    at = explanation.at_prevalence
    if at is None:
        return [Paragraph("With --prevalence the page shows PPV and NPV at another prevalence.", "note")]
    classes = explanation.prediction.classes
    last = classes[-1]
    probs = ", ".join(f"{name} {value:.3f}" for name, value in zip(classes, at.probs, strict=True))
    values = "undefined" if at.ppv != at.ppv else f"PPV {percent(at.ppv, 1)}, NPV {percent(at.npv, 1)}"
    return [
        Paragraph(
            f"At a prevalence of {last} findings of {percent(at.prevalence, 2)} (calibration images: "
            f"{percent(at.measured)}), with otherwise similar images: {probs}. At the operating point, as measured on "
            f"{at.point_source}: {values}."
        )
    ]


def _descriptors(explanation: Explained) -> Section:
    title = "BI-RADS descriptors of the lesion"
    description = explanation.description
    if description is None:
        reason = explanation.undescribed
        return Section("lesion", title, (Paragraph(f"{reason[0].upper()}{reason[1:]}.", "note"),))
    rows = []
    for descriptor in description.words:
        term = descriptor.term.replace("_", " ")
        if descriptor.word == NOT_VISIBLE:
            rows.append((term, descriptor.word, "–", "–"))
            continue
        ranked = sorted(descriptor.probs, key=lambda pair: -pair[1])
        next_best = ", ".join(f"{word} {prob:.2f}" for word, prob in ranked[1:3] if prob >= 0.05)
        rows.append((term, descriptor.word, f"{ranked[0][1]:.2f}", next_best or "–"))
    note = (
        "The descriptors were learned from simulated lesions whose descriptors are known. On patients’ images they are "
        "suggestions."
    )
    blocks = (
        Paragraph(f"{description.sentence().capitalize()}."),
        Table("BI-RADS descriptors", ("term", "descriptor", "probability", "or"), tuple(rows), numeric=(2,)),
        Paragraph(note, "note"),
    )
    return Section("lesion", title, blocks)


def _descriptor_model(explanation: Explained) -> list[Section]:
    descriptor_model = explanation.prediction.second_reader
    if descriptor_model is None:
        return []
    region, part = "the lesion as outlined", explanation.card.classify
    if descriptor_model.assumed:
        region = (
            "the region proposed by edges, darkness and place (dotted line), because the network outlined nothing or "
            "is not confident of its outline"
        )
    weight = part.reader if part is not None else 0.0
    fusion = (
        f"Its weight in the prediction above is {weight:g}." if weight else "It has no weight in the prediction above."
    )
    rows = tuple((name.replace("_", " "), f"{change:+.2f}") for name, change in descriptor_model.reasons[:_STRONGEST])
    caption = "Strongest contributions to the log-odds of malignancy"
    blocks = (
        Paragraph(f"It uses BI-RADS descriptors alone, of {region}. {fusion}"),
        Table(caption, ("descriptor or feature", "log-odds"), rows, numeric=(1,)),
    )
    return [Section("descriptor-model", "Descriptor model", blocks)]


def _features(explanation: Explained) -> list[Section]:
    if explanation.description is None:
        return []
    rows = tuple((name, "–" if value != value else f"{value:.3g}") for name, value in explanation.description.numbers)
    table = Table("Lengths in pixels of the image at 256 rows", ("feature", "value"), rows, numeric=(1,), folded=True)
    return [Section("features", "Lesion features behind the descriptors", (table,))]


def _similar_cases(explanation: Explained, figures: FigureGrid) -> Section:
    title = "Similar training images"
    if not explanation.similar:
        note = Paragraph("This bundle keeps no features of its training images.", "note")
        return Section("similar", title, (note,))
    rows = tuple((case.sample_id, case.finding, f"{case.likeness:.3f}") for case in explanation.similar)
    header = ("training image", "finding", "cosine similarity")
    table = Table("The most similar first, by the features of the network", header, rows, numeric=(2,))
    return Section("similar", title, (figures, table) if figures.figures else (table,))


def _provenance(card: Card) -> Section:
    pairs = [
        ("Bundle", card.digest),
        ("Trained on", f"{card.training.images} images of {card.training.source}"),
        ("Calibration", f"{card.calibration.method}, {card.calibration.source}"),
    ]
    pairs += [("Prediction set", card.conformal.source)] if card.conformal is not None else []
    pairs += [("OOD detector", card.gate.source)] if card.gate is not None else []
    pairs += [("Descriptor model", card.reader.source)] if card.reader is not None else []
    return Section("provenance", "Provenance", (KeyValues(tuple(pairs)),))
