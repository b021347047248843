"""The data sources, from their catalogue."""

from __future__ import annotations

from busight.data.sources.catalogue import SOURCES
from generate.tables import table


def source_table() -> str:
    """Return a table of the sources: how a spec is written, and what is read."""
    return table(["spec", "what it reads"], [[f"`{entry.form}`", entry.about] for entry in SOURCES.values()])
