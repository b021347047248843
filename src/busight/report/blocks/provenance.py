"""Report sections: limitations of the metrics, and everything needed to reproduce them."""

from __future__ import annotations

from busight.report.blocks.model import Bullets, FigureGrid, KeyValues, Listing, Paragraph, Section
from busight.results.records import ResultRecord

_NOT_A_DEVICE = (
    "This is research software and not a medical device. Nothing here may be used to decide about a person’s care."
)


def limitations_section(record: ResultRecord, figures: dict[str, FigureGrid]) -> Section:
    """Return the limitations of the metrics."""
    blocks = (Paragraph(_NOT_A_DEVICE, "warning"), Bullets(record.limitations))
    return Section("limitations", "Limitations", blocks)


def recipe_section(record: ResultRecord, figures: dict[str, FigureGrid]) -> Section:
    """Return the recipe in full."""
    text = "Every setting, defaults included. Saved as a file, it runs the same experiment again."
    return Section("recipe", "The recipe in full", (Paragraph(text), Listing(record.recipe_toml)))


def provenance_section(record: ResultRecord, figures: dict[str, FigureGrid]) -> Section:
    """Return digests and versions."""
    blocks = (KeyValues(record.digests, mono=True), KeyValues(record.versions))
    return Section("provenance", "Digests and versions", blocks)
