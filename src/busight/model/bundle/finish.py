"""The last step of a bundle: its examples, and the card that lists every file."""

from __future__ import annotations

from busight.model.bundle.examples import write_examples
from busight.model.bundle.save import write_card
from busight.model.model import Model


def finished(model: Model) -> Model:
    """Write the end-to-end examples and the card of a model whose decision is fitted."""
    card = model.card
    card = card.changed(files={**card.files, **write_examples(model)})
    return model.with_card(write_card(model.folder, card))
