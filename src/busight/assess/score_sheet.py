"""One model on one set of cases: every figure with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from busight.assess.cases import check_per_case, check_probs
from busight.assess.confusion import confusion_matrix
from busight.assess.figures import LESIONS, MACRO, NORMALS, OVERALL, WEIGHTED, ScoredCases, counted_images, figures
from busight.assess.intervals import clustered_bootstrap
from busight.assess.records import Score, ScoreSheet
from busight.errors import DataError
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
    dice: FloatArray | None = None,
    iou: FloatArray | None = None,
    predicted_area_share: FloatArray | None = None,
    true_area_share: FloatArray | None = None,
) -> ScoreSheet:
    """Score predictions; the predicted class is the one with the highest probability.

    Figures, as (``metric``, ``of``):

    - ``"overall"``: accuracy, balanced_accuracy (over the classes that have cases), kappa, mcc, brier, log_loss, ece;
    - ``"macro"``: precision, sensitivity, f1, auroc, average_precision, NaN where one class is undefined;
    - ``"weighted"`` by cases: precision, sensitivity, f1;
    - each class against the rest: precision, sensitivity, specificity, f1, auroc, average_precision;
    - ``"lesion images"``: dice, iou, the mean over images with a drawn lesion;
    - ``"normal images"``: false_positive_area_share, the mean predicted area on images known to have no lesion.

    A class without cases makes NaN of the figures that need it, with all resamples counted as undefined; the others
    stand. A prediction that never names a class makes NaN of its precision.

    Args:
        target: int64 (N,), actual class 0..K-1; unlabelled images are left out before.
        probs: float64 (N, K), rows sum to 1.
        classes: K names.
        groups: (N,), patient or near-duplicate component of each case: what is resampled together.
        rng: Source of the resampling.
        seed: What ``rng`` was made from; noted in the sheet.
        resamples: Bootstrap resamples.
        level: Coverage of the intervals, between 0 and 1.
        dice: float64 (N,), NaN where no lesion is drawn; None without segmentation.
        iou: Likewise.
        predicted_area_share: float64 (N,), 0–1; None without segmentation.
        true_area_share: float64 (N,), 0 on images known to have no lesion, NaN where no mask is known; or None.

    Raises:
        DataError: There is no case, or the arrays do not belong together.
    """
    check_probs(target, probs)
    _check_names(classes, probs.shape[1])
    check_per_case("groups", np.asarray(groups), len(target))
    check_per_case("dice", dice, len(target))
    check_per_case("iou", iou, len(target))
    check_per_case("predicted_area_share", predicted_area_share, len(target))
    check_per_case("true_area_share", true_area_share, len(target))
    cases = ScoredCases(target, probs, classes, dice, iou, predicted_area_share, true_area_share)
    confusion = confusion_matrix(target, cases.predicted, len(classes)).astype(int)
    scores, n_groups = _scores(cases, groups, rng, resamples, level)
    return ScoreSheet(
        classes=classes,
        n_images=len(target),
        n_groups=n_groups,
        support=tuple(cases.support.tolist()),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        scores=scores,
        resamples=resamples,
        level=level,
        seed=seed,
    )


def _scores(
    cases: ScoredCases, groups: Sequence[str] | Sequence[int], rng: np.random.Generator, resamples: int, level: float
) -> tuple[tuple[Score, ...], int]:
    def statistic(weights: FloatArray) -> FloatArray:
        return np.stack(list(figures(cases, weights).values()), axis=-1)

    names = list(figures(cases, np.ones(len(cases.target))))
    found = clustered_bootstrap(statistic, groups, rng, resamples, level)
    counted = counted_images(cases)
    scores = tuple(
        Score(
            metric=metric,
            of=of,
            value=float(found.value[index]),
            low=float(found.low[index]),
            high=float(found.high[index]),
            n=counted.get((metric, of), len(cases.target)),
            undefined_resamples=int(found.undefined[index]),
        )
        for index, (metric, of) in enumerate(names)
    )
    return scores, found.n_groups


def _check_names(classes: tuple[str, ...], n_classes: int) -> None:
    if len(classes) != n_classes or len(set(classes)) != n_classes:
        raise DataError(f"classes {classes} for {n_classes} columns of probs; give each column a name of its own")
    for reserved in (OVERALL, MACRO, WEIGHTED, LESIONS, NORMALS):
        if reserved in classes:
            raise DataError(f"class {reserved!r}: the score sheet uses this name for something else; rename the class")
