"""Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table without its empty columns; bars are escaped, line breaks become spaces.

    Example:
        >>> print(table(["key", "type", "meaning"], [["a", "`x|y`", ""]]))
        | key | type |
        | --- | --- |
        | a | `x\\|y` |
    """
    kept = [index for index in range(len(header)) if any(row[index] for row in rows)]
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(_line([cells[index] for index in kept]) for cells in lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
