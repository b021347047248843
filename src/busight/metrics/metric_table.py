"""One model on one set of cases: every figure with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from busight.errors import DataError
from busight.metrics.bootstrap import Intervals, Statistic, repeated_bootstrap
from busight.metrics.checks import check_per_case, check_probs
from busight.metrics.compute import (
    AMONG_LESIONS,
    MACRO,
    OVERALL,
    WEIGHTED,
    ScoredCases,
    counted_images,
    figures,
)
from busight.metrics.confusion import confusion_matrix
from busight.metrics.mask_scores import MASK_SCORES
from busight.metrics.segmentation import DRAWN, LESIONS, NORMALS
from busight.metrics.table import Score, ScoreSheet
from busight.types import FloatArray, IntArray


def score_sheet(
    target: IntArray,
    probs: FloatArray,
    classes: tuple[str, ...],
    groups: Sequence[str] | Sequence[int],
    rng: np.random.Generator,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
    masks: FloatArray | None = None,
    flagged: NDArray[np.bool_] | None = None,
) -> ScoreSheet:
    """Score predictions; the predicted class is the one with the highest probability.

    Figures, as (``metric``, ``of``):

    - ``"overall"``: accuracy, balanced_accuracy (over the classes that have cases), kappa, mcc, brier, log_loss, ece;
    - ``"macro"``: precision, sensitivity, f1, auroc, average_precision, NaN where one class is undefined;
    - ``"weighted"`` by cases: precision, sensitivity, f1;
    - each class against the rest: precision, sensitivity, specificity, f1, auroc, average_precision;
    - ``"malignant among lesions"``: auroc of malignant against benign alone, where the task has a third class;
    - the last class at its operating point: operating_sensitivity, operating_specificity, where ``flagged`` is given;
    - ``"lesion images"``, the mean over images with a drawn lesion: dice, iou, pixel_sensitivity, pixel_precision,
      hausdorff_95_px, surface_distance_px, where the spacing is known hausdorff_95_mm, surface_distance_mm (precision
      and distances over those where something is predicted), and lesion_sensitivity, the share of all drawn lesions
      that were found;
    - ``"images with a known mask"``: false_marks, the mean count of an image;
    - ``"normal images"``, those known to have no lesion: unmarked, the share without any mark, and
      false_positive_area_share, the mean predicted area.

    A class without cases makes NaN of its own figures but the specificity, and of macro averages, with all resamples
    counted as undefined; the others stand. A prediction that never names a class makes NaN of its precision. The
    interval of ECE is moved down by what resampling adds to it.

    Args:
        target: int64 (N,), actual class 0..K-1; unlabelled images are left out before.
        probs: float64 (N, K), rows sum to 1.
        classes: K names.
        groups: (N,), patient or near-duplicate component of each case: what is resampled together.
        rng: Source of the resampling.
        seed: What ``rng`` was made from; noted in the sheet.
        resamples: Bootstrap resamples.
        level: Coverage of the intervals, between 0 and 1.
        masks: float64 (N, M), each row the values of a `busight.metrics.mask_scores.MaskScores`; None without
            segmentation.
        flagged: bool (N,), called positive for the last class at its operating point; or None.

    Raises:
        DataError: There is no case, or the arrays do not belong together.
    """
    cases = ScoredCases(target, probs, classes, masks, flagged)
    return repeated_score_sheet([cases], groups, rng, seed, resamples, level)


def repeated_score_sheet(
    repeats: Sequence[ScoredCases],
    groups: Sequence[str] | Sequence[int],
    rng: np.random.Generator,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
) -> ScoreSheet:
    """Score several repeats of one experiment on the same cases: each figure is the mean over the repeats.

    Args:
        repeats: The cases of each repeat, in one order, with the same targets and classes.
        groups: (N,), patient or near-duplicate component of each case.
        rng: Source of the resampling, which draws groups and repeats; see `busight.metrics.bootstrap`.
        seed: What ``rng`` was made from.
        resamples: Bootstrap resamples.
        level: Coverage of the intervals, between 0 and 1.

    Returns:
        The figures of `score_sheet`; besides, where the cases hold them, set_coverage of each class, set_size,
        one_in_set and refused of all, and second_reader_auroc among lesions; the confusion matrix is summed over the
        repeats.

    Raises:
        DataError: There is no repeat or no case, or the arrays do not belong together.
    """
    if not repeats:
        raise DataError("no repeat to score; hand over the cases of at least one")
    first = repeats[0]
    for cases in repeats:
        _check(cases, groups)
        if cases.classes != first.classes or not np.array_equal(cases.target, first.target):
            raise DataError("the repeats are not over the same cases in one order; sort them by sample first")
    confusion = sum(
        confusion_matrix(cases.target, cases.predicted, len(cases.classes)).astype(int) for cases in repeats
    )
    scores, n_groups = _scores(repeats, groups, rng, resamples, level)
    return ScoreSheet(
        classes=first.classes,
        n_images=len(first.target),
        n_groups=n_groups,
        support=tuple(first.support.tolist()),
        confusion=tuple(tuple(row) for row in np.asarray(confusion).tolist()),
        scores=scores,
        resamples=resamples,
        level=level,
        seed=seed,
    )


def _check(cases: ScoredCases, groups: Sequence[str] | Sequence[int]) -> None:
    target = cases.target
    check_probs(target, cases.probs)
    _check_names(cases.classes, cases.probs.shape[1])
    check_per_case("groups", np.asarray(groups), len(target))
    if cases.masks is not None and cases.masks.shape != (len(target), len(MASK_SCORES)):
        raise DataError(
            f"masks has shape {cases.masks.shape} for {len(target)} cases; hand over {len(MASK_SCORES)} values a case"
        )
    check_per_case("flagged", cases.flagged, len(target))


def _scores(
    repeats: Sequence[ScoredCases],
    groups: Sequence[str] | Sequence[int],
    rng: np.random.Generator,
    resamples: int,
    level: float,
) -> tuple[tuple[Score, ...], int]:
    def statistic_of(cases: ScoredCases) -> Statistic:
        return lambda weights: np.stack(list(figures(cases, weights).values()), axis=-1)

    once = np.ones(len(repeats[0].target))
    names = list(figures(repeats[0], once))
    if any(list(figures(cases, once)) != names for cases in repeats):
        raise DataError("the repeats do not have the same figures; all or none of them must segment")
    found = repeated_bootstrap([statistic_of(cases) for cases in repeats], groups, rng, resamples, level)
    counted = counted_images(repeats[0])
    low, high = _without_bias(names, found)
    scores = tuple(
        Score(
            metric=metric,
            of=of,
            value=float(found.value[index]),
            low=float(low[index]),
            high=float(high[index]),
            n=counted.get((metric, of), len(once)),
            undefined_resamples=int(found.undefined[index]),
        )
        for index, (metric, of) in enumerate(names)
    )
    return scores, found.n_groups


def _without_bias(names: Sequence[tuple[str, str]], found: Intervals) -> tuple[FloatArray, FloatArray]:
    """Move the interval of the calibration error down by what resampling adds to it.

    A resample holds some cases several times, which makes its bins rougher: the resampled ECE lies above the ECE of the
    cases themselves on average, and its percentiles may even leave that out.
    """
    biased = np.array([metric == "ece" for metric, _ in names]) & ~np.isnan(found.mean)
    shift = np.where(biased, found.mean - found.value, 0.0)
    return np.where(biased, np.maximum(found.low - shift, 0.0), found.low), found.high - shift


def _check_names(classes: tuple[str, ...], n_classes: int) -> None:
    if len(classes) != n_classes or len(set(classes)) != n_classes:
        raise DataError(f"classes {classes} for {n_classes} columns of probs; give each column a name of its own")
    for reserved in (OVERALL, MACRO, WEIGHTED, LESIONS, NORMALS, DRAWN, AMONG_LESIONS):
        if reserved in classes:
            raise DataError(f"class {reserved!r}: the score sheet uses this name for something else; rename the class")
