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
    note = f"{metric_name('mean_set_size')}: {estimate_text(size, table)}. The nominal coverage is assess.coverage."
    return [
        Table("Prediction sets: share of the images whose set contains their target", ("class", "empirical coverage"),
              coverages, numeric=(1,)),
        Paragraph(note, "note"),
    ]  # fmt: skip


def _predictive_values(record: ResultRecord) -> list[Block]:
    positive = record.metrics.positive
    if positive is None:
        return []
    estimates = [record.metrics.find(f"operating_{name}", positive) for name in ("sensitivity", "specificity")]
    sensitivity, specificity = (math.nan if estimate is None else estimate.value for estimate in estimates)
    if math.isnan(sensitivity) or math.isnan(specificity):
        return []
    prevalence_here = float(np.mean([case.target == positive for case in record.cases]))
    rows = []
    for prevalence in (*_PREVALENCES, prevalence_here):
        ppv, npv = predictive_values(sensitivity, specificity, prevalence)
        of_images = " (these images)" if prevalence == prevalence_here else ""
        rows.append((f"{prevalence:.1%}{of_images}", percent(ppv, 1), percent(npv, 2)))
    return [
        Table(
            f"Operating point for {positive} by prevalence: "
            f"sensitivity {sensitivity:.3f}, specificity {specificity:.3f}",
            ("prevalence", "PPV", "NPV"),
            tuple(rows),
            numeric=(0, 1, 2),
        )
    ]


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
