"""The first stage: check a data set: read every image, search for near-duplicates, form groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Literal

from busight.audit.duplicates.near_duplicates import NearDuplicate, find_near_duplicates
from busight.data.dataset import DataSet, ImageReader
from busight.data.groups import group_samples
from busight.data.labels import LabelSchema, TaskName
from busight.data.manifest import DatasetManifest, ManifestRow
from busight.data.pixel_cache import cached_manifest, read_beside_entry, write_beside_entry
from busight.errors import DataError
from busight.io.progress import Progress
from busight.types import DataWarning, Sample


@dataclass(frozen=True, slots=True, eq=False)
class CheckedDataset:
    """A data set ready to be split.

    Attributes:
        manifest: The usable samples, read once.
        near_duplicates: Pairs: same pixels, near-duplicates, mirrored.
        groups: The group of each sample.
    """

    manifest: DatasetManifest
    near_duplicates: tuple[NearDuplicate, ...]
    groups: tuple[str, ...]

    @property
    def dataset(self) -> DataSet:
        """The data set, without the samples that could not be read."""
        return self.manifest.dataset

    @property
    def reader(self) -> ImageReader:
        """The reader of the pixels."""
        return self.manifest.dataset.reader

    @property
    def labels(self) -> LabelSchema:
        """The label schema of the source."""
        return self.manifest.dataset.labels

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest."""
        return self.manifest.digest

    @property
    def rows(self) -> tuple[ManifestRow, ...]:
        """The manifest, in the order of the samples."""
        return self.manifest.rows

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The usable samples."""
        return self.manifest.dataset.samples

    def samples_of(self, ids: Iterable[str]) -> list[Sample]:
        """Return the samples with these ids, in the order of the data set."""
        wanted = set(ids)
        return [sample for sample in self.samples if sample.sample_id in wanted]

    def near_duplicate_ids(self) -> tuple[tuple[str, str], ...]:
        """Near-duplicate pairs as sample ids."""
        return tuple((self.samples[c.first].sample_id, self.samples[c.second].sample_id) for c in self.near_duplicates)

    def group_of(self) -> dict[str, str]:
        """The group of each sample id."""
        return {sample.sample_id: group for sample, group in zip(self.samples, self.groups, strict=True)}

    def conflicting(self) -> tuple[NearDuplicate, ...]:
        """Near-duplicates with different labels; a missing label contradicts none."""
        return tuple(pair for pair in self.near_duplicates if self._contradict(pair.first, pair.second))

    def in_conflict(self) -> frozenset[int]:
        """Indices of the images that have a near-duplicate with another label.

        Of several images with the same pixels only the first is paired with the others; a near-duplicate of one of them
        is one of all.
        """
        twins: dict[int, list[int]] = {}
        for pair in self.near_duplicates:
            if pair.kind == "same pixels":
                twins.setdefault(pair.first, [pair.first]).append(pair.second)
        found: set[int] = set()
        for pair in self.near_duplicates:
            alike = {*twins.get(pair.first, [pair.first]), *twins.get(pair.second, [pair.second])}
            found |= {index for index in alike if any(self._contradict(index, other) for other in alike)}
        return frozenset(found)

    def _contradict(self, first: int, second: int) -> bool:
        one, other = self.samples[first].label, self.samples[second].label
        return one is not None and other is not None and one != other

    def without_conflicts(self) -> CheckedDataset:
        """Return the data without any image that has a near-duplicate with another label, grouped anew."""
        dropped = self.in_conflict()
        if not dropped:
            return self
        kept = self.subset([index for index in range(len(self.samples)) if index not in dropped])
        return _grouped(kept.manifest, kept.near_duplicates)

    def subset(self, indices: Sequence[int]) -> CheckedDataset:
        """Return a subset of the samples, in their groups."""
        new = {old: index for index, old in enumerate(indices)}
        near_duplicates = tuple(
            replace(pair, first=new[pair.first], second=new[pair.second])
            for pair in self.near_duplicates
            if pair.first in new and pair.second in new
        )
        return CheckedDataset(
            self.manifest.kept(indices), near_duplicates, tuple(self.groups[index] for index in indices)
        )

    def require_classes(self, task: TaskName) -> None:
        """Raise for data in which all labelled images are of one class of the task.

        Args:
            task: The task of the classifier; a segmentation needs no classes.

        Raises:
            DataError: All labelled images are of one class of the task, or the source has no such task.
        """
        if task == "segmentation":
            return
        labels = self.labels.for_task(task)
        present = {labels.class_of(sample.label) for sample in self.samples} - {None}
        if len(present) == 1:
            raise DataError(
                f"{self.dataset.spec}: every labelled image is {present.pop()}, but the task {task} tells "
                f"{', '.join(labels.names)} apart; add images of another class"
            )

    def summary(self) -> DataSummary:
        """Counts of the data set for the report."""
        patients = {sample.patient_id for sample in self.samples if sample.patient_id is not None}
        crossing = [(self.samples[pair.first], self.samples[pair.second]) for pair in self.conflicting()]
        return DataSummary(
            spec=self.manifest.dataset.spec,
            digest=self.manifest.digest,
            n_images=len(self.samples),
            n_masks=sum(len(e.sample.mask_paths) or bool(e.mask_digest) for e in self.manifest.rows),
            class_counts=tuple(self.manifest.dataset.class_counts().items()),
            n_patients=len(patients) or None,
            n_groups=len(set(self.groups)),
            near_duplicate_pairs=len(self.near_duplicates),
            cross_label_pairs=tuple((a.sample_id, b.sample_id) for a, b in crossing),
            problems=self.manifest.dataset.problems,
        )


def check_dataset(dataset: DataSet, progress: Progress, conflicts: Literal["keep", "drop"] = "keep") -> CheckedDataset:
    """Read every image of a data set once, search for near-duplicates and form groups.

    Args:
        dataset: The data set, as `busight.data.sources.catalogue.load_data` lists it.
        progress: Receives stages, ticks and lines.
        conflicts: ``"drop"`` leaves out every image that has a near-duplicate with another label.

    Raises:
        DataError: The data set holds no usable image.
    """
    progress.stage("data")
    manifest, entry = cached_manifest(dataset, progress.tick, progress.line)
    for problem in manifest.dataset.problems:
        progress.line(f"{problem.path}: {problem.text}")
    progress.stage("data: near-duplicates")
    checked = _grouped(manifest, _near_duplicates(manifest, entry, progress))
    return checked.without_conflicts() if conflicts == "drop" else checked


def _near_duplicates(manifest: DatasetManifest, entry: Path | None, progress: Progress) -> tuple[NearDuplicate, ...]:
    """Return the near-duplicates: those in the cache's entry, else found and added to it."""
    if entry is not None and (known := read_beside_entry(entry, "near_duplicates.json")) is not None:
        return tuple(NearDuplicate(*pair) for pair in known)
    digests = [row.image_digest for row in manifest.rows]
    found = find_near_duplicates(manifest.thumbnails, digests, progress.tick)
    if entry is not None:
        write_beside_entry(entry, "near_duplicates.json", [list(astuple(pair)) for pair in found])
    return found


def _grouped(manifest: DatasetManifest, near_duplicates: tuple[NearDuplicate, ...]) -> CheckedDataset:
    pairs = [(pair.first, pair.second) for pair in near_duplicates]
    return CheckedDataset(manifest, near_duplicates, group_samples(manifest.dataset.samples, pairs))


@dataclass(frozen=True, slots=True)
class DataSummary:
    """Counts of a data set; ``n_masks`` counts mask files, of which one image may have several."""

    spec: str
    digest: str
    n_images: int
    n_masks: int
    class_counts: tuple[tuple[str, int], ...]
    n_patients: int | None
    n_groups: int
    near_duplicate_pairs: int
    cross_label_pairs: tuple[tuple[str, str], ...]
    problems: tuple[DataWarning, ...]
