"""The command-line reference, from the Typer application."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from busight.cli.app import app
from generate.tables import table


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command with its full name (``busight data audit``), groups left out that do nothing by
    themselves."""
    yield from _below("busight", get_command(app))


def command_reference() -> str:
    """Return a section for each command: what it does, and its arguments and options."""
    return "\n\n".join(_section(name, command) for name, command in commands())


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands") or (name != "busight" and command.invoke_without_command):
        yield name, command
    for child, below in getattr(command, "commands", {}).items():
        yield from _below(f"{name} {child}", below)


def _section(name: str, command: Any) -> str:
    """Return one command's section; what `--help` says of a parameter is asked of the parameter itself."""
    context = command.make_context(name, [], resilient_parsing=True)
    records = [record for one in command.params if (record := one.get_help_record(context))]
    rows = [[f"`{named}`", _code_spans(meaning)] for named, meaning in records]
    parts = [f"## {name}", inspect.cleandoc(command.help or "")]
    return "\n\n".join([*parts, table(["argument or option", "meaning"], rows)] if rows else parts)


def _code_spans(meaning: str) -> str:
    """Set the remark in brackets at the end of a help text (default, limits) as code: it holds < and >."""
    text, bracket, remark = meaning.rpartition("  [")
    return f"{text} `{remark.removesuffix(']')}`" if bracket else meaning
