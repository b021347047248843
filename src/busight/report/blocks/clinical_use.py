"""Report section: clinical use of a prediction — prediction sets, selective prediction, PPV and NPV by prevalence."""

from __future__ import annotations

import math

import numpy as np

from busight.metrics.prevalence import predictive_values
from busight.metrics.risk_coverage import risk_coverage
from busight.report.blocks.metric_tables import estimate_text, metric_name
from busight.report.blocks.model import Block, FigureGrid, Paragraph, Section, Table
from busight.report.figures.case_arrays import case_arrays
from busight.report.text.numbers import percent
from busight.results.records import ResultRecord

_PREVALENCES = (0.005, 0.02, 0.1)
"""Screening, recalled women, symptomatic women: orders of magnitude, not those of one clinic."""

_HARDLY_SELECTS = 0.2
"""Specificity below which a threshold is called useless."""

_COVERAGES = (0.5, 0.7, 0.8, 0.9, 1.0)


def section(record: ResultRecord, figures: dict[str, FigureGrid]) -> Section:
    """Return prediction sets, selective prediction and predictive values on the test cases."""
    cases = case_arrays(record)
    blocks: list[Block] = [*_prediction_sets(record), *_predictive_values(record)]
    curve = risk_coverage(cases.target, cases.calibrated)
    points = dict.fromkeys(curve.at(coverage) for coverage in _COVERAGES)
    rows = tuple((f"{coverage:.0%}", f"{risk:.3f}") for coverage, risk in points)
    blocks += [
        Table("Selective prediction: the most confident images only", ("coverage", "risk"), rows, numeric=(0, 1)),
        FigureGrid((*figures["risk and coverage"].figures, *figures["decision curve"].figures)),
        *_descriptor_model(record),
    ]
    return Section("acting", "Acting on a prediction", tuple(blocks))


def _prediction_sets(record: ResultRecord) -> list[Block]:
    table = record.metrics
    size = table.find("mean_set_size", "overall")
    if size is None:
        return [Paragraph("There are no prediction sets.", "note")]
    coverages = tuple((name, estimate_text(table.find("class_coverage", name), table)) for name in record.classes)
    mean_size = f"{metric_name('mean_set_size')}: {estimate_text(size, table)}."
    note = f"{mean_size} Nominal is the recipe’s assess.coverage, 90 % unless set."
    return [
        Table("Prediction sets: share of the images whose set contains their target", ("class", "empirical coverage"),
              coverages, numeric=(1,)),
        Paragraph(note, "note"),
    ]  # fmt: skip


def _predictive_values(record: ResultRecord) -> list[Block]:
    positive = record.metrics.positive
    if positive is None:
        return []
    sensitivity, specificity = (
        record.metrics.find(f"operating_{name}", positive) for name in ("sensitivity", "specificity")
    )
    if sensitivity is None or specificity is None or math.isnan(sensitivity.value + specificity.value):
        return []
    prevalence_here = float(np.mean([case.target == positive for case in record.cases]))
    rows = []
    for prevalence in (*_PREVALENCES, prevalence_here):
        of_images = " (these images)" if prevalence == prevalence_here else ""
        # Each end from both ends: at least as wide as an interval of the predictive value itself.
        ends = [
            predictive_values(getattr(sensitivity, end), getattr(specificity, end), prevalence)
            for end in ("value", "low", "high")
        ]
        ppv, npv = (
            f"{percent(value, digits)} ({percent(low, digits)} to {percent(high, digits)})"
            for (value, low, high), digits in zip(zip(*ends, strict=True), (1, 2), strict=True)
        )
        rows.append((f"{prevalence:.1%}{of_images}", ppv, npv))
    blocks: list[Block] = [
        Table(
            f"At the threshold for {positive}, by prevalence: sensitivity {sensitivity.value:.3f}, "
            f"specificity {specificity.value:.3f}",
            ("prevalence", "PPV", "NPV"),
            tuple(rows),
            numeric=(0, 1, 2),
        )
    ]
    if specificity.value < _HARDLY_SELECTS:
        share = percent(1 - specificity.value)
        blocks.append(Paragraph(f"The threshold hardly selects: {share} of the other images reach it.", "warning"))
    return blocks


def _descriptor_model(record: ResultRecord) -> list[Block]:
    lesions = record.metrics.lesion_comparison or ""
    alone = record.metrics.find("descriptor_auroc", lesions)
    if alone is None:
        return []
    fused = record.metrics.find("auroc", lesions)
    return [
        Paragraph(
            "The descriptor model uses BI-RADS descriptors of the outlined lesion alone. Its AUROC, "
            f"{lesions}, is {estimate_text(alone, record.metrics)} on {alone.n} lesions; that of the bundle’s "
            f"prediction is {estimate_text(fused, record.metrics)}."
        )
    ]
