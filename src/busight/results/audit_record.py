"""The record of a data audit."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from busight._version import __version__
from busight.audit.checked_dataset import DataSummary


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two images that are near-duplicates.

    Attributes:
        first: Sample id.
        second: Sample id (of the other set, where two are compared).
        kind: ``"same pixels"``, ``"near-duplicate"`` or ``"mirrored"``.
        mirrored: How the first must be mirrored to lie upon the second.
        correlation: After alignment.
        labels: The label of each; empty where unknown.
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
class NearDuplicates:
    """Near-duplicates within a set and between two.

    Attributes:
        pairs: Within the set.
        n_images: Images that have at least one.
        n_in_conflict: Images that have one with another label.
        external: The set that was compared; empty for none.
        external_pairs: Images of this set that are in that one too.
    """

    pairs: tuple[DuplicatePair, ...]
    n_images: int
    n_in_conflict: int
    external: str
    external_pairs: tuple[DuplicatePair, ...]

    @property
    def conflicting(self) -> tuple[DuplicatePair, ...]:
        """Pairs within the set with different labels."""
        return tuple(pair for pair in self.pairs if pair.conflicting)


@dataclass(frozen=True, slots=True)
class UnusualImages:
    """Images with something that others have not.

    Attributes:
        marked: With burned-in text or calipers, (sample, stroke pixels).
        coloured: Not grey, (sample, share of pixels).
        bordered: With a flat border, (sample, share).
        outliers: Unlike all others of the set, (sample, distance in medians), the farthest first.
    """

    marked: tuple[tuple[str, int], ...]
    coloured: tuple[tuple[str, float], ...]
    bordered: tuple[tuple[str, float], ...]
    outliers: tuple[tuple[str, float], ...]


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
class LabelIssue:
    """A label that a network which never saw the image contradicts with confidence.

    Attributes:
        sample: Sample id.
        label: The label.
        suggested: The class that the network holds likeliest.
        prob_label: Calibrated probability of the label.
        prob_suggested: Calibrated probability of the suggested class.
    """

    sample: str
    label: str
    suggested: str
    prob_label: float
    prob_suggested: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """The content of the page and of ``audit.json``.

    Attributes:
        command: As typed.
        started: UTC, ISO 8601.
        data: The data set.
        patients_with_several_images: None where the source names no patients.
        images_with_several_masks: Images whose lesion is drawn in several files.
        near_duplicates: Within the set, and with another.
        unusual: Images with marks, colour, borders, and outliers.
        shortcuts: How well classes are predicted without tissue.
        label_issues: From a cross-validation; empty without one.
    """

    command: str
    started: str
    data: DataSummary
    patients_with_several_images: int | None
    images_with_several_masks: int
    near_duplicates: NearDuplicates
    unusual: UnusualImages
    shortcuts: tuple[Shortcut, ...]
    label_issues: tuple[LabelIssue, ...]

    def document(self) -> dict[str, Any]:
        """Return the content of ``audit.json``."""
        return {"format": 1, "created_by": f"busight {__version__}", **asdict(self)}
