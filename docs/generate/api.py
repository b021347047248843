"""The public Python names, as directives for mkdocstrings."""

from __future__ import annotations

import busight


def public_names() -> str:
    """Return a directive for each name that ``busight`` exports; mkdocstrings reads the source, nothing is imported."""
    names = [name for name in busight.__all__ if not name.startswith("_")]
    return "\n\n".join(f"::: busight.{name}" for name in names)
