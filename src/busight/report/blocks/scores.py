"""Every score with its interval, and the figures that go with them."""

from __future__ import annotations

from busight.report.blocks.model import Block, Gallery, Paragraph, Section, Table
from busight.report.blocks.scores_table import class_rows, left_out_rows, other_rows, overall_rows, resampling_note
from busight.results.run_record import Case, RunRecord


def section(record: RunRecord, pictures: dict[str, Gallery]) -> Section:
    """Return score tables, then confusion matrix, classification report, curves and the list of errors."""
    sheet = record.sheet
    header, by_class = class_rows(sheet)
    blocks: list[Block] = [
        Table("All cases together", ("score", "value", "images"), tuple(overall_rows(sheet)), numeric=(1, 2)),
        Table("By class", tuple(header), tuple(map(tuple, by_class)), numeric=tuple(range(1, len(header)))),
    ]
    if others := other_rows(sheet):
        blocks.append(Table("On some of the images", ("score", "of", "value", "images"), tuple(others), numeric=(2, 3)))
    blocks.append(
        Paragraph(
            f"{resampling_note(sheet)} ↓: lower is better. Precision, sensitivity and AUROC of a class "
            "are taken against all other classes.",
            "note",
        )
    )
    if left_out := left_out_rows(sheet):
        caption = "Resamples left out because a score was undefined in them"
        blocks.append(Table(caption, ("score", "of", "left out"), tuple(left_out), numeric=(2,), folded=True))
    blocks += [pictures[family] for family in ("confusion", "classification report")]
    curves = [*pictures["roc"].pictures, *pictures["precision-recall"].pictures, *pictures["reliability"].pictures]
    blocks.append(Gallery(tuple(curves)))
    blocks.append(_errors(record))
    return Section("scores", "Scores", tuple(blocks))


def _errors(record: RunRecord) -> Block:
    """List wrong calls, the surest first: these are the cases to look at."""
    wrong = [case for case in record.cases if case.actual is not None and case.actual != case.predicted]
    if not wrong:
        return Paragraph("Every labelled test case was called right.")
    wrong.sort(key=lambda case: -max(case.calibrated_probs))
    rows = tuple(_error_row(case) for case in wrong)
    header = ("image", "actual", "predicted", *(f"p({name})" for name in record.classes))
    of = f" of {len(record.cases)}, all repeats together" if len(record.cases) > record.sheet.n_images else ""
    caption = f"All {len(rows)} wrong calls{of}, the surest first (calibrated probabilities)"
    return Table(caption, header, rows, numeric=tuple(range(3, len(header))), folded=True)


def _error_row(case: Case) -> tuple[str, ...]:
    return (case.sample_id, case.actual or "", case.predicted, *(f"{value:.3f}" for value in case.calibrated_probs))
