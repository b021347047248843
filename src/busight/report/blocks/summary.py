"""Report section: the experiment in short, and its four headline metrics."""

from __future__ import annotations

import math

from busight.metrics.table import MetricEstimate
from busight.report.blocks.metric_tables import estimate_interval, metric_name, undefined_reason
from busight.report.blocks.model import KPI, Block, FigureGrid, KeyValues, KPIs, Listing, Paragraph, Section
from busight.report.text.numbers import counted, duration_text
from busight.results.records import CrossValidationRecord, EvaluationRecord, ResultRecord, TrainingRunRecord

_N_KPIS = 4
_DESCRIPTIONS: dict[type[ResultRecord], str] = {
    TrainingRunRecord: "trained, and evaluated on the test subset",
    EvaluationRecord: "a finished bundle, evaluated on this data",
    CrossValidationRecord: "cross-validation: in each repeat every image is tested once",
}


def headline_metrics(record: ResultRecord) -> list[MetricEstimate]:
    """Return the four metrics that matter most: accuracy, ranking, sensitivity to the positive class, overlap."""
    positive = record.metrics.positive
    two_classes = len(record.classes) == 2
    preferred = (
        ("balanced_accuracy", "overall"),
        ("auroc", (positive or record.classes[-1]) if two_classes else "macro"),
        ("sensitivity", positive or "macro"),
        ("dice", "lesion images"),
        ("accuracy", "overall"),
        ("ece", "overall"),
        ("specificity", positive or ""),
    )
    estimates = [e for metric, of in preferred if (e := record.metrics.find(metric, of)) and e.n > 0]
    return estimates[:_N_KPIS]


def section(record: ResultRecord, figures: dict[str, FigureGrid]) -> Section:
    """Return the opening section."""
    kpis = tuple(_kpi(record, estimate) for estimate in headline_metrics(record))
    seconds = sum(duration for _, duration in record.stage_seconds)
    n_images, n_groups = record.metrics.n_images, record.metrics.n_groups
    pairs = (
        ("Kind", _DESCRIPTIONS[type(record)]),
        ("Data", record.data.spec),
        ("Tested on", f"{counted(n_images, 'image')} in {counted(n_groups, 'independent group')}"),
        ("Network", record.network),
        ("Initial weights", record.weights),
        ("Calibration", record.calibration),
        ("Started", f"{record.started[:16].replace('T', ' ')} UTC"),
        ("Time", duration_text(seconds)),
    )
    blocks: list[Block] = [
        KPIs(kpis),
        *(Paragraph(warning, "warning") for warning in record.warnings),
        Paragraph(
            f"In brackets: {record.metrics.level:.0%} intervals from a bootstrap over groups. Experiments whose "
            "intervals overlap widely have not been shown to differ.",
            "note",
        ),
        KeyValues(pairs),
        Listing(record.command),
    ]
    return Section("summary", "Summary", tuple(blocks))


def _kpi(record: ResultRecord, estimate: MetricEstimate) -> KPI:
    label = metric_name(estimate.metric)
    of = "" if estimate.of == "overall" else estimate.of
    if math.isnan(estimate.value):
        return KPI(label, "undefined", undefined_reason(estimate, record.metrics), of)
    note = ", ".join(filter(None, [of, f"n = {estimate.n}"]))
    return KPI(label, f"{estimate.value:.3f}", estimate_interval(estimate), note)
