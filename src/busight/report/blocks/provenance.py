"""What limits the figures, and what it takes to make them again."""

from __future__ import annotations

from busight.report.blocks.model import Bullets, Facts, Gallery, Listing, Paragraph, Section
from busight.results.run_record import RunRecord

_NOT_A_DEVICE = (
    "This is research software and not a medical device. Nothing here may be used to decide about a person’s care."
)


def limits_section(record: RunRecord, pictures: dict[str, Gallery]) -> Section:
    """Return what a reader must know before believing a figure."""
    empty = [name for name, count in zip(record.sheet.classes, record.sheet.support, strict=True) if count == 0]
    own = [f"No test case is {name}: scores that need one are undefined." for name in empty]
    return Section("limits", "Limits", (Paragraph(_NOT_A_DEVICE, "warning"), Bullets((*record.limits, *own))))


def recipe_section(record: RunRecord, pictures: dict[str, Gallery]) -> Section:
    """Return the recipe in full."""
    text = "Every setting, defaults included. Saved as a file, it runs the same experiment again."
    return Section("recipe", "The recipe in full", (Paragraph(text), Listing(record.recipe_toml)))


def provenance_section(record: RunRecord, pictures: dict[str, Gallery]) -> Section:
    """Return digests and versions."""
    blocks = (Facts(record.digests, mono=True), Facts(record.versions))
    return Section("provenance", "Digests and versions", blocks)
