"""The first stage: data read from end to end, near-duplicates found, groups formed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from busight.data.dataset import DataSet
from busight.data.duplicates import DuplicatePair, group_samples, near_duplicates
from busight.data.inspection import Inspection, inspect
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

    def conflicting(self) -> tuple[DuplicatePair, ...]:
        """Near-duplicates with different labels."""
        samples = self.samples
        return tuple(pair for pair in self.pairs if samples[pair.first].finding != samples[pair.second].finding)

    def without_conflicts(self) -> Material:
        """Return the data without any image that has a near-copy with another label."""
        dropped = {index for pair in self.conflicting() for index in (pair.first, pair.second)}
        if not dropped:
            return self
        return _material(self.inspection.kept([i for i in range(len(self.samples)) if i not in dropped]))

    def summary(self) -> DataSummary:
        """What the report tells of the data."""
        patients = {sample.patient_id for sample in self.samples if sample.patient_id is not None}
        crossing = [(self.samples[pair.first], self.samples[pair.second]) for pair in self.conflicting()]
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


def gather(dataset: DataSet, progress: Progress, conflicts: Literal["keep", "drop"] = "keep") -> Material:
    """Read every pixel of a data set once, find near-duplicates and groups.

    Args:
        dataset: The data set, as `busight.data.sources.load` lists it.
        progress: Told what happens.
        conflicts: ``"drop"`` leaves out every image that has a near-copy with another label.

    Raises:
        DataError: It holds nothing usable.
    """
    progress.stage("data")
    inspection = inspect(dataset, progress.tick)
    for problem in inspection.dataset.problems:
        progress.line(f"{problem.path}: {problem.text}")
    material = _material(inspection)
    return material.without_conflicts() if conflicts == "drop" else material


def _material(inspection: Inspection) -> Material:
    pairs = near_duplicates(inspection.thumbnails)
    return Material(inspection, pairs, group_samples(inspection.dataset.samples, pairs))
