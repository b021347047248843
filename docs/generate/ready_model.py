"""What the card of the ready model says."""

from __future__ import annotations

from busight.model.bundle.card import Card, EvidenceRow, MetricPart
from busight.model.bundle.load import load_bundle
from busight.model.installed import READY, find_model
from busight.report.blocks.metric_tables import metric_label
from generate.tables import table


def ready_model() -> str:
    """Return the training data and the metrics of the ready model as Markdown."""
    card = load_bundle(find_model(READY)).card
    return "\n\n".join([_training(card), _evidence(card), _own_test(card)])


def _training(card: Card) -> str:
    rows = [[source.name, str(source.images), source.citation, source.licence] for source in card.training.sources]
    decision = card.decision
    threshold = decision.threshold
    assert threshold is not None
    assert decision.conformal is not None
    weights = card.training.weights.removesuffix(".")
    facts = (
        f"Made on {card.created[:10]} by busight {card.busight}; initial weights: {weights}. "
        f"Calibration: {decision.calibration.source}. Threshold for sensitivity {threshold.wanted_sensitivity:g}: "
        f"{threshold.threshold:.3f}. Prediction sets: coverage {decision.conformal.level:g} of each class."
    )
    return f"{facts}\n\n{table(['data', 'images to train and to tune', 'citation', 'licence'], rows)}"


def _evidence(card: Card) -> str:
    assert card.evidence is not None
    rows = [
        [row.source, f"{row.attribute} {row.shared}" if row.attribute else "all", *_figures(row)]
        for row in card.evidence.rows
    ]
    title = f"On data sets left out ({card.evidence.how}; {card.evidence.level:.0%} intervals over groups):"
    return f"{title}\n\n{table(['data set left out', 'images', 'metric', 'value', 'n'], rows)}"


def _own_test(card: Card) -> str:
    kept = ("accuracy", "auroc", "dice", "ece", "operating_sensitivity", "operating_specificity")
    rows = [list(_figures(row)) for row in card.metrics if row.metric in kept]
    title = "On its own test subset, images of the three data sets that it knows:"
    return f"{title}\n\n{table(['metric', 'value', 'n'], rows)}"


def _figures(row: MetricPart | EvidenceRow) -> tuple[str, str, str]:
    interval = "" if row.low is None or row.high is None else f" ({row.low:.3f}–{row.high:.3f})"
    value = "undefined" if row.value is None else f"{row.value:.3f}{interval}"
    return metric_label(row.metric, row.of), value, str(row.n)
