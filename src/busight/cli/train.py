"""``busight train``: like ``run``, without the report."""

from __future__ import annotations

from busight.cli.run import (
    DataOption,
    OutOption,
    RecipeArgument,
    ResumeOption,
    SetOption,
    SplitOption,
    execute,
)


def command(
    recipe: RecipeArgument = "default",
    data: DataOption = "",
    out: OutOption = None,
    set_: SetOption = None,
    split: SplitOption = None,
    resume: ResumeOption = False,
) -> None:
    """Train by a recipe and assess on the test part; bundle and metrics, no report."""
    execute(recipe, data, out, set_ or [], split, resume, report=False)
