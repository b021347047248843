"""The optional extras of the installation, from ``pyproject.toml``."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from generate.tables import table

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def extras_table() -> str:
    """Return a table of the extras and the packages that each brings."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    extras = {"none": project["dependencies"], **project["optional-dependencies"]}
    rows = [[f"`{extra}`" if extra != "none" else "none", _names(packages)] for extra, packages in extras.items()]
    return table(["extra", "packages"], rows)


def _names(requirements: list[str]) -> str:
    """Return the requirements without their versions."""
    return ", ".join(re.split(r"[<>=!~; ]", requirement)[0] for requirement in requirements)
