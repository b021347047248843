"""The parts of a Google docstring: its text, and each of its attributes."""

from __future__ import annotations

import inspect
import re

_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", re.MULTILINE)
_SECTION = re.compile(r"^(Attributes|Args|Returns|Raises|Source|Example):\n?", re.MULTILINE)


def sections_of(docstring: str) -> dict[str, str]:
    """Return a docstring by its sections; the text before the first of them stands under ``""``.

    Example:
        >>> sections_of("A point.\\n\\nSource:\\n    Euclid.")
        {'': 'A point.', 'Source': '    Euclid.'}
    """
    pieces = _SECTION.split(docstring)
    return {name: text.strip("\n") for name, text in zip(["", *pieces[1::2]], pieces[::2], strict=True)}


def summary_of(documented: object) -> str:
    """Return a docstring before its first section."""
    return sections_of(inspect.getdoc(documented) or "")[""]


def attributes_of(docstring: str) -> dict[str, str]:
    """Return the description of each attribute that a class's docstring lists."""
    listed = sections_of(docstring).get("Attributes", "")
    return {name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(listed)}
