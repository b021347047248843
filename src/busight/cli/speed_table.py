"""The table of ``busight bench`` on a terminal, or in a pipe."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from busight.experiments.bench.speed import SpeedRow, SpeedTable

_PIPE_WIDTH = 200
"""Columns where standard output is no terminal."""


def print_speed_table(table: SpeedTable) -> None:
    """Write the rows to standard output."""
    console = Console(width=None if Console().is_terminal else _PIPE_WIDTH, highlight=False)
    printed = Table(box=box.SIMPLE_HEAD)
    for title, justify in (("what", "left"), ("against", "left"), ("batch", "right"), ("ratio", "right")):
        printed.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for title in ("rounds", "what", "against", "aim"):
        printed.add_column(title, justify="right")
    for row in table.rows:
        printed.add_row(*cells(row))
    console.print(printed)
    console.print(
        f"ratio: above 1, the first is better: its images/s over the other's, or the other's ms or MiB over its own; "
        f"median of {table.settings.rounds} rounds in turns. End to end: image files to decisions."
    )
    console.print(f"{table.machine}, {table.date}", markup=False)


def cells(row: SpeedRow) -> tuple[str, ...]:
    """Return the cells of a row."""
    aim = "" if row.aim is None else f"≥ {row.aim:g}"
    if row.ratio is None:
        return (row.name, row.against, str(row.batch), "–", row.note, "", "", aim)
    if row.aim is not None:
        aim += " met" if row.ratio >= row.aim else " missed"
    rounds = "" if row.low is None or row.high is None else f"{row.low:.2f}–{row.high:.2f}"
    values = [f"{value:.4g} {row.unit}" for value in (row.value, row.value_against) if value is not None]
    return (row.name, row.against, str(row.batch), f"{row.ratio:.2f}", rounds, *values, aim)
