"""What the chain did to single images."""

from __future__ import annotations

from busight.report.blocks.model import Block, Gallery, Links, Paragraph, Section
from busight.report.pages.cases import case_pages
from busight.results.run_record import RunRecord

_FAMILIES = ("walks", "predictions", "segmentation", "activation")


def section(record: RunRecord, pictures: dict[str, Gallery]) -> Section:
    """Return walks through the chain, predictions and overlays, and say what there is none of."""
    if record.folds:
        told = "A cross-validation shows no single images: each fold has another network. Its folder holds the bundle."
        return Section("pictures", "Pictures", (Paragraph(told, "note"),))
    blocks: list[Block] = [pictures[family] for family in _FAMILIES if pictures[family].pictures]
    if record.explained:
        pages = zip(record.explained, case_pages(record), strict=True)
        links = tuple((f"Everything about {told.prediction.ref.path}", page) for told, page in pages)
        blocks.insert(1, Links(links))
    shown = [*record.walks, *record.gallery]
    missing = []
    if not record.walks:
        missing.append("no walk through the chain, as no case was kept for it")
    if not any(picture.mask is not None for picture in shown):
        missing.append("no outlines, as this chain does not segment")
    if not any(picture.activation is not None for picture in shown):
        missing.append("no activation maps, as this network gives none")
    if missing:
        blocks.append(Paragraph(f"Not shown: {'; '.join(missing)}.", "note"))
    return Section("pictures", "Pictures", tuple(blocks))
