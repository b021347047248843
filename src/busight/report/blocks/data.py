"""The data, what is wrong with it, and who trained and who tested."""

from __future__ import annotations

from busight.audit.checked_dataset import DataSummary
from busight.report.blocks.model import Block, Facts, Gallery, Paragraph, Section, Table
from busight.results.run_record import RunRecord, SplitSummary


def section(record: RunRecord, pictures: dict[str, Gallery]) -> Section:
    """Return counts, problems, near-duplicates and the sample pictures."""
    data = record.data
    facts = (
        ("Source", data.spec),
        ("Images", f"{data.n_images}, with {data.n_masks} mask files"),
        ("Classes", ", ".join(f"{name} {images}" for name, images in data.class_counts)),
        ("Patients", "not named by the source" if data.n_patients is None else str(data.n_patients)),
        ("Independent groups", str(data.n_groups)),
        ("Near-duplicate pairs", str(data.near_duplicate_pairs)),
    )
    blocks: list[Block] = [Facts(facts), pictures["class counts"], *_warnings(data), *_problems(data)]
    blocks.append(pictures["samples"])
    return Section("data", "Data and its problems", tuple(blocks))


def split_section(record: RunRecord, pictures: dict[str, Gallery]) -> Section | None:
    """Return the split as a table; None where nothing was split."""
    split = record.split
    if split is None:
        return None
    facts = (("Kind", split.kind), ("Seed", str(split.seed)), ("SHA-256", split.digest))
    blocks: list[Block] = [Facts(facts), _split_table(split)]
    if split.crossing_pairs:
        text = (
            f"{split.crossing_pairs} near-duplicate pairs have one image in training and the other in validation or "
            "test. Scores on this split flatter: the network has seen copies of what it is tested on. The grouped "
            "split (split.kind = grouped) keeps copies together."
        )
        blocks.append(Paragraph(text, "warning"))
    else:
        blocks.append(Paragraph("No near-duplicate pair crosses from one part into another."))
    return Section("split", "Split", tuple(blocks))


def _warnings(data: DataSummary) -> list[Block]:
    if not data.cross_label_pairs:
        return []
    count = len(data.cross_label_pairs)
    text = (
        f"{count} near-duplicate {'pair carries' if count == 1 else 'pairs carry'} different labels: at least one "
        "label of each pair is wrong, or one lesion was judged twice. They stay in and limit what a network can reach."
    )
    table = Table(
        "Near-duplicates with different labels", ("one image", "the other"), data.cross_label_pairs, folded=True
    )
    return [Paragraph(text, "warning"), table]


def _problems(data: DataSummary) -> list[Block]:
    if not data.problems:
        return [Paragraph("Every file of the source could be used as it was.")]
    rows = tuple((problem.path, problem.text) for problem in data.problems)
    count = f"{len(rows)} file{'' if len(rows) == 1 else 's'}"
    return [Table(f"{count} with something to know, and what was done", ("file", "what"), rows, folded=True)]


def _split_table(split: SplitSummary) -> Table:
    parts = tuple(dict.fromkeys(part for part, _, _ in split.counts))
    classes = tuple(dict.fromkeys(name for _, name, _ in split.counts))
    images = {(part, name): count for part, name, count in split.counts}
    rows = []
    for part in parts:
        line = [images.get((part, name), 0) for name in classes]
        rows.append((part, *map(str, line), str(sum(line))))
    numeric = tuple(range(1, len(classes) + 2))
    return Table("Images by part and class", ("part", *classes, "all"), tuple(rows), numeric)
