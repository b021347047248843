"""The pages of single cases that a report links to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from busight.report.pages.case import write_explanation
from busight.report.text.labels import file_stem
from busight.results.run_record import RunRecord


def case_pages(record: RunRecord) -> tuple[str, ...]:
    """Return the addresses of the pages of the walks' cases, relative to the report's; none where nothing is known."""
    if not record.explained:
        return ()
    names = [file_stem(walk.case.actual or "unlabelled") for walk in record.walks]
    return tuple(f"cases/{number}-{name}/report.html" for number, name in enumerate(names, start=1))


def write_case_pages(record: RunRecord, folder: Path, tell: Callable[[str], None]) -> None:
    """Write them, with what was predicted for refused images too: a report is about the bundle, not about a patient.

    Args:
        record: What the run left.
        folder: The report's.
        tell: Told each address.

    Raises:
        OutputError: A file cannot be written.
    """
    for told, page in zip(record.explained, case_pages(record), strict=True):
        tell(page)
        write_explanation(told, (folder / page).parent, show_rejected=True, started=record.started)
