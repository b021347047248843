"""A data set: samples (metadata) and a reader (pixels)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Protocol, cast

from busight.data.image_spec import GREY, ImageSpec
from busight.data.labels import LabelSchema
from busight.types import DataWarning, Image, Mask, Sample


class ImageReader(Protocol):
    """Reads the pixels of a sample. The only plug-in point of a source."""

    def image(self, sample: Sample) -> Image:
        """Return the image, uint8, HW or HW3 as the data set's ``image_spec`` says."""
        ...

    def mask(self, sample: Sample) -> Mask | None:
        """Return the lesion mask, bool HW of the image's size; None where the source has no mask for it."""
        ...


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set as a source lists it.

    Attributes:
        spec: The data spec (``"busi:PATH"``).
        name: The source's name.
        samples: Usable samples, in a stable order.
        reader: Reads their pixels.
        labels: The classes of the source.
        problems: Files that were left out or need attention, each with what was done.
        image_spec: The format of its images, as the reader gives them.
    """

    spec: str
    name: str
    samples: tuple[Sample, ...]
    reader: ImageReader
    labels: LabelSchema
    problems: tuple[DataWarning, ...] = ()
    image_spec: ImageSpec = GREY

    def class_counts(self) -> dict[str, int]:
        """Count samples by label; unlabelled ones under ``"unlabelled"``."""
        counts = Counter(sample.label if sample.label else "unlabelled" for sample in self.samples)
        return dict(sorted(counts.items()))

    def read_as(self, spec: ImageSpec) -> DataSet:
        """Return this data set with its images read as ``spec`` says, the image spec of a bundle."""
        if spec == self.image_spec:
            return self
        return replace(self, reader=read_as(self.reader, spec), image_spec=spec)


def read_as(reader: ImageReader, spec: ImageSpec) -> ImageReader:
    """Return a reader that gives images as ``spec`` says, read anew where the reader can, else converted."""
    anew = getattr(reader, "read_as", None)
    return ConvertingReader(reader, spec) if anew is None else cast(ImageReader, anew(spec))


def warnings_of(reader: ImageReader, sample: Sample) -> tuple[str, ...]:
    """Return what a reader assumed or ignored when it read a sample; nothing where it has no method ``warnings``."""
    told = getattr(reader, "warnings", None)
    return () if told is None else cast(tuple[str, ...], told(sample))


@dataclass(frozen=True, slots=True)
class ConvertingReader:
    """Reader that converts the 8-bit images of another reader."""

    reader: ImageReader
    spec: ImageSpec

    def image(self, sample: Sample) -> Image:
        """Return the image, uint8, HW or HW3 as ``spec`` says."""
        return self.spec.apply(self.reader.image(sample), name=sample.sample_id)

    def mask(self, sample: Sample) -> Mask | None:
        """Return the lesion mask of the other reader."""
        return self.reader.mask(sample)

    def warnings(self, sample: Sample) -> tuple[str, ...]:
        """Return the warnings of the other reader."""
        return warnings_of(self.reader, sample)
