"""Training histories: one row per epoch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields

from busight.io.csv_text import csv_number, csv_rows
from busight.io.csv_text import csv_text as rows_as_csv


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One epoch of training. Accuracy is NaN for a segmenter, Dice is NaN for a plain classifier."""

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    val_dice: float
    learning_rate: float
    seconds: float

    @classmethod
    def of(cls, values: Sequence[float]) -> EpochRow:
        """Return a row from its values in column order."""
        return cls(int(values[0]), *map(float, values[1:]))

    def values(self) -> tuple[float, ...]:
        """Return the values in column order."""
        return astuple(self)

    def sentence(self, epochs: int) -> str:
        """Return the epoch in one line."""
        parts = [f"epoch {self.epoch}/{epochs}: loss {self.train_loss:.4f}, validation {self.val_loss:.4f}"]
        for name, value in (("accuracy", self.val_accuracy), ("Dice", self.val_dice)):
            if not math.isnan(value):
                parts.append(f"{name} {value:.4f}")
        return ", ".join(parts) + f" ({self.seconds:.0f} s)"


COLUMNS = tuple(field.name for field in fields(EpochRow))


@dataclass(frozen=True, slots=True)
class History:
    """The training history of one network of the chain.

    Attributes:
        network: ``"segmenter"`` or ``"classifier"``.
        rows: One for each epoch.
        best_epoch: The epoch whose weights were kept.
        monitor: The metric that chose it.
    """

    network: str
    rows: tuple[EpochRow, ...]
    best_epoch: int
    monitor: str


def csv_text(rows: Iterable[EpochRow]) -> str:
    """Return the rows as CSV with a header; full precision, NaN as empty."""
    return rows_as_csv([COLUMNS, *(list(map(csv_number, row.values())) for row in rows)])


def read_csv_text(text: str) -> tuple[EpochRow, ...]:
    """Read the rows that `csv_text` wrote."""
    rows = csv_rows(text)[1:]
    return tuple(EpochRow.of([float(value) if value else math.nan for value in row]) for row in rows)
