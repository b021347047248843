"""Recipes by name or path, with ``--set`` overrides; the error for a wrong key names the nearest right one."""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel, ValidationError

from busight.errors import ConfigError
from busight.io.paths import is_utf8, user_path
from busight.recipes.schema import Recipe


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that come with BUSight."""
    folder = resources.files("busight.recipes")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_recipe(name: str, overrides: Sequence[str] = (), data: str = "") -> Recipe:
    """Read a recipe.

    Args:
        name: A name of `recipe_names`, or the path of a TOML file.
        overrides: ``key=value`` texts such as ``"train.epochs=5"``; values are TOML, bare words are strings.
        data: Data spec to use instead of the recipe's own.

    Raises:
        ConfigError: No such recipe, not TOML, an unknown key, or a value that is not allowed.
    """
    for given in (name, data, *overrides):
        if not is_utf8(given):
            raise ConfigError(f"{given!r}: not UTF-8, so no record can hold it; rename the file or folder")
    text = _text(name)
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # besides invalid TOML: a number too long or a nesting too deep
        raise ConfigError(f"recipe {name}: not TOML ({error})") from error
    document.setdefault("name", Path(name).stem)
    for override in overrides:
        _override(document, override)
    if data:
        document.setdefault("data", {})["spec"] = data
    return _validated(document, name)


def with_values(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """Return a recipe with other values of some dotted keys, such as ``{"train.epochs": 5}``.

    Raises:
        ConfigError: An unknown key, or a value that is not allowed.
    """
    document = recipe.model_dump(mode="json")
    for key, value in values.items():
        *sections, last = key.split(".")
        place = document
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                raise ConfigError(f"recipe {recipe.name}: {key}: {section} is a value, not a section")
        place[last] = value
    return _validated(document, recipe.name)


def _validated(document: dict[str, Any], name: str) -> Recipe:
    try:
        return Recipe.model_validate(document)
    except ValidationError as error:
        raise ConfigError(f"recipe {name}: {_first_fault(error)}") from error


def recipe_toml(recipe: Recipe) -> str:
    """Return the fully resolved recipe as TOML, defaults included."""
    return tomli_w.dumps(recipe.model_dump(mode="json"))


def _text(name: str) -> str:
    if name in recipe_names():
        return (resources.files("busight.recipes") / f"{name}.toml").read_text(encoding="utf-8")
    path = user_path(name)
    if path.suffix == ".toml" and path.is_file():
        try:
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigError(f"recipe {name}: not TOML ({error}); save it as UTF-8") from error
    if path.suffix == ".toml":
        raise ConfigError(f"recipe {name!r}: no such file; known by name: {', '.join(recipe_names())}")
    raise ConfigError(f"recipe {name!r}: {_nearest(name, recipe_names())}; or give the path of a .toml file")


def _override(document: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {override!r}: write key=value, e.g. --set train.epochs=5")
    *sections, last = key.strip().split(".")
    place = document
    for section in sections:
        place = place.setdefault(section, {})
        if not isinstance(place, dict):
            raise ConfigError(f"--set {override!r}: {section} is a value, not a section")
    place[last] = _value(value.strip())


def _value(text: str) -> Any:
    try:
        document = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return document["value"] if len(document) == 1 else text


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    where = [str(part) for part in fault["loc"]]
    # Where several types are allowed, pydantic appends the type that it tried, which is not a key.
    if where and re.fullmatch(r"str|bool|int|float|literal\[.*\]|constrained-.*", where[-1]):
        where.pop()
    key = ".".join(where)
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"unknown key {key}; {_nearest(where[-1], _known_keys(where[:-1]))}"
    cause = fault.get("ctx", {}).get("error")
    reason = str(cause) if cause is not None else fault["msg"]
    if not where:  # an error of the recipe as a whole: its reason names the keys
        return reason
    return f"{key} = {fault['input']!r}: {reason[0].lower()}{reason[1:]}"


def _known_keys(sections: Iterable[str]) -> tuple[str, ...]:
    kind: Any = Recipe
    for section in sections:
        kind = _fields(kind).get(section)
    return tuple(_fields(kind))


def _fields(kind: Any) -> Mapping[str, Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    if dataclasses.is_dataclass(kind):
        # Annotations are text here; the class of a nested section is that of its default.
        return {
            field.name: field.default_factory if dataclasses.is_dataclass(field.default_factory) else None
            for field in dataclasses.fields(kind)
        }
    return {}


def _nearest(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(names)}"
