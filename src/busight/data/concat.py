"""Several data sets as one: ``busi:PATH + busbra:PATH``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from busight.data.dataset import DataSet, ImageReader, read_as, warnings_of
from busight.data.image_spec import ImageSpec
from busight.data.labels import union
from busight.data.readers.files import FileReader
from busight.types import DataWarning, Image, Mask, Sample


@dataclass(frozen=True, slots=True, eq=False)
class ConcatReader:
    """Reader of joined data sets: each sample is read by the reader of its own set.

    Attributes:
        origin: ImageReader and sample before joining, by sample id.
    """

    origin: Mapping[str, tuple[ImageReader, Sample]]

    def image(self, sample: Sample) -> Image:
        """Return the image, uint8, HW or HW3 as the joined data set's ``image_spec`` says."""
        reader, before = self.origin[sample.sample_id]
        return reader.image(before)

    def mask(self, sample: Sample) -> Mask | None:
        """Return the lesion mask, bool HW; None where there is none, or where it is unusable."""
        reader, before = self.origin[sample.sample_id]
        # A mask whose size differs from its image's is removed from the sample.
        return reader.mask(replace(before, mask_paths=sample.mask_paths, mask_values=sample.mask_values))

    def warnings(self, sample: Sample) -> tuple[str, ...]:
        """Return what the sample's own reader assumed or ignored when it read the image."""
        return warnings_of(*self.origin[sample.sample_id])

    def read_as(self, spec: ImageSpec) -> ConcatReader:
        """Return a reader of the same images that gives them as ``spec`` says."""
        return ConcatReader({name: (read_as(reader, spec), before) for name, (reader, before) in self.origin.items()})


def concat(parts: Sequence[DataSet], names: Sequence[str | None] = ()) -> DataSet:
    """Join data sets. Ids of samples, patients and examinations are prefixed with the name of their source.

    Official subsets are dropped: those of one set do not apply to another. Images are RGB where those of every set are,
    else grey; sets of different depths are read as 8-bit ones.

    Args:
        parts: Two sets or more; a set may come twice under different paths.
        names: Source name of each set; None for the set's own, numbered where several have it. Sets with one name given
            are one source: a patient of both is one patient.
    """
    given = list(names) or [None] * len(parts)
    own = iter(_numbered([dataset.name for dataset, name in zip(parts, given, strict=True) if name is None]))
    sources = [next(own) if name is None else name for name in given]
    prefixes = _numbered(sources)
    image_spec = _common([dataset.image_spec for dataset in parts])
    parts = [dataset.read_as(image_spec) for dataset in parts]
    samples: list[Sample] = []
    origin: dict[str, tuple[ImageReader, Sample]] = {}
    problems: list[DataWarning] = []
    for prefix, source, dataset in zip(prefixes, sources, parts, strict=True):
        problems += [replace(problem, path=f"{prefix}:{problem.path}") for problem in dataset.problems]
        for before in dataset.samples:
            after = replace(
                before,
                sample_id=f"{prefix}:{before.sample_id}",
                source=source,
                patient_id=None if before.patient_id is None else f"{source}:{before.patient_id}",
                exam_id=None if before.exam_id is None else f"{source}:{before.exam_id}",
                official_subset=None,
            )
            samples.append(after)
            origin[after.sample_id] = dataset.reader, before
    labels = union([dataset.labels for dataset in parts])
    specs = [
        dataset.spec if name is None else f"{name}={dataset.spec}" for dataset, name in zip(parts, given, strict=True)
    ]
    spec = " + ".join(specs)
    return DataSet(spec, "+".join(prefixes), tuple(samples), ConcatReader(origin), labels, tuple(problems), image_spec)


def _common(specs: Sequence[ImageSpec]) -> ImageSpec:
    """Return the image spec that the images of all sets can be read as."""
    if len(set(specs)) == 1:
        return specs[0]
    channels = min(spec.channels for spec in specs)
    # Of different depths every file is scaled by its own: the joined images are 8-bit ones.
    same = {(spec.bits, spec.window) for spec in specs}
    return ImageSpec(channels, *(same.pop() if len(same) == 1 else (8, None)))


def image_file(reader: ImageReader, sample: Sample) -> Path | None:
    """Return the file that a sample's image was read from; None where it is not an image file of its own."""
    if isinstance(reader, ConcatReader):
        return image_file(*reader.origin[sample.sample_id])
    return reader.root / sample.image_path if isinstance(reader, FileReader) else None


def _numbered(names: Sequence[str]) -> list[str]:
    counts, seen = Counter(names), Counter[str]()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(f"{name}-{seen[name]}" if counts[name] > 1 else name)
    return numbered
