"""Page of one case: the prediction, its interpretation, its explanation, and its warnings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from busight.descriptors.lexicon import NOT_VISIBLE
from busight.model.bundle.card import Card
from busight.model.explain.explained import Explained
from busight.report.blocks.model import (
    KPI,
    Block,
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
    shows_prediction = explanation.rejected is None or show_rejected
    point = explanation.card.decision.threshold
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
            title=f"One case: {short_label(Path(explanation.prediction.ref.path).name, 60)}",
            subtitle=f"Model: {explanation.card.name}. Research use only, not for diagnosis.",
            started=started or datetime.now(UTC).isoformat(timespec="seconds"),
            sections=tuple(sections),
        ),
        folder,
    )


def _rejection(explanation: Explained, figures: FigureGrid) -> Section:
    reason = f"Rejected: the image is {explanation.rejected}."
    note = (
        "The out-of-distribution detector uses grey values, layers and texture alone. Images of another device may be "
        "rejected too: the bundle was not trained on such images, and its prediction would be unreliable. With "
        "--show-rejected it is shown all the same."
    )
    return Section("prediction", "No prediction", (Paragraph(reason, "warning"), figures, Paragraph(note, "note")))


def _prediction(explanation: Explained, figures: FigureGrid) -> Section:
    prediction, card = explanation.prediction, explanation.card
    value = float(prediction.calibrated_probs[prediction.classes.index(prediction.label)])
    kpis = [KPI("Class", prediction.label, "", f"{figure.probability_name(explanation)} {value:.2f}")]
    if card.decision.conformal is not None and prediction.prediction_set is not None:
        members = " or ".join(prediction.prediction_set) or "none"
        kpis.append(
            KPI(
                "Prediction set",
                members,
                "",
                f"nominal coverage {100 * card.decision.conformal.level:g}% of each class",
            )
        )
    if (evidence := prediction.descriptors) is not None:
        meaning = f"probability of {prediction.positive} by BI-RADS descriptors alone"
        note = f"{meaning}, if the lesion proposal is a lesion" if evidence.from_proposal else meaning
        kpis.append(KPI("Descriptor model", f"{evidence.prob_positive:.2f}", "", note))
    blocks: list[Block] = []
    if explanation.rejected:
        blocks.append(Paragraph(f"The bundle rejects this image: it is {explanation.rejected}.", "warning"))
    blocks.append(KPIs(tuple(kpis)))
    if prediction.warnings:
        texts = " ".join(f"{text[0].upper()}{text[1:]}." for text in prediction.warnings)
        blocks.append(Paragraph(f"Warnings: {texts}", "warning"))
    blocks += [figures, *_threshold(explanation), *_prevalence(explanation)]
    return Section("prediction", "Prediction", tuple(blocks))


def _threshold(explanation: Explained) -> list[Block]:
    point = explanation.card.decision.threshold
    if point is None or point.threshold is None:
        return [Paragraph("This bundle has no threshold.", "note")]
    prediction = explanation.prediction
    side = "at or above" if prediction.above_threshold else "below"
    measured = ""
    if point.sensitivity is not None and point.specificity is not None:
        measured = (
            f" There it has a sensitivity of {percent(point.sensitivity)} and a specificity of "
            f"{percent(point.specificity)}."
        )
    wanted = f"{100 * point.wanted_sensitivity:g}%"
    value = _distinct_digits(prediction.positive_prob or 0.0, point.threshold)
    return [
        Paragraph(
            f"Threshold: {prediction.positive} from {point.threshold:.3f}, chosen for a sensitivity of {wanted} on "
            f"{point.source}.{measured} This image is {side} it ({value})."
        )
    ]


def _distinct_digits(value: float, other: float) -> str:
    """Return a number with as many digits as distinguish it from another one."""
    return next((f"{value:.{n}f}" for n in (3, 4, 5) if f"{value:.{n}f}" != f"{other:.{n}f}"), f"{value:.6f}")


def _prevalence(explanation: Explained) -> list[Block]:
    at = explanation.at_prevalence
    if at is None:
        return [Paragraph("With --prevalence the page shows PPV and NPV at another prevalence.", "note")]
    classes, positive = explanation.prediction.classes, explanation.prediction.positive
    probs = ", ".join(f"{name} {value:.3f}" for name, value in zip(classes, at.probs, strict=True))
    values = "undefined" if at.ppv != at.ppv else f"PPV {percent(at.ppv, 1)}, NPV {percent(at.npv, 1)}"
    return [
        Paragraph(
            f"At a prevalence of {positive} of {percent(at.prevalence, 2)} (calibration images: "
            f"{percent(at.measured)}), with otherwise similar images: {probs}. At the threshold, as measured on "
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
    for descriptor in description.descriptors:
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
    evidence, fusion = explanation.prediction.descriptors, explanation.card.decision.fusion
    if evidence is None or fusion is None:
        return []
    region = "the lesion as outlined"
    if evidence.from_proposal:
        region = (
            "the lesion proposal by edges, darkness and place (dotted line), because the network outlined nothing or "
            "is not confident of its outline"
        )
    weight = "Its log-odds have no weight in the prediction above."
    if fusion.weight:
        weight = f"Its log-odds have a weight of {fusion.weight:g} in the prediction above."
    rows = tuple((name.replace("_", " "), f"{change:+.2f}") for name, change in evidence.contributions[:_STRONGEST])
    caption = f"Strongest contributions to the log-odds of {explanation.prediction.positive}"
    blocks = (
        Paragraph(f"A logistic model of BI-RADS descriptors alone, of {region}. {weight}"),
        Table(caption, ("descriptor", "log-odds"), rows, numeric=(1,)),
    )
    return [Section("descriptor-model", "Descriptor model", blocks)]


def _features(explanation: Explained) -> list[Section]:
    if explanation.description is None:
        return []
    rows = tuple((name, "–" if value != value else f"{value:.3g}") for name, value in explanation.description.features)
    table = Table("Lengths in pixels of the image at 256 rows", ("feature", "value"), rows, numeric=(1,), folded=True)
    return [Section("features", "Lesion features behind the descriptors", (table,))]


def _similar_cases(explanation: Explained, figures: FigureGrid) -> Section:
    title = "Similar training images"
    if not explanation.similar:
        note = Paragraph("This bundle keeps no features of its training images.", "note")
        return Section("similar", title, (note,))
    rows = tuple((case.sample_id, case.label, f"{case.likeness:.3f}") for case in explanation.similar)
    header = ("training image", "label", "cosine similarity")
    table = Table("The most similar first, by the features of the network", header, rows, numeric=(2,))
    return Section("similar", title, (figures, table) if figures.figures else (table,))


def _provenance(card: Card) -> Section:
    decision = card.decision
    pairs = [
        ("Bundle", card.digest),
        ("Trained on", f"{card.training.images} images of {card.training.source}"),
        ("Calibration", f"{decision.calibration.calibrator.method}, {decision.calibration.source}"),
    ]
    pairs += [("Prediction set", decision.conformal.source)] if decision.conformal is not None else []
    pairs += [("Out-of-distribution detector", decision.ood.source)] if decision.ood is not None else []
    pairs += [("Descriptor model", decision.fusion.source)] if decision.fusion is not None else []
    return Section("provenance", "Provenance", (KeyValues(tuple(pairs)),))
