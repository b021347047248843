"""``busight recipes``: what can be run."""

from __future__ import annotations

from typing import Annotated

import typer

from busight.cli.guard import one_line_errors


def command(
    name: Annotated[str, typer.Argument(help="Show this recipe in full, defaults included.")] = "",
) -> None:
    """List the recipes that come with BUSight, or show one in full."""
    with one_line_errors():
        from busight.recipes.load import load_recipe, recipe_names, recipe_toml

        if name:
            typer.echo(recipe_toml(load_recipe(name)), nl=False)
            return
        for known in recipe_names():
            typer.echo(f"{known:<12} {load_recipe(known).description}")
