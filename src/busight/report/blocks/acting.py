"""What a single answer is worth: sets, sure answers, predictive values at other prevalences, the second reader."""

from __future__ import annotations

import math

import numpy as np

from busight.metrics.prevalence import predictive_values
from busight.metrics.risk_coverage import risk_coverage
from busight.report.blocks.model import Block, Gallery, Paragraph, Section, Table
from busight.report.blocks.scores_table import find_score, score_text
from busight.report.figures.labelled import labelled
from busight.report.text.labels import percent
from busight.results.run_record import RunRecord

_PREVALENCES = (0.005, 0.02, 0.1)
"""Screening, a clinic's callbacks, a clinic's lumps: orders of magnitude, not figures of one place."""

_ANSWERED = (0.5, 0.7, 0.8, 0.9, 1.0)


def section(record: RunRecord, pictures: dict[str, Gallery]) -> Section | None:
    """Return what follows from a prediction, each on the test cases; None where no case has a label."""
    cases = labelled(record)
    if cases is None:
        return None
    blocks: list[Block] = [*_sets(record), *_prevalence(record)]
    curve = risk_coverage(cases.target, cases.calibrated)
    points = dict.fromkeys(curve.at(share) for share in _ANSWERED)
    rows = tuple((f"{coverage:.0%}", f"{risk:.3f}") for coverage, risk in points)
    blocks += [
        Table("Answering the surest images only", ("answered", "of these wrong"), rows, numeric=(0, 1)),
        Gallery((*pictures["risk and coverage"].pictures, *pictures["decision curve"].pictures)),
        *_second_reader(record),
    ]
    return Section("acting", "Acting on an answer", tuple(blocks))


def _sets(record: RunRecord) -> list[Block]:
    sheet = record.sheet
    held = tuple((name, score_text(find_score(sheet, "set_coverage", name), sheet)) for name in record.classes)
    if find_score(sheet, "set_size", "overall") is None:
        return [Paragraph("These bundles give no prediction sets.", "note")]
    size = score_text(find_score(sheet, "set_size", "overall"), sheet)
    return [
        Table("Prediction sets: how often a set holds the actual class", ("class", "held"), held, numeric=(1,)),
        Paragraph(f"Classes in a set, on average: {size}. The recipe’s assess.coverage is what was promised.", "note"),
    ]


def _prevalence(record: RunRecord) -> list[Block]:
    last = record.classes[-1]
    found = [find_score(record.sheet, f"operating_{name}", last) for name in ("sensitivity", "specificity")]
    values = [math.nan if score is None else score.value for score in found]
    if any(map(math.isnan, values)):
        return []
    here = float(np.mean([case.actual == last for case in record.cases]))
    rows = []
    for prevalence in (*_PREVALENCES, here):
        ppv, npv = predictive_values(values[0], values[1], prevalence)
        rows.append(
            (f"{prevalence:.1%}{' (these images)' if prevalence == here else ''}", percent(ppv, 1), percent(npv, 2))
        )
    return [
        Table(
            f"The operating point where {last} is rarer: sensitivity {values[0]:.3f}, specificity {values[1]:.3f}",
            (f"have {last}", "of the flagged have it", "of the others do not"),
            tuple(rows),
            numeric=(0, 1, 2),
        )
    ]


def _second_reader(record: RunRecord) -> list[Block]:
    alone = find_score(record.sheet, "second_reader_auroc", "malignant among lesions")
    if alone is None:
        return []
    network = find_score(record.sheet, "auroc", "malignant among lesions")
    return [
        Paragraph(
            "The second reader, which knows BI-RADS words of the outlined lesion alone, tells malignant from benign "
            f"with an AUROC of {score_text(alone, record.sheet)} on {alone.n} lesions; the answer of the bundle has "
            f"{score_text(network, record.sheet)}."
        )
    ]
