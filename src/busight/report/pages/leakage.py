"""Page of a leakage study: the figure, the table, their interpretation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from busight.report.blocks.metric_tables import estimate_text, metric_label
from busight.report.blocks.model import (
    Block,
    Bullets,
    Document,
    FigureGrid,
    KeyValues,
    Listing,
    Paragraph,
    Section,
    Table,
)
from busight.report.figures import leakage as figure
from busight.report.render.files import write_document, write_figures
from busight.report.text.numbers import counted
from busight.results.leakage_record import LeakageRecord, ProtocolResult


def write_leakage_page(record: LeakageRecord, folder: Path) -> Path:
    """Write ``figures/leakage.svg`` and ``.png``, ``report.html`` and ``report.pdf``, each whole or not at all.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: A file cannot be written.
    """
    return write_document(_document(record, write_figures(figure.figure_specs(record), folder)), folder)


def leakage_lines(record: LeakageRecord) -> list[str]:
    """Return the lines for a terminal: one per protocol and metric, and one sentence."""
    lines = []
    for number, protocol in enumerate(record.protocols, start=1):
        lines.append(f"{number}. {protocol.description} ({protocol.data})")
        for metric, of in figure.panels_of(record):
            points = figure.points_text(protocol, metric, of)
            text = estimate_text(protocol.metrics.find(metric, of), protocol.metrics)
            lines.append(f"   {metric_label(metric, of)}: {text}{'; ' + points if points else ''}")
    return [*lines, sentence(record)]


def sentence(record: LeakageRecord) -> str:
    """Return in one sentence the effect of leakage on the accuracy, and whether its interval excludes 0."""
    by_image = next(protocol for protocol in record.protocols if protocol.name == "image")
    difference = by_image.difference_to_grouped.find("accuracy", "overall")
    if difference is None or difference.value != difference.value:
        return "The effect of splitting by image on the accuracy is undefined: the two protocols share no case."
    points = figure.points_text(by_image, "accuracy", "overall")
    if difference.low > 0:
        return f"Splitting by image inflates the accuracy of this recipe: {points}."
    return f"An inflation of the accuracy by splitting by image has not been shown: {points}."


def _document(record: LeakageRecord, figures: FigureGrid) -> Document:
    data = record.data
    pairs = f"{data.near_duplicate_pairs} near-duplicate pairs, {len(data.cross_label_pairs)} with different labels"
    key_values = (
        ("Recipe", record.title),
        ("External data", next((p.data for p in record.protocols if p.name == "external"), "none")),
        ("Data", f"{data.spec}: {data.n_images} images in {data.n_groups} groups; {pairs}"),
        ("Folds", f"{record.folds}, in {counted(record.repeats, 'repeat')}"),
        ("Initial weights", record.weights),
        ("Started", record.started),
    )
    summary: list[Block] = [
        Paragraph(sentence(record)),
        figures,
        _table(record),
        KeyValues(key_values),
        Listing(record.command),
    ]
    one_repeat = "One repeat: the variance of folds and training seed is not in the intervals."
    reading = Bullets(
        (
            *(() if record.repeats > 1 else (one_repeat,)),
            "Every protocol trains on about as many images and tests each image once a repeat; only the images that "
            "may lie on both sides of a split differ.",
            "Differences are over the images that both protocols tested, paired by image and resampled by group.",
            "A point is a hundredth: one per cent of accuracy, 0.01 of AUROC.",
            "The AUROC over lesion images alone is the one metric that data sets with and without normal images share.",
            "Images without a known patient can still be of one patient on both sides: even the grouped metrics may be "
            "too high. Another hospital’s images are the harder test.",
        )
    )
    return Document(
        title=f"Leakage study: {record.title}",
        subtitle=f"One recipe under {len(record.protocols)} evaluation protocols. Data: {data.spec}.",
        started=record.started,
        sections=(
            Section("leakage", "Effect of a leaking split", tuple(summary)),
            Section("reading", "How to read it", (reading,)),
            Section("recipe", "The recipe in full", (Listing(record.recipe_toml),)),
            Section("provenance", "Versions", (KeyValues(record.versions),)),
        ),
    )


def _table(record: LeakageRecord) -> Table:
    header = ("protocol", "images", *(metric_label(metric, of) for metric, of in figure.panels_of(record)))
    rows = tuple(_row(protocol, figure.panels_of(record)) for protocol in record.protocols)
    caption = "Metrics with intervals, and after the semicolon the difference to the grouped folds in points"
    return Table(caption, header, rows, numeric=tuple(range(1, len(header))))


def _row(protocol: ProtocolResult, panels: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    cells = []
    for metric, of in panels:
        points = figure.points_text(protocol, metric, of)
        text = estimate_text(protocol.metrics.find(metric, of), protocol.metrics)
        cells.append(f"{text}; {points.replace(' points', '')}" if points else text)
    return (protocol.description, str(protocol.metrics.n_images), *cells)
