"""Report section: every metric with its interval, and their figures."""

from __future__ import annotations

from busight.report.blocks.metric_tables import (
    class_rows,
    overall_rows,
    resampling_note,
    subset_rows,
    undefined_resample_rows,
)
from busight.report.blocks.model import Block, FigureGrid, Paragraph, Section, Table
from busight.results.case import Case
from busight.results.records import ResultRecord


def section(record: ResultRecord, figures: dict[str, FigureGrid]) -> Section:
    """Return metric tables, then confusion matrix, classification report, curves and the list of errors."""
    table = record.metrics
    header, by_class = class_rows(table)
    blocks: list[Block] = [
        Table("All cases together", ("metric", "value", "images"), tuple(overall_rows(table)), numeric=(1, 2)),
        Table("By class", tuple(header), tuple(map(tuple, by_class)), numeric=tuple(range(1, len(header)))),
    ]
    if subsets := subset_rows(table):
        blocks.append(
            Table("On subsets of the images", ("metric", "of", "value", "images"), tuple(subsets), numeric=(2, 3))
        )
    blocks.append(
        Paragraph(
            f"{resampling_note(table)} ↓: lower is better. Precision, sensitivity and AUROC of a class "
            "are taken against all other classes.",
            "note",
        )
    )
    undefined = undefined_resample_rows(table)
    if len({left_out for _, _, left_out in undefined}) == 1:
        n = undefined[0][2]
        text = f"{n} resamples were left out of {len(undefined)} metrics, which were undefined in them."
        blocks.append(Paragraph(text, "note"))
    elif undefined:
        caption = "Resamples left out because a metric was undefined in them"
        blocks.append(Table(caption, ("metric", "of", "left out"), tuple(undefined), numeric=(2,), folded=True))
    blocks += [figures[family] for family in ("confusion", "classification report")]
    curves = [*figures["roc"].figures, *figures["precision-recall"].figures, *figures["reliability"].figures]
    blocks.append(FigureGrid(tuple(curves)))
    blocks.append(_errors(record))
    return Section("metrics", "Metrics", tuple(blocks))


def _errors(record: ResultRecord) -> Block:
    """Return the errors, the most confident first: these are the cases to review."""
    errors = [case for case in record.cases if case.is_error]
    if not errors:
        return Paragraph("There is no error: every test case was predicted right.")
    errors.sort(key=lambda case: -max(case.calibrated_probs))
    rows = tuple(_error_row(case) for case in errors)
    header = ("image", "target", "prediction", *(f"p({name})" for name in record.classes))
    of = f" of {len(record.cases)}, all repeats together" if len(record.cases) > record.metrics.n_images else ""
    caption = f"All {len(rows)} errors{of}, the most confident first (calibrated probabilities)"
    return Table(caption, header, rows, numeric=tuple(range(3, len(header))), folded=True)


def _error_row(case: Case) -> tuple[str, ...]:
    return (case.sample_id, case.target, case.prediction, *(f"{value:.3f}" for value in case.calibrated_probs))
