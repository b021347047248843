"""A data set: samples (what is known) and a reader (the pixels)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from busight.data.image_spec import ImageSpec
from busight.data.labels import LabelSchema
from busight.types import DataWarning, Image, Mask, Sample


class ImageReader(Protocol):
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
        labels: The classes that the source tells apart.
        problems: Files that were left out or need a look, each with what was done.
        image_spec: The format of its images, as the reader gives them.
    """

    spec: str
    name: str
    samples: tuple[Sample, ...]
    reader: ImageReader
    labels: LabelSchema
    problems: tuple[DataWarning, ...] = ()
    image_spec: ImageSpec = field(default_factory=ImageSpec)

    def class_counts(self) -> dict[str, int]:
        """Count samples by label; unlabelled ones under ``"unlabelled"``."""
        counts = Counter(sample.label if sample.label else "unlabelled" for sample in self.samples)
        return dict(sorted(counts.items()))
