"""A data set: samples (what is known) and a reader (the pixels)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from busight.types import Image, Mask, Problem, Sample


class Reader(Protocol):
    """Reads the pixels of a sample. The one plug-in point of every source."""

    def image(self, sample: Sample) -> Image:
        """Return the grey picture, uint8 HW."""
        ...

    def mask(self, sample: Sample) -> Mask | None:
        """Return the lesion mask, bool HW of the image's size; None where the source has no mask for it."""
        ...


@dataclass(frozen=True, slots=True)
class DataSet:
    """What a source yields.

    Attributes:
        spec: The text that names it (``"busi:PATH"``).
        name: The source's name.
        samples: Usable samples, in a stable order.
        reader: Reads their pixels.
        problems: Files that were left out or need a look, each with what was done.
    """

    spec: str
    name: str
    samples: tuple[Sample, ...]
    reader: Reader
    problems: tuple[Problem, ...] = ()

    def class_counts(self) -> dict[str, int]:
        """Count samples by finding; unlabelled ones under ``"unlabelled"``."""
        counts = Counter(sample.finding.value if sample.finding else "unlabelled" for sample in self.samples)
        return dict(sorted(counts.items()))
