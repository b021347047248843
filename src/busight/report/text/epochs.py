"""The kept epoch of a training as text."""

from __future__ import annotations

from busight.results.history import History

_CRITERIA = {
    "last": "the last epoch",
    "val_loss": "lowest validation loss",
    "val_dice": "highest validation Dice",
}


def selection_criterion(history: History) -> str:
    """Return the criterion by which the kept epoch was selected.

    Example:
        >>> selection_criterion(History("classifier", (), 3, "last"))
        'the last epoch'
    """
    return _CRITERIA.get(history.monitor, f"best {history.monitor}")
