"""Files that are written as JSON, from their pydantic models: a bundle's card, and ``metrics.json``."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel

from busight.model.bundle.card import Card
from busight.results.metrics_file import MetricsDocument
from generate.docstrings import attributes_of, sections_of
from generate.schema import default_text, type_text
from generate.tables import table


def card_tables() -> str:
    """Return the fields of ``card.json`` and of every object in it."""
    return model_tables(Card)


def metrics_tables() -> str:
    """Return the fields of ``metrics.json`` and of every object in it."""
    return model_tables(MetricsDocument)


def model_tables(model: type[BaseModel]) -> str:
    """Return a table of the fields of a model, then one for each object that it holds, in the order of use."""
    schema = model.model_json_schema(mode="serialization")
    definitions = schema.get("$defs", {})
    return "\n\n".join(_object(one, definitions) for one in _objects(schema, definitions))


def _objects(schema: dict[str, Any], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a schema and every object below it, each once, those nearer to it first."""
    objects = {schema["title"]: schema}
    waiting = [schema]
    while waiting:
        inner = re.findall(r"#/\$defs/(\w+)", json.dumps(waiting.pop(0)["properties"]))
        for definition in (definitions[name] for name in inner):
            if "properties" in definition and definition["title"] not in objects:
                objects[definition["title"]] = definition
                waiting.append(definition)
    return list(objects.values())


def _object(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    docstring = schema.get("description", "")
    meaning = attributes_of(docstring)
    rows = [
        [f"`{key}`", type_text(field, definitions), default_text(field), field.get("description", meaning.get(key, ""))]
        for key, field in schema["properties"].items()
    ]
    fields = table(["key", "value", "default", "meaning"], rows)
    return "\n\n".join([f"### {schema['title']}", sections_of(docstring)[""], fields])
