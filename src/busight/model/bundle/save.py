"""Writing a card, validated and sealed, beside the files that it lists."""

from __future__ import annotations

from pathlib import Path

from busight.io.atomic import write_json
from busight.model.bundle.card import CARD, Card


def write_card(folder: Path, card: Card) -> Card:
    """Validate a card, seal it with its own digest and write it; the last file of a bundle to appear.

    Raises:
        pydantic.ValidationError: A value does not fit.
        OutputError: The file could not be written.
    """
    sealed = card.sealed()
    write_json(folder / CARD, sealed.model_dump(mode="json"))
    return sealed
