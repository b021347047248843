"""The audit of a data set: copies, conflicting labels, masks, marks, shortcuts, labels that are likely wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from busight._version import __version__
from busight.audit.checked_dataset import CheckedDataset, check_dataset
from busight.audit.duplicates.near_duplicates import NearDuplicate, find_near_duplicates_between
from busight.audit.label_errors import label_issues
from busight.audit.outliers import FAR, outlier_scores
from busight.audit.overlays import ImageProperties, image_properties
from busight.data.concat import picture_file
from busight.data.dataset import DataSet, read_as
from busight.data.image_spec import GREY
from busight.data.labels import LabelSchema
from busight.data.split_file import data_digest_of
from busight.errors import DataError
from busight.io.atomic import write_json
from busight.io.progress import Progress, Silent
from busight.metrics.bootstrap import clustered_bootstrap
from busight.metrics.image_statistics import image_statistics
from busight.metrics.ranking import auroc
from busight.results.case import Case
from busight.results.crossval_folder import fold_folder, repeat_cases
from busight.results.store import SPLIT_FILE
from busight.types import FloatArray, IntArray

AUDIT_FILE = "audit.json"

SHORTCUTS = ("height", "width", "mean_grey", "black_share", "border_share", "stroke_pixels", "colour_share")
"""Image properties from which no class should be predictable: fields of `ImageProperties`."""


@dataclass(frozen=True, slots=True)
class CopyPair:
    """Two images with the same pixels.

    Attributes:
        first: Sample id.
        second: Sample id (of the other set, where two are compared).
        kind: ``"same pixels"``, ``"near copy"`` or ``"mirrored"``.
        mirrored: How the first must be mirrored to lie upon the second.
        correlation: After alignment.
        labels: The finding of each; empty where unknown.
        same_patient: Both are known to be of one patient, which is no fault.
    """

    first: str
    second: str
    kind: str
    mirrored: str
    correlation: float
    labels: tuple[str, str]
    same_patient: bool

    @property
    def conflicting(self) -> bool:
        """The two labels differ."""
        return self.labels[0] != self.labels[1] and all(self.labels)


@dataclass(frozen=True, slots=True)
class Shortcut:
    """AUROC of one class against the others from image properties that hold no tissue.

    Attributes:
        label: The class.
        feature: A field of `ImageProperties`, or ``"all together"`` (a random forest, grouped folds).
        auroc: 0.5–1; of single features the better direction.
        low: Lower end of its interval.
        high: Upper end of its interval.
    """

    label: str
    feature: str
    auroc: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LikelyWrong:
    """A label that a network which never saw the image contradicts with confidence."""

    sample: str
    label: str
    suggested: str
    probability_of_label: float
    probability_of_suggested: float


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """The record of a data audit.

    Attributes:
        spec: The data set.
        against: The set that it was compared with; empty for none.
        digest: Of the manifest.
        started: UTC, ISO 8601.
        command: As typed.
        n_images: Usable images.
        n_mask_files: Mask files; one image may have several.
        class_counts: (class, images).
        n_patients: None where the source names none.
        patients_with_several: Patients with more than one image; None where the source names none.
        images_with_several_masks: Images whose lesion is drawn in several files.
        problems: (file, what was done) of files that could not be used as they are.
        copies: Within the set.
        images_with_copy: Images that have at least one copy.
        images_in_conflict: Images that have a copy with another label.
        copies_between: Images of this set that are in the other set too.
        marked: Images with burned-in text or calipers, (sample, stroke pixels).
        coloured: Images that are not grey, (sample, share of pixels).
        bordered: Images with a flat border, (sample, share).
        unlike: Images unlike all others of the set, (sample, distance in medians), the farthest first.
        shortcuts: What can be told without tissue.
        likely_wrong: From a cross-validation; empty without one.
    """

    spec: str
    against: str
    digest: str
    started: str
    command: str
    n_images: int
    n_mask_files: int
    class_counts: tuple[tuple[str, int], ...]
    n_patients: int | None
    patients_with_several: int | None
    images_with_several_masks: int
    problems: tuple[tuple[str, str], ...]
    copies: tuple[CopyPair, ...]
    images_with_copy: int
    images_in_conflict: int
    copies_between: tuple[CopyPair, ...]
    marked: tuple[tuple[str, int], ...]
    coloured: tuple[tuple[str, float], ...]
    bordered: tuple[tuple[str, float], ...]
    unlike: tuple[tuple[str, float], ...]
    shortcuts: tuple[Shortcut, ...]
    likely_wrong: tuple[LikelyWrong, ...]

    @property
    def conflicting(self) -> tuple[CopyPair, ...]:
        """Copies with different labels."""
        return tuple(pair for pair in self.copies if pair.conflicting)

    def document(self) -> dict[str, Any]:
        """Return the content of ``audit.json``."""
        return {"format": 1, "created_by": f"busight {__version__}", **asdict(self)}


def audit(
    dataset: DataSet,
    *,
    against: DataSet | None = None,
    crossval: Path | None = None,
    command: str = "",
    progress: Progress | None = None,
) -> AuditRecord:
    """Audit a data set. Nothing is changed.

    Args:
        dataset: The data set.
        against: Another one, to look for images that are in both.
        crossval: Folder of a cross-validation of this set, whose probabilities are held against the labels.
        command: The command line, for the record.
        progress: Told what happens.

    Raises:
        DataError: No usable image, or the cross-validation is of other data.
    """
    progress = progress or Silent()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    # Whether the cross-validation is whole is known before a single image is read.
    folds = repeat_cases(crossval) if crossval is not None else None
    checked = check_dataset(dataset, progress)
    samples = checked.samples
    progress.stage("audit: pictures")
    marks, statistics = _measured(checked, progress)
    copies = _pairs(checked.copies, checked, checked)
    between: tuple[CopyPair, ...] = ()
    if against is not None:
        other = check_dataset(against, progress)
        progress.stage("audit: copies between the sets")
        thumbnails = checked.manifest.thumbnails, other.manifest.thumbnails
        between = _pairs(find_near_duplicates_between(*thumbnails, progress.tick), checked, other)
    progress.stage("audit: shortcuts and labels")
    patients = Counter(sample.patient_id for sample in samples if sample.patient_id is not None)
    summary = checked.summary()
    names = [sample.sample_id for sample in samples]
    return AuditRecord(
        spec=dataset.spec,
        against=against.spec if against is not None else "",
        digest=checked.digest,
        started=started,
        command=command,
        n_images=len(samples),
        n_mask_files=summary.n_masks,
        class_counts=summary.class_counts,
        n_patients=len(patients) or None,
        patients_with_several=sum(count > 1 for count in patients.values()) if patients else None,
        images_with_several_masks=sum(len(sample.mask_paths) > 1 for sample in samples),
        problems=tuple((problem.path, problem.text) for problem in summary.problems),
        copies=copies,
        images_with_copy=len({name for pair in copies for name in (pair.first, pair.second)}),
        images_in_conflict=len(checked.in_conflict()),
        copies_between=between,
        marked=tuple((name, one.stroke_pixels) for name, one in zip(names, marks, strict=True) if one.overlay),
        coloured=tuple(
            (name, one.colour_share) for name, one in zip(names, marks, strict=True) if one.colour_share > 0
        ),
        bordered=tuple(
            (name, one.border_share) for name, one in zip(names, marks, strict=True) if one.border_share >= 0.02
        ),
        unlike=_unlike(names, statistics),
        shortcuts=_shortcuts(checked, marks),
        likely_wrong=_likely_wrong(checked, crossval, *folds) if crossval is not None and folds is not None else (),
    )


def write_audit(record: AuditRecord, folder: Path) -> Path:
    """Write ``audit.json``.

    Raises:
        OutputError: It could not be written.
    """
    write_json(folder / AUDIT_FILE, record.document())
    return folder / AUDIT_FILE


def _measured(checked: CheckedDataset, progress: Progress) -> tuple[list[ImageProperties], list[FloatArray]]:
    reader = read_as(checked.reader, GREY)
    marks, statistics = [], []
    for number, sample in enumerate(checked.samples, start=1):
        image = reader.image(sample)
        marks.append(image_properties(image, picture_file(reader, sample)))
        statistics.append(image_statistics(image))
        progress.tick(number, len(checked.samples))
    return marks, statistics


def _pairs(copies: Sequence[NearDuplicate], first: CheckedDataset, second: CheckedDataset) -> tuple[CopyPair, ...]:
    found = []
    for copy in copies:
        a, b = first.samples[copy.first], second.samples[copy.second]
        found.append(
            CopyPair(
                a.sample_id,
                b.sample_id,
                copy.kind,
                copy.mirrored,
                copy.correlation,
                (str(a.label or ""), str(b.label or "")),
                a.patient_id is not None and a.patient_id == b.patient_id,
            )
        )
    return tuple(found)


def _unlike(names: Sequence[str], statistics: Sequence[FloatArray]) -> tuple[tuple[str, float], ...]:
    distance = outlier_scores(statistics)
    far = sorted(np.flatnonzero(distance > FAR).tolist(), key=lambda index: -distance[index])
    return tuple((names[index], float(distance[index])) for index in far)


def _shortcuts(checked: CheckedDataset, marks: Sequence[ImageProperties]) -> tuple[Shortcut, ...]:
    """Return the AUROC of each class from image properties that hold no tissue."""
    kept = [index for index, sample in enumerate(checked.samples) if sample.label is not None]
    labels = np.array([str(checked.samples[index].label) for index in kept])
    groups = np.array([checked.groups[index] for index in kept])
    features = np.array([[float(getattr(marks[index], name)) for name in SHORTCUTS] for index in kept])
    names = checked.dataset.labels.names
    found = []
    for finding in (name for name in names if (labels == name).any() and (labels != name).any()):
        positive = labels == finding
        for name, values in zip(SHORTCUTS, features.T, strict=True):
            area = float(auroc(values, positive))
            found.append(_shortcut(finding, name, values if area >= 0.5 else -values, positive, groups))
        together = _out_of_fold(features, positive, groups)
        if together is not None:
            found.append(_shortcut(finding, "all together", together, positive, groups))
    return tuple(found)


def _shortcut(finding: str, name: str, score: FloatArray, positive: Any, groups: Any) -> Shortcut:
    def statistic(weights: FloatArray) -> FloatArray:
        return auroc(score, positive, weights)[:, None]

    interval = clustered_bootstrap(statistic, list(groups), np.random.default_rng(0), resamples=500)
    return Shortcut(finding, name, float(interval.value[0]), float(interval.low[0]), float(interval.high[0]))


def _out_of_fold(features: FloatArray, positive: Any, groups: Any) -> FloatArray | None:
    """Predict each image by a forest that saw none of its group; None where there are too few groups of a side."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    if min(len(set(groups[positive])), len(set(groups[~positive]))) < 5:
        return None
    forest = RandomForestClassifier(200, min_samples_leaf=5, class_weight="balanced", random_state=0)
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    found = cross_val_predict(forest, features, positive, groups=groups, cv=folds, method="predict_proba")
    return np.asarray(found[:, 1], dtype=np.float64)


def _likely_wrong(
    checked: CheckedDataset, folder: Path, repeats: Sequence[Sequence[Case]], labels: LabelSchema
) -> tuple[LikelyWrong, ...]:
    # A cross-validation may have left the conflicting labels out.
    ours = {checked.digest, checked.without_conflicts().manifest.digest}
    if data_digest_of(fold_folder(folder, 0, 0) / SPLIT_FILE) not in ours:
        raise DataError(
            f"{folder}: a cross-validation of other data than {checked.dataset.spec}, or of these before "
            "they changed; name one of these very data"
        )
    ids = [case.sample_id for case in repeats[0]]
    probs = np.mean([[case.calibrated_probs for case in cases] for cases in repeats], axis=0)
    target: IntArray = np.array([labels.names.index(case.target) for case in repeats[0]], dtype=np.int64)
    found = label_issues(target, probs)
    return tuple(
        LikelyWrong(
            ids[index],
            labels.names[target[index]],
            labels.names[suggested],
            float(probs[index, target[index]]),
            float(probs[index, suggested]),
        )
        for index, suggested in zip(found.index.tolist(), found.suggested.tolist(), strict=True)
    )
