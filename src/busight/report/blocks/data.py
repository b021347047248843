"""Report sections: the data set, its problems, and its split."""

from __future__ import annotations

from busight.audit.checked_dataset import DataSummary
from busight.report.blocks.model import Block, FigureGrid, KeyValues, Paragraph, Section, Table
from busight.results.records import ResultRecord, SplitSummary, TrainingRunRecord


def section(record: ResultRecord, figures: dict[str, FigureGrid]) -> Section:
    """Return counts, problems, near-duplicates and sample images."""
    data = record.data
    pairs = (
        ("Source", data.spec),
        ("Images", f"{data.n_images}, with {data.n_masks} mask files"),
        ("Classes", ", ".join(f"{name} {images}" for name, images in data.class_counts)),
        ("Patients", "not named by the source" if data.n_patients is None else str(data.n_patients)),
        ("Independent groups", str(data.n_groups)),
        ("Near-duplicate pairs", str(data.near_duplicate_pairs)),
    )
    blocks: list[Block] = [KeyValues(pairs), figures["class counts"], *_label_conflicts(data), *_problems(data)]
    blocks.append(figures["samples"])
    return Section("data", "Data and its problems", tuple(blocks))


def split_section(record: ResultRecord, figures: dict[str, FigureGrid]) -> Section | None:
    """Return the split as a table; None where nothing was split."""
    if not isinstance(record, TrainingRunRecord):
        return None
    split = record.split
    pairs = (("Kind", split.kind), ("Seed", str(split.seed)), ("SHA-256", split.digest))
    blocks: list[Block] = [KeyValues(pairs), _split_table(split)]
    if split.leaking_pairs:
        text = (
            f"{split.leaking_pairs} near-duplicate pairs have one image in training and the other in validation or "
            "test. Metrics on this split are too high: the network was trained on near-duplicates of its test images. "
            "The grouped split (split.kind = grouped) keeps near-duplicates together."
        )
        blocks.append(Paragraph(text, "warning"))
    else:
        blocks.append(Paragraph("No near-duplicate pair has images in two subsets."))
    return Section("split", "Split", tuple(blocks))


def _label_conflicts(data: DataSummary) -> list[Block]:
    if not data.cross_label_pairs:
        return []
    count = len(data.cross_label_pairs)
    text = (
        f"{count} near-duplicate {'pair carries' if count == 1 else 'pairs carry'} different labels: at least one "
        "label of each pair is wrong, or one lesion was labelled twice. They limit the accuracy that can be reached."
    )
    table = Table(
        "Near-duplicates with different labels", ("one image", "the other"), data.cross_label_pairs, folded=True
    )
    return [Paragraph(text, "warning"), table]


def _problems(data: DataSummary) -> list[Block]:
    if not data.problems:
        return [Paragraph("Every file of the source could be used as it is.")]
    rows = tuple((problem.path, problem.text) for problem in data.problems)
    count = f"{len(rows)} file{'' if len(rows) == 1 else 's'}"
    return [Table(f"{count} with a problem, and how it was handled", ("file", "problem"), rows, folded=True)]


def _split_table(split: SplitSummary) -> Table:
    parts = tuple(dict.fromkeys(subset for subset, _, _ in split.counts))
    classes = tuple(dict.fromkeys(name for _, name, _ in split.counts))
    images = {(subset, name): count for subset, name, count in split.counts}
    rows = []
    for subset in parts:
        line = [images.get((subset, name), 0) for name in classes]
        rows.append((subset, *map(str, line), str(sum(line))))
    numeric = tuple(range(1, len(classes) + 2))
    return Table("Images by subset and class", ("subset", *classes, "all"), tuple(rows), numeric)
