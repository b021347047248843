"""What a terminal shows of a data audit."""

from __future__ import annotations

from busight.audit.checked_dataset import DataSummary
from busight.report.text.numbers import interval_text
from busight.results.audit_record import AuditRecord


def audit_lines(record: AuditRecord) -> list[str]:
    """Return what a terminal shows."""
    data, pairs, unusual = record.data, record.near_duplicates, record.unusual
    all_together = [shortcut for shortcut in record.shortcuts if shortcut.feature == "all together"]
    aurocs = ", ".join(f"{s.label} {s.auroc:.2f} ({interval_text(s.low, s.high, '.2f')})" for s in all_together)
    lines = [
        f"images: {data.n_images}, mask files: {data.n_masks}, together {files_sentence(data)}",
        f"near-duplicates: {len(pairs.pairs)} pairs, {pairs.n_images} images; with different labels: "
        f"{len(pairs.conflicting)} pairs, {pairs.n_in_conflict} images",
        f"burned-in marks: {len(unusual.marked)} images; not grey: {len(unusual.coloured)}; flat border: "
        f"{len(unusual.bordered)}; outliers: {len(unusual.outliers)}",
        f"AUROC from shortcuts without tissue: {aurocs or 'too few groups'}",
    ]
    if record.patients_with_several_images is not None:
        lines.insert(1, f"patients: {data.n_patients}, with several images: {record.patients_with_several_images}")
    if pairs.external:
        lines.append(f"also in {pairs.external}: {len(pairs.external_pairs)} pairs")
    if record.label_issues:
        lines.append(f"likely label errors: {len(record.label_issues)}")
    return lines


def files_sentence(data: DataSummary) -> str:
    """Return how many files a set has, images and masks together."""
    n_files = data.n_images + data.n_masks
    # The paper counted BUSI's masks among its images.
    is_busi = data.spec.startswith("busi:")
    return f"{n_files} (a count of {n_files} images counts the masks)" if is_busi else str(n_files)
