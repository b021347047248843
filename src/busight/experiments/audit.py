"""Audit of a data set: near-duplicates, conflicting labels, masks, marks, shortcuts, likely label errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from busight.audit.checked_dataset import CheckedDataset, check_dataset
from busight.audit.duplicates.near_duplicates import NearDuplicate, find_near_duplicates_between
from busight.audit.label_errors import label_issues
from busight.audit.outliers import FAR, outlier_scores
from busight.audit.overlays import ImageProperties, image_properties
from busight.data.concat import image_file
from busight.data.dataset import DataSet, read_as
from busight.data.image_spec import GREY
from busight.data.labels import LabelSchema
from busight.data.split_file import data_digest_of
from busight.errors import DataError
from busight.io.atomic import write_json
from busight.io.progress import Progress, Silent
from busight.metrics.bootstrap import clustered_bootstrap
from busight.metrics.image_statistics import image_statistics
from busight.metrics.intervals import Measurand
from busight.metrics.ranking import auroc
from busight.results.audit_record import (
    AuditRecord,
    DuplicatePair,
    LabelIssue,
    NearDuplicates,
    Shortcut,
    UnusualImages,
)
from busight.results.case import Case
from busight.results.crossval_folder import fold_folder, repeat_cases
from busight.results.store import SPLIT_FILE
from busight.types import FloatArray, IntArray

AUDIT_FILE = "audit.json"

SHORTCUTS = ("height", "width", "mean_grey", "black_share", "border_share", "stroke_pixels", "colour_share")
"""Image properties from which no class should be predictable: fields of `ImageProperties`."""

_WIDE_BORDER = 0.02
"""Share of an image from which a flat border is listed."""


def audit(
    dataset: DataSet,
    *,
    external: DataSet | None = None,
    crossval: Path | None = None,
    command: str = "",
    progress: Progress | None = None,
) -> AuditRecord:
    """Audit a data set. Nothing is changed.

    Args:
        dataset: The data set.
        external: Another one, to find images that are in both.
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
    progress.stage("audit: images")
    properties, statistics = _measured(checked, progress)
    near_duplicates = _near_duplicates(checked, external, progress)
    progress.stage("audit: shortcuts and labels")
    patients = Counter(sample.patient_id for sample in checked.samples if sample.patient_id is not None)
    return AuditRecord(
        command=command,
        started=started,
        data=checked.summary(),
        patients_with_several_images=sum(count > 1 for count in patients.values()) if patients else None,
        images_with_several_masks=sum(len(sample.mask_paths) > 1 for sample in checked.samples),
        near_duplicates=near_duplicates,
        unusual=_unusual([sample.sample_id for sample in checked.samples], properties, statistics),
        shortcuts=_shortcuts(checked, properties),
        label_issues=_label_issues(checked, crossval, *folds) if crossval is not None and folds is not None else (),
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
    properties, statistics = [], []
    for number, sample in enumerate(checked.samples, start=1):
        image = reader.image(sample)
        properties.append(image_properties(image, image_file(reader, sample)))
        statistics.append(image_statistics(image))
        progress.tick(number, len(checked.samples))
    return properties, statistics


def _near_duplicates(checked: CheckedDataset, external: DataSet | None, progress: Progress) -> NearDuplicates:
    pairs = _pairs(checked.near_duplicates, checked, checked)
    between: tuple[DuplicatePair, ...] = ()
    if external is not None:
        other = check_dataset(external, progress)
        progress.stage("audit: near-duplicates between the sets")
        thumbnails = checked.manifest.thumbnails, other.manifest.thumbnails
        between = _pairs(find_near_duplicates_between(*thumbnails, progress.tick), checked, other)
    return NearDuplicates(
        pairs=pairs,
        n_images=len({name for pair in pairs for name in (pair.first, pair.second)}),
        n_in_conflict=len(checked.in_conflict()),
        external=external.spec if external is not None else "",
        external_pairs=between,
    )


def _pairs(found: Sequence[NearDuplicate], first: CheckedDataset, second: CheckedDataset) -> tuple[DuplicatePair, ...]:
    pairs = []
    for near_duplicate in found:
        a, b = first.samples[near_duplicate.first], second.samples[near_duplicate.second]
        pairs.append(
            DuplicatePair(
                first=a.sample_id,
                second=b.sample_id,
                kind=near_duplicate.kind,
                mirrored=near_duplicate.mirrored,
                correlation=near_duplicate.correlation,
                labels=(str(a.label or ""), str(b.label or "")),
                same_patient=a.patient_id is not None and a.patient_id == b.patient_id,
            )
        )
    return tuple(pairs)


def _unusual(
    names: Sequence[str], properties: Sequence[ImageProperties], statistics: Sequence[FloatArray]
) -> UnusualImages:
    named = list(zip(names, properties, strict=True))
    distance = outlier_scores(statistics)
    far = sorted(np.flatnonzero(distance > FAR).tolist(), key=lambda index: -distance[index])
    return UnusualImages(
        marked=tuple((name, of.stroke_pixels) for name, of in named if of.overlay),
        coloured=tuple((name, of.colour_share) for name, of in named if of.colour_share > 0),
        bordered=tuple((name, of.border_share) for name, of in named if of.border_share >= _WIDE_BORDER),
        outliers=tuple((names[index], float(distance[index])) for index in far),
    )


def _shortcuts(checked: CheckedDataset, properties: Sequence[ImageProperties]) -> tuple[Shortcut, ...]:
    """Return the AUROC of each class from image properties that hold no tissue."""
    kept = [index for index, sample in enumerate(checked.samples) if sample.label is not None]
    labels = np.array([str(checked.samples[index].label) for index in kept])
    groups = np.array([checked.groups[index] for index in kept])
    features = np.array([[float(getattr(properties[index], name)) for name in SHORTCUTS] for index in kept])
    names = checked.dataset.labels.names
    found = []
    for label in (name for name in names if (labels == name).any() and (labels != name).any()):
        positive = labels == label
        for name, values in zip(SHORTCUTS, features.T, strict=True):
            area = float(auroc(values, positive))
            found.append(_shortcut(label, name, values if area >= 0.5 else -values, positive, groups))
        together = _out_of_fold(features, positive, groups)
        if together is not None:
            found.append(_shortcut(label, "all together", together, positive, groups))
    return tuple(found)


def _shortcut(label: str, name: str, score: FloatArray, positive: Any, groups: Any) -> Shortcut:
    def statistic(weights: FloatArray) -> FloatArray:
        return auroc(score, positive, weights)[:, None]

    sides = [Measurand("statistic", 0.0, 1.0, (positive, ~positive))]
    interval = clustered_bootstrap(statistic, list(groups), np.random.default_rng(0), 500, measurands=sides)
    return Shortcut(label, name, float(interval.value[0]), float(interval.low[0]), float(interval.high[0]))


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


def _label_issues(
    checked: CheckedDataset, folder: Path, repeats: Sequence[Sequence[Case]], labels: LabelSchema
) -> tuple[LabelIssue, ...]:
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
        LabelIssue(
            ids[index],
            labels.names[target[index]],
            labels.names[suggested],
            float(probs[index, target[index]]),
            float(probs[index, suggested]),
        )
        for index, suggested in zip(found.index.tolist(), found.suggested.tolist(), strict=True)
    )
