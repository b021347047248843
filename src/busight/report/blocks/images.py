"""Report section: the chain on single images."""

from __future__ import annotations

from busight.report.blocks.model import Block, FigureGrid, Links, Paragraph, Section
from busight.report.pages.cases import case_pages
from busight.results.records import ModelRecord, ResultRecord

_FAMILIES = ("example cases", "predictions", "segmentation", "activation")


def section(record: ResultRecord, figures: dict[str, FigureGrid]) -> Section:
    """Return example cases, predictions and overlays, and a note on missing figures."""
    if not isinstance(record, ModelRecord):
        note = "A cross-validation shows no single images: each fold has its own network. Its folder holds the bundle."
        return Section("images", "Images", (Paragraph(note, "note"),))
    blocks: list[Block] = [figures[family] for family in _FAMILIES if figures[family].figures]
    if record.explanations:
        pages = zip(record.explanations, case_pages(record), strict=True)
        links = tuple((f"Explanation of {explanation.prediction.ref.path}", page) for explanation, page in pages)
        blocks.insert(1, Links(links))
    shown = [*record.example_cases, *record.more_cases]
    missing = []
    if not record.example_cases:
        missing.append("example cases, as none was kept")
    if not any(stages.mask is not None for stages in shown):
        missing.append("outlines, as this chain does not segment")
    if not any(stages.activation is not None for stages in shown):
        missing.append("activation maps, as this network has none")
    if missing:
        blocks.append(Paragraph(f"Not shown: {'; '.join(missing)}.", "note"))
    return Section("images", "Images", tuple(blocks))
