"""The inflation page: the picture, the table, how it was made."""

from __future__ import annotations

from pathlib import Path

from busight.experiments.leakage import InflationRecord, Protocol
from busight.report.blocks.model import Block, Bullets, Document, Facts, Gallery, Listing, Paragraph, Section, Table
from busight.report.blocks.scores_table import find_score, score_name, score_text
from busight.report.figures import leakage as figure
from busight.report.pages.run import picture_of, write_document, write_plate


def write_inflation(record: InflationRecord, folder: Path) -> Path:
    """Write ``figures/inflation.svg`` and ``.png``, ``report.html`` and ``report.pdf``, each whole or not at all.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: A file cannot be written.
    """
    plates = figure.plates(record)
    for plate in plates:
        write_plate(plate, folder / "figures")
    return write_document(_document(record, Gallery(tuple(map(picture_of, plates)))), folder)


def inflation_lines(record: InflationRecord) -> list[str]:
    """Return what a terminal shows: a line a protocol and score, and one sentence."""
    lines = []
    for number, protocol in enumerate(record.protocols, start=1):
        lines.append(f"{number}. {protocol.about} ({protocol.data})")
        for metric, of in figure.PANELS:
            points = figure.points_text(protocol, metric, of)
            text = score_text(find_score(protocol.sheet, metric, of), protocol.sheet)
            lines.append(f"   {score_name(metric, of)}: {text}{'; ' + points if points else ''}")
    return [*lines, sentence(record)]


def sentence(record: InflationRecord) -> str:
    """Say what the leak adds to the accuracy, and whether that has been shown."""
    leaking = next(protocol for protocol in record.protocols if protocol.name == "image")
    found = leaking.difference("accuracy", "overall")
    if found is None or found.value != found.value:
        return "The inflation of the accuracy is undefined: the two protocols share no case."
    points = figure.points_text(leaking, "accuracy", "overall")
    if found.low > 0:
        return f"Splitting by image inflates the accuracy of this recipe: {points}."
    return f"An inflation of the accuracy by splitting by image has not been shown: {points}."


def _document(record: InflationRecord, gallery: Gallery) -> Document:
    pairs = (
        f"{record.data.near_duplicate_pairs} near-duplicate pairs, {len(record.data.cross_label_pairs)} across labels"
    )
    facts = (
        ("Recipe", record.recipe),
        ("Tested on another set", next((p.data for p in record.protocols if p.name == "external"), "none")),
        ("Data", f"{record.data.spec}: {record.data.n_images} images in {record.data.n_groups} groups; {pairs}"),
        ("Folds", f"{record.folds}, in {record.repeats} repeat{'s' if record.repeats > 1 else ''}"),
        ("Initial weights", record.weights),
        ("Started", record.started),
    )
    summary: list[Block] = [Paragraph(sentence(record)), gallery, _table(record), Facts(facts), Listing(record.command)]
    luck = () if record.repeats > 1 else ("One repeat: the luck of folds and training seed is not in the intervals.",)
    reading = Bullets(
        (
            *luck,
            "Every protocol trains on about as many images and tests each image once a repeat; only what may lie on "
            "both sides of a split differs.",
            "Differences are taken on the images that both protocols tested, paired by image and resampled by group.",
            "A point is a hundredth: one per cent of accuracy, 0.01 of AUROC.",
            "Malignant against benign is the one figure that data sets with and without normal images share.",
            "Images without a known patient can still be of one patient on both sides: even the grouped score may "
            "flatter. Another hospital's images are the harder test.",
        )
    )
    return Document(
        title=f"Inflation: {record.recipe}",
        subtitle=f"One recipe under {len(record.protocols)} protocols. Data: {record.data.spec}.",
        started=record.started,
        sections=(
            Section("inflation", "What a leaking split adds", tuple(summary)),
            Section("reading", "How to read it", (reading,)),
            Section("recipe", "The recipe in full", (Listing(record.recipe_toml),)),
            Section("provenance", "Versions", (Facts(record.versions),)),
        ),
    )


def _table(record: InflationRecord) -> Table:
    header = ("protocol", "images", *(score_name(metric, of) for metric, of in figure.PANELS))
    rows = tuple(_row(protocol) for protocol in record.protocols)
    caption = "Scores with intervals, and after the semicolon the points that each protocol adds to the grouped folds"
    return Table(caption, header, rows, numeric=tuple(range(1, len(header))))


def _row(protocol: Protocol) -> tuple[str, ...]:
    cells = []
    for metric, of in figure.PANELS:
        points = figure.points_text(protocol, metric, of)
        text = score_text(find_score(protocol.sheet, metric, of), protocol.sheet)
        cells.append(f"{text}; {points.replace(' points', '')}" if points else text)
    return (protocol.about, str(protocol.sheet.n_images), *cells)
