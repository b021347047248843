"""The generated parts of the documentation: what the code says about itself, as Markdown.

A line of a page ends with ``<!-- generated: NAME -->``; `filled` puts the text of the generator of that name in its
place. The words before the mark are for those who read the page as Markdown: where the same is to be found.
`docs/hooks.py` does so for every page while MkDocs builds, so a page cannot be older than the code.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from generate.api import public_names
from generate.commands import command_reference
from generate.extras import extras_table
from generate.filters import filter_tables
from generate.models import card_tables, metrics_tables
from generate.readme import python_example
from generate.ready_model import ready_model
from generate.recipes import recipe_tables, shipped_recipes
from generate.sources import source_table

GENERATORS: dict[str, Callable[[], str]] = {
    "cli": command_reference,
    "recipe": recipe_tables,
    "recipes": shipped_recipes,
    "card": card_tables,
    "metrics": metrics_tables,
    "filters": filter_tables,
    "sources": source_table,
    "api": public_names,
    "extras": extras_table,
    "example": python_example,
    "ready": ready_model,
}

MARKER = re.compile(r"^(?:.* )?<!-- generated: (\w+) -->$", re.MULTILINE)


def filled(markdown: str) -> str:
    """Return a page with every line that ends with a marker replaced by what its generator gives.

    Raises:
        KeyError: A marker names no generator.
    """
    return MARKER.sub(lambda marker: GENERATORS[marker[1]](), markdown)
