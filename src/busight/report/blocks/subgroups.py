"""Report section: metrics by device, BI-RADS category, histology, lesion size and burned-in marks."""

from __future__ import annotations

import math

from busight.metrics.subgroups import FEW, Subgroup
from busight.metrics.table import MetricTable
from busight.report.blocks.metric_tables import estimate_text, metric_label
from busight.report.blocks.model import Block, FigureGrid, Paragraph, Section, Table
from busight.results.records import ResultRecord


def section(record: ResultRecord, figures: dict[str, FigureGrid]) -> Section | None:
    """Return one table for each attribute; None where there are no subgroups."""
    if not record.subgroups:
        return None
    note = (
        "A model can be good on average and poor on a subgroup. Subgroups are not independent experiments: among many, "
        "one looks worse by chance. A dash: the metric is undefined, most often because a class has no case."
    )
    blocks: list[Block] = [Paragraph(note)]
    if any(subgroup.few for subgroup in record.subgroups):
        blocks.append(Paragraph(f"* fewer than {FEW} images: nothing can be concluded from this row.", "warning"))
    for attribute in dict.fromkeys(subgroup.attribute for subgroup in record.subgroups):
        blocks.append(_table(attribute, [s for s in record.subgroups if s.attribute == attribute]))
    return Section("subgroups", "Subgroups", tuple(blocks))


def _table(attribute: str, subgroups: list[Subgroup]) -> Table:
    candidates = _columns(subgroups[0].table)
    columns = [column for column in candidates if any(subgroup.table.find(*column) for subgroup in subgroups)]
    header = (attribute, "images", *(metric_label(metric, of) for metric, of in columns))
    rows = tuple(
        (
            f"{subgroup.value} *" if subgroup.few else subgroup.value,
            str(subgroup.table.n_images),
            *(_cell(subgroup, *column) for column in columns),
        )
        for subgroup in subgroups
    )
    numeric = tuple(range(1, len(header)))
    return Table(f"By {attribute}", header, rows, numeric, folded=len(rows) > 12)


def _columns(metrics: MetricTable) -> list[tuple[str, str]]:
    columns = [("accuracy", "overall"), ("auroc", metrics.lesion_comparison or "macro")]
    if metrics.positive is not None:
        columns += [("sensitivity", metrics.positive), ("specificity", metrics.positive)]
    return [*columns, ("dice", "lesion images")]


def _cell(subgroup: Subgroup, metric: str, of: str) -> str:
    """Return a metric, or a dash where the subgroup lacks what it needs: most often one of the classes."""
    estimate = subgroup.table.find(metric, of)
    if estimate is None or math.isnan(estimate.value):
        return "–"
    return f"{estimate.value:.3f}" if math.isnan(estimate.low) else estimate_text(estimate, subgroup.table)
