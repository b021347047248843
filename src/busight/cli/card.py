"""``busight card``: a bundle's model card and reporting checklists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.engine import ModelArgument
from busight.cli.guard import one_line_errors
from busight.cli.outputs import folder_of_now
from busight.io.claim import claimed_folder


def command(
    named_model: ModelArgument,
    out: Annotated[Path | None, typer.Option("--out", help="New folder for the card [runs/card-TIME].")] = None,
) -> None:
    """Write a model card with the CLAIM 2024 and TRIPOD+AI checklists; what a program cannot know is marked OPEN."""
    folder = out or folder_of_now("card")
    with one_line_errors(), claimed_folder(folder):
        from busight.model.bundle.load import load_bundle
        from busight.model.installed import find_model
        from busight.report.pages.model_card import open_items, write_card_page

        card = load_bundle(find_model(named_model)).card
        page = write_card_page(card, folder)
        typer.echo(f"{open_items(card)} items of the checklists are left open for its makers")
        typer.echo(f"card: {page}; PDF: {page.with_suffix('.pdf')}")
