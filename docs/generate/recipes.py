"""The recipe reference, from the pydantic schema and the settings' docstrings, and the recipes that ship."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib.resources import files
from typing import Any, get_type_hints

from pydantic import BaseModel, TypeAdapter

from busight.recipes.schema import Recipe
from generate.docstrings import attributes_of, summary_of
from generate.schema import default_text, type_text
from generate.tables import table


def recipe_tables() -> str:
    """Return a table of keys for each section of a recipe."""
    return "\n\n".join(_section(name, settings) for name, settings in sections(Recipe))


def sections(settings: type, name: str = "") -> Iterator[tuple[str, type]]:
    """Yield each section's name (``train.augment``) and class, the top of the recipe first with an empty name."""
    yield name, settings
    for key, hint in get_type_hints(settings).items():
        if _is_section(hint):
            yield from sections(hint, f"{name}.{key}".lstrip("."))


def shipped_recipes() -> str:
    """Return each recipe that comes with BUSight, as its file is."""
    parts = []
    for path in sorted(files("busight.recipes").iterdir(), key=lambda path: path.name):
        if path.name.endswith(".toml"):
            text = path.read_text(encoding="utf-8")
            name, description = path.name.removesuffix(".toml"), tomllib.loads(text)["description"]
            body = "\n".join(f"    {line}".rstrip() for line in ["```toml", *text.splitlines(), "```"])
            parts.append(f'??? example "`{name}`: {description}"\n\n{body}')
    return "\n\n".join(parts)


def _section(name: str, settings: type) -> str:
    schema = TypeAdapter(settings).json_schema()
    definitions = schema.get("$defs", {})
    meaning = attributes_of(inspect.getdoc(settings) or "")
    hints = {key: hint for key, hint in get_type_hints(settings).items() if key in schema["properties"]}
    rows = [
        [f"`{key}`", type_text(schema["properties"][key], definitions), default_text(schema["properties"][key]), text]
        for key, hint in hints.items()
        if not _is_section(hint)
        for text in [meaning.get(key, "")]
    ]
    title = f"## {name}" if name else "## Top of the file"
    parts = [title, summary_of(settings)]
    return "\n\n".join([*parts, table(["key", "value", "default", "meaning"], rows)] if rows else parts)


def _is_section(hint: Any) -> bool:
    return isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, BaseModel))
