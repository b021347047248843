"""What a run leaves for the report: plain records, no network, no open file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from busight.audit.checked_dataset import DataSummary
from busight.metrics.mask_scores import MaskScores
from busight.metrics.subgroups import Subgroup
from busight.metrics.table import ScoreSheet
from busight.model.explain.explained import Explained
from busight.results.history import EpochRow, History
from busight.types import Image, Mask, Roi

__all__ = ["Case", "DataSummary", "EpochRow", "FoldScores", "History", "RunRecord", "SplitSummary", "StagePicture"]


@dataclass(frozen=True, slots=True)
class Case:
    """One scored image.

    Attributes:
        sample_id: The sample.
        group: Its group: cases of one group are never split and are resampled together.
        actual: The label as a class name of the task, or None where the source has none.
        predicted: The class with the highest calibrated probability.
        logits: Per class.
        raw_probs: Per class, before calibration.
        calibrated_probs: Per class, after calibration.
        mask: Scores of the predicted lesion mask against the drawn one.
        flagged: The last class's calibrated probability reaches the bundle's operating point; None without one.
        prediction_set: Classes in the prediction set; None without such sets.
        refused: The bundle would not answer this image; None without a gate. Its scores count all the same.
        second_reader: The second reader's probability of malignancy; None where it says nothing.
        facts: (what, value) of what is known besides: device, BI-RADS, histology, lesion size, overlay.
    """

    sample_id: str
    group: str
    actual: str | None
    predicted: str
    logits: tuple[float, ...]
    raw_probs: tuple[float, ...]
    calibrated_probs: tuple[float, ...]
    mask: MaskScores
    flagged: bool | None
    prediction_set: tuple[str, ...] | None = None
    refused: bool | None = None
    second_reader: float | None = None
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class StagePicture:
    """One case with the picture after every stage of the chain, all in the pixels of the image but ``region``.

    Attributes:
        case: The scored case.
        image: uint8 HW, as read.
        enhanced: uint8 HW.
        mask: Predicted lesion, or None without segmentation.
        true_mask: Drawn lesion, or None.
        roi: The box that was classified.
        region: uint8 hw: what the classifier saw, at its input size.
        activation: float32 HW: class-activation map of the predicted class, or None.
    """

    case: Case
    image: Image
    enhanced: Image
    mask: Mask | None
    true_mask: Mask | None
    roi: Roi
    region: Image
    activation: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class SplitSummary:
    """Who trained, who chose, who tested: ``counts`` holds (part, class, images)."""

    kind: str
    seed: int
    digest: str
    counts: tuple[tuple[str, str, int], ...]
    crossing_pairs: int


@dataclass(frozen=True, slots=True)
class FoldScores:
    """One fold of one repeat of a cross-validation, both counted from 1, and its own scores."""

    repeat: int
    fold: int
    sheet: ScoreSheet


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything a report tells.

    Attributes:
        kind: ``"run"`` (trained and tested), ``"evaluate"`` (an existing bundle on another data set) or ``"crossval"``.
        title: Recipe name, or the bundle's.
        command: The command line as typed.
        started: UTC, ISO 8601.
        stage_seconds: (stage, seconds), in order.
        recipe_toml: The fully resolved recipe.
        classes: Class names of the task.
        network: A sentence: the network, its parameters, how the lesion is used.
        weights: A sentence: where the initial weights came from, what of them fitted.
        calibration: A sentence: what was fitted on which cases.
        paper_comparison: True where the paper's own figures should stand beside (three classes on BUSI).
        digests: (what, SHA-256) of data, split, bundle.
        versions: (library, version).
        histories: One for each trained network; empty for ``"evaluate"``.
        sheet: Scores on the test part.
        cases: The test part.
        walks: One picture series for each class (a right prediction where there is one).
        explained: Everything there is to say about each walk's case.
        gallery: Up to 16 more test cases, right and wrong.
        limits: Sentences that a reader must know before believing a figure.
        warnings: Those that belong beside the headline figures, because these are not what they seem.
        subgroups: Scores by what is known of the cases.
        folds: The folds of a cross-validation; ``sheet`` is then the mean over its repeats, ``cases`` are theirs.
        together: Of a cross-validation in repeats: the scores of the mean of what the networks of all repeats say, each
            image judged by those that never saw its group.
    """

    kind: str
    title: str
    command: str
    started: str
    stage_seconds: tuple[tuple[str, float], ...]
    recipe_toml: str
    classes: tuple[str, ...]
    network: str
    weights: str
    calibration: str
    paper_comparison: bool
    data: DataSummary
    split: SplitSummary | None
    digests: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
    histories: tuple[History, ...]
    sheet: ScoreSheet
    cases: tuple[Case, ...]
    walks: tuple[StagePicture, ...]
    gallery: tuple[StagePicture, ...]
    limits: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    subgroups: tuple[Subgroup, ...] = ()
    folds: tuple[FoldScores, ...] = ()
    together: ScoreSheet | None = None
    explained: tuple[Explained, ...] = ()
