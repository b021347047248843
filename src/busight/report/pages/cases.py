"""Pages of the example cases of a report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from busight.report.pages.case import write_explanation
from busight.report.text.sanitise import file_stem
from busight.results.records import ModelRecord, ResultRecord


def case_pages(record: ModelRecord) -> tuple[str, ...]:
    """Return the addresses of the pages of the example cases, relative to the report's; none without explanations."""
    if not record.explanations:
        return ()
    names = [file_stem(stages.case.target) for stages in record.example_cases]
    return tuple(f"cases/{number}-{name}/report.html" for number, name in enumerate(names, start=1))


def write_case_pages(record: ResultRecord, folder: Path, progress: Callable[[str], None]) -> None:
    """Write the pages of the example cases, with the predictions of rejected images too.

    A report is about the bundle, not about a patient, so that nothing needs to be withheld.

    Args:
        record: The record of the experiment.
        folder: The folder of the report.
        progress: Called with each address.

    Raises:
        OutputError: A file cannot be written.
    """
    if not isinstance(record, ModelRecord):
        return
    for explanation, page in zip(record.explanations, case_pages(record), strict=True):
        progress(page)
        write_explanation(explanation, (folder / page).parent, show_rejected=True, started=record.started)
