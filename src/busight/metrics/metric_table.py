"""Metric tables: every metric of one model on one set of cases, with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from busight.errors import DataError
from busight.metrics.bootstrap import Statistic, repeated_bootstrap
from busight.metrics.checks import check_per_case, check_probs
from busight.metrics.compute import (
    MACRO,
    OVERALL,
    WEIGHTED,
    ScoredCases,
    compute_metrics,
    metric_measurands,
)
from busight.metrics.confusion import confusion_matrix
from busight.metrics.mask_scores import MASK_SCORES
from busight.metrics.segmentation import ANNOTATED_IMAGES, LESION_IMAGES, NORMAL_IMAGES
from busight.metrics.table import MetricEstimate, MetricRows, MetricTable
from busight.types import FloatArray, IntArray


def metric_table(
    target: IntArray,
    probs: FloatArray,
    classes: tuple[str, ...],
    groups: Sequence[str] | Sequence[int],
    rng: np.random.Generator,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
    mask_scores: Mapping[str, FloatArray] | None = None,
    above_threshold: NDArray[np.bool_] | None = None,
    positive: int | None = None,
    lesion_pair: tuple[int, int] | None = None,
) -> MetricTable:
    """Compute every metric of a set of predictions; the predicted class is the one with the highest probability.

    Metrics, as (``metric``, ``of``):

    - ``"overall"``: accuracy, balanced_accuracy (over the classes that have cases), kappa, mcc, brier, log_loss, ece;
    - ``"macro"``: precision, sensitivity, f1, auroc, average_precision, NaN where one class is undefined;
    - ``"weighted"`` by cases: precision, sensitivity, f1;
    - each class against the rest: precision, sensitivity, specificity, f1, auroc, average_precision;
    - the positive against the negative lesion class (``"malignant vs benign"``): auroc over the lesion images alone,
      where ``lesion_pair`` is given;
    - the positive class at its threshold: operating_sensitivity, operating_specificity, where ``above_threshold`` is
      given;
    - ``"lesion images"``, the mean over images with an annotated lesion: dice, iou, pixel_recall, pixel_precision,
      hd95_px, assd_px, where the spacing is known hd95_mm, assd_mm (precision and distances over those where something
      is predicted), and lesion_sensitivity, the share of all annotated lesions that were hit;
    - ``"images with a known mask"``: false_positives_per_image, the mean count of false positive regions;
    - ``"normal images"``, those known to have no lesion: specificity_image_level, the share of them without any
      predicted region, and fp_area_fraction, the mean predicted area.

    A class without cases makes NaN of its own metrics but the specificity, and of macro averages, with all resamples
    counted as undefined; the others stand. A prediction that never names a class makes NaN of its precision. Intervals
    are those of `busight.metrics.intervals.confidence_interval`.

    Args:
        target: int64 (N,), class 0..K-1.
        probs: float64 (N, K), rows sum to 1.
        classes: K names.
        groups: (N,), patient or near-duplicate component of each case: resampled as a whole.
        rng: Source of the resampling.
        seed: Seed of ``rng``, for the record.
        resamples: Bootstrap resamples.
        level: Coverage of the intervals, between 0 and 1.
        mask_scores: Of `busight.metrics.mask_scores.stack_mask_scores`; None without segmentation.
        above_threshold: bool (N,), the positive class's probability reaches the threshold; or None.
        positive: Index of the positive class; None without one.
        lesion_pair: Indices of the negative and the positive lesion class, where there are other classes; or None.

    Raises:
        DataError: There is no case, or the arrays are invalid or of different lengths.
    """
    cases = ScoredCases(target, probs, classes, positive, lesion_pair, mask_scores, above_threshold)
    return repeated_metric_table([cases], groups, rng, seed, resamples, level)


def repeated_metric_table(
    repeats: Sequence[ScoredCases],
    groups: Sequence[str] | Sequence[int],
    rng: np.random.Generator,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
) -> MetricTable:
    """Compute every metric of several repeats of one experiment on the same cases: each is the mean over the repeats.

    Args:
        repeats: The cases of each repeat, in one order, with the same targets and classes.
        groups: (N,), patient or near-duplicate component of each case.
        rng: Source of the resampling, which draws groups and repeats; see `busight.metrics.bootstrap`.
        seed: Seed of ``rng``.
        resamples: Bootstrap resamples.
        level: Coverage of the intervals, between 0 and 1.

    Returns:
        The metrics of `metric_table`; besides, where the cases hold them, class_coverage of each class, mean_set_size,
        singleton_rate and rejection_rate of all, and descriptor_auroc of the lesions; the confusion
        matrix is summed over the repeats.

    Raises:
        DataError: There is no repeat or no case, or the arrays are invalid or of different lengths.
    """
    if not repeats:
        raise DataError("no repeat to evaluate; hand over the cases of at least one")
    first = repeats[0]
    for cases in repeats:
        _check(cases, groups)
        if cases.classes != first.classes or not np.array_equal(cases.target, first.target):
            raise DataError("the repeats are not over the same cases in one order; sort them by sample first")
    confusion = sum(
        confusion_matrix(cases.target, cases.prediction, len(cases.classes)).astype(int) for cases in repeats
    )
    rows, n_groups = _estimates(repeats, groups, rng, resamples, level)
    return MetricTable(
        classes=first.classes,
        positive=first.positive_name,
        lesion_comparison=first.lesion_comparison,
        n_images=len(first.target),
        n_groups=n_groups,
        support=tuple(first.support.tolist()),
        confusion=tuple(tuple(row) for row in np.asarray(confusion).tolist()),
        rows=rows,
        resamples=resamples,
        level=level,
        seed=seed,
    )


def _check(cases: ScoredCases, groups: Sequence[str] | Sequence[int]) -> None:
    target = cases.target
    check_probs(target, cases.probs)
    _check_names(cases.classes, cases.probs.shape[1])
    check_per_case("groups", np.asarray(groups), len(target))
    if cases.mask_scores is not None:
        if missing := set(MASK_SCORES) - set(cases.mask_scores):
            raise DataError(f"mask_scores has no {min(missing)}; hand over {', '.join(MASK_SCORES)}")
        for name, values in cases.mask_scores.items():
            check_per_case(f"mask_scores {name}", values, len(target))
    check_per_case("above_threshold", cases.above_threshold, len(target))


def _estimates(
    repeats: Sequence[ScoredCases],
    groups: Sequence[str] | Sequence[int],
    rng: np.random.Generator,
    resamples: int,
    level: float,
) -> tuple[MetricRows[MetricEstimate], int]:
    def statistic_of(cases: ScoredCases) -> Statistic:
        return lambda weights: np.stack(list(compute_metrics(cases, weights).values()), axis=-1)

    once = np.ones(len(repeats[0].target))
    names = list(compute_metrics(repeats[0], once))
    if any(list(compute_metrics(cases, once)) != names for cases in repeats):
        raise DataError("the repeats do not have the same metrics; all or none of them must segment")
    measurands = metric_measurands(repeats[0])
    of_names = [measurands[name] for name in names]
    statistics = [statistic_of(cases) for cases in repeats]
    intervals = repeated_bootstrap(statistics, groups, rng, resamples, level, of_names)
    estimates = MetricRows(
        MetricEstimate(
            metric=metric,
            of=of,
            value=float(intervals.value[index]),
            low=float(intervals.low[index]),
            high=float(intervals.high[index]),
            n=intervals.observed[index].cases,
            n_groups=intervals.observed[index].groups,
            undefined_resamples=int(intervals.undefined[index]),
        )
        for index, (metric, of) in enumerate(names)
    )
    return estimates, intervals.n_groups


def _check_names(classes: tuple[str, ...], n_classes: int) -> None:
    if len(classes) != n_classes or len(set(classes)) != n_classes:
        raise DataError(f"classes {classes} for {n_classes} columns of probs; give each column a name of its own")
    for reserved in (OVERALL, MACRO, WEIGHTED, LESION_IMAGES, NORMAL_IMAGES, ANNOTATED_IMAGES):
        if reserved in classes:
            raise DataError(f"class {reserved!r}: the metric table uses this name for something else; rename the class")
