"""The first stage: data read from end to end, near-duplicates found, groups formed."""

from __future__ import annotations

from dataclasses import dataclass

from busight.data.duplicates import DuplicatePair, group_samples, near_duplicates
from busight.data.inspection import Inspection, inspect
from busight.data.sources import load
from busight.pipeline.progress import Progress
from busight.pipeline.record import DataSummary
from busight.types import Sample


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """A data set ready to be split.

    Attributes:
        inspection: The usable samples, read once.
        pairs: Near-duplicates among them.
        groups: The group of each sample.
    """

    inspection: Inspection
    pairs: tuple[DuplicatePair, ...]
    groups: tuple[str, ...]

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The usable samples."""
        return self.inspection.dataset.samples

    def pair_ids(self) -> tuple[tuple[str, str], ...]:
        """Near-duplicate pairs as sample ids."""
        return tuple((self.samples[p.first].sample_id, self.samples[p.second].sample_id) for p in self.pairs)

    def group_of(self) -> dict[str, str]:
        """The group of each sample id."""
        return {sample.sample_id: group for sample, group in zip(self.samples, self.groups, strict=True)}

    def summary(self) -> DataSummary:
        """What the report tells of the data."""
        patients = {sample.patient_id for sample in self.samples if sample.patient_id is not None}
        crossing = [
            (self.samples[pair.first], self.samples[pair.second])
            for pair in self.pairs
            if self.samples[pair.first].finding != self.samples[pair.second].finding
        ]
        return DataSummary(
            spec=self.inspection.dataset.spec,
            digest=self.inspection.digest,
            n_images=len(self.samples),
            n_masks=sum(len(e.sample.mask_paths) or bool(e.mask_digest) for e in self.inspection.entries),
            class_counts=tuple(self.inspection.dataset.class_counts().items()),
            n_patients=len(patients) or None,
            n_groups=len(set(self.groups)),
            near_duplicate_pairs=len(self.pairs),
            cross_label_pairs=tuple((a.sample_id, b.sample_id) for a, b in crossing),
            problems=self.inspection.dataset.problems,
        )


def gather(spec: str, progress: Progress) -> Material:
    """Load a data set, read every pixel once, find near-duplicates and groups.

    Raises:
        RecipeError: The spec names no source.
        DataError: The source cannot be read or holds nothing usable.
    """
    progress.stage("data")
    inspection = inspect(load(spec), progress.tick)
    pairs = near_duplicates(inspection.thumbnails)
    groups = group_samples(inspection.dataset.samples, pairs)
    for problem in inspection.dataset.problems:
        progress.line(f"{problem.path}: {problem.text}")
    return Material(inspection, pairs, groups)
