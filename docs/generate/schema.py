"""Types, limits and defaults of a setting, as its JSON schema has them, in words."""

from __future__ import annotations

import json
from typing import Any

_TYPES = {"integer": "integer", "number": "number", "string": "text", "boolean": "true or false", "null": "null"}
_LIMITS = {
    "minimum": "≥",
    "exclusiveMinimum": ">",
    "maximum": "≤",
    "exclusiveMaximum": "<",
    "multipleOf": "multiple of",
}


def type_text(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return what a value may be, e.g. ``"number, ≥ 0, < 1"``."""
    schema = resolved(schema, definitions)
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if alternatives := schema.get("anyOf"):
        return " or ".join(type_text(one, definitions) for one in alternatives)
    kind = schema.get("type")
    if kind == "array":
        return _array_text(schema, definitions)
    if kind == "object":
        return f"[{schema['title']}](#{schema['title'].lower()})" if "properties" in schema else "table"
    limits = [f"{sign} {schema[key]:g}" for key, sign in _LIMITS.items() if key in schema]
    return ", ".join([_TYPES.get(str(kind), "any"), *limits])


def resolved(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with a reference followed."""
    reference = schema.get("$ref")
    return schema if reference is None else definitions[reference.rpartition("/")[2]]


def default_text(schema: dict[str, Any]) -> str:
    """Return the default as TOML or JSON would write it; empty where a value has to be given."""
    return f"`{json.dumps(schema['default'], ensure_ascii=False)}`" if "default" in schema else ""


def _array_text(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    if items := schema.get("prefixItems"):
        kinds = {type_text(one, definitions) for one in items}
        return f"{len(items)} of: {' / '.join(sorted(kinds))}"
    return f"list of: {type_text(schema.get('items', {}), definitions)}"
