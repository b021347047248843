"""Writing a card, sealed, beside the files that it lists."""

from __future__ import annotations

from pathlib import Path

from busight.io.atomic import write_json
from busight.model.bundle.card import CARD, Card


def write_card(folder: Path, card: Card) -> Card:
    """Seal a card with its own digest and write it; the last file of a bundle to appear.

    Raises:
        OutputError: It could not be written.
    """
    sealed = card.sealed()
    write_json(folder / CARD, sealed.model_dump(mode="json"))
    return sealed
