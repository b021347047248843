from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from busight.errors import DataError
from busight.metrics.compute import ScoredCases
from busight.metrics.mask_scores import MASK_SCORES, MaskScores
from busight.metrics.metric_table import repeated_score_sheet, score_sheet
from busight.metrics.table import ScoreSheet

CLASSES = ("normal", "benign", "malignant")


def sheet_of(target: list[int], probs: Any, groups: list[Any] | None = None, **more: Any) -> ScoreSheet:
    more = {"classes": CLASSES, "resamples": 200} | more
    whose = list(range(len(target))) if groups is None else groups
    return score_sheet(
        np.array(target), np.asarray(probs, float), groups=whose, rng=np.random.default_rng(5), seed=5, **more
    )


def test_the_papers_confusion_matrix() -> None:
    counts = np.array([[65, 0, 1], [2, 29, 0], [0, 0, 20]])
    actual, predicted = np.divmod(np.repeat(np.arange(9), counts.ravel()), 3)
    sheet = sheet_of(actual.tolist(), np.eye(3)[predicted], classes=("benign", "malignant", "normal"), resamples=2000)
    assert sheet.confusion == ((65, 0, 1), (2, 29, 0), (0, 0, 20))
    assert (sheet.support, sheet.n_images, sheet.n_groups) == ((66, 31, 20), 117, 117)
    assert (sheet.resamples, sheet.level, sheet.seed) == (2000, 0.95, 5)
    accuracy = sheet.get("accuracy")
    assert (accuracy.value, accuracy.n) == (114 / 117, 117)
    # Normal approximation: 0.974 ± 1.96 * sqrt(0.974 * 0.026 / 117) = 0.946..1.
    assert accuracy.low == pytest.approx(0.946, abs=0.006)
    recall = sheet.get("sensitivity", "malignant")
    assert (recall.value, recall.n, recall.high) == (29 / 31, 31, 1.0)
    assert recall.low == pytest.approx(0.84, abs=0.02)
    assert sheet.get("specificity", "malignant").n == 86
    assert sheet.get("precision", "benign").n == 67


def test_values_equal_scikit_learn() -> None:
    rng = np.random.default_rng(11)
    target = rng.integers(3, size=90)
    probs = rng.dirichlet(np.ones(3) / 2, size=90) * 0.7 + 0.3 * np.eye(3)[target]
    sheet = sheet_of(target.tolist(), probs)
    predicted = probs.argmax(1)
    assert sheet.get("balanced_accuracy").value == pytest.approx(metrics.balanced_accuracy_score(target, predicted))
    assert sheet.get("f1", "weighted").value == pytest.approx(metrics.f1_score(target, predicted, average="weighted"))
    expected = metrics.roc_auc_score(target, probs, multi_class="ovr", average="macro")
    assert sheet.get("auroc", "macro").value == pytest.approx(expected)
    expected = metrics.average_precision_score(target == 2, probs[:, 2])
    assert sheet.get("average_precision", "malignant").value == pytest.approx(expected)
    # The ECE errs upwards in every resample, so that its interval need not hold the value; all others do.
    assert all(score.low <= score.value <= score.high for score in sheet.scores if score.metric != "ece")


def test_one_seed_gives_one_sheet_and_like_cases_widen_it() -> None:
    target = [0, 1, 2] * 20
    probs = np.random.default_rng(1).dirichlet(np.ones(3), size=60)
    alone = sheet_of(target, probs)
    assert alone == sheet_of(target, probs)
    doubled = sheet_of(target * 2, np.tile(probs, (2, 1)), list(range(60)) * 2)
    assert doubled.n_groups == 60
    # Copies of one image in one group bring no news: value and interval stay.
    for score, twice in zip(alone.scores, doubled.scores, strict=True):
        assert (twice.value, twice.low, twice.high) == pytest.approx((score.value, score.low, score.high))


def test_an_external_set_without_normals_scores_what_it_can() -> None:
    rng = np.random.default_rng(3)
    target = rng.integers(1, 3, size=40)
    sheet = sheet_of(target.tolist(), rng.dirichlet(np.ones(3), size=40) * 0.8 + 0.2 * np.eye(3)[target])
    assert sheet.support[0] == 0
    for metric, of in [("sensitivity", "normal"), ("auroc", "normal"), ("auroc", "macro"), ("sensitivity", "macro")]:
        score = sheet.get(metric, of)
        assert math.isnan(score.value)
        assert math.isnan(score.low)
        assert math.isnan(score.high)
        assert score.undefined_resamples == 200
    assert sheet.get("sensitivity", "normal").n == 0
    of_both = [sheet.get("sensitivity", name).value for name in ("benign", "malignant")]
    assert sheet.get("balanced_accuracy").value == pytest.approx(np.mean(of_both))
    for metric, of in [("accuracy", "overall"), ("auroc", "malignant"), ("specificity", "normal"), ("f1", "weighted")]:
        assert sheet.get(metric, of).low < sheet.get(metric, of).high


def test_segmentation_speaks_of_lesions_and_of_normals_apart() -> None:
    masks = [
        MaskScores(false_marks=0, true_area_share=0.0, predicted_area_share=0.0),
        MaskScores(
            false_marks=1, true_area_share=0.0, predicted_area_share=0.3
        ),  # a predicted lesion on a normal image
        MaskScores(
            0.6, 0.4, lesions_drawn=2, lesions_found=1, false_marks=1, true_area_share=0.2, predicted_area_share=0.1
        ),
        MaskScores(
            0.8, 0.7, lesions_drawn=1, lesions_found=1, false_marks=0, true_area_share=0.1, predicted_area_share=0.1
        ),
        MaskScores(predicted_area_share=0.2),  # nobody drew a mask
    ]
    found = sheet_of(
        [0, 0, 1, 2, 2],
        np.full((5, 3), 1 / 3),
        masks=np.array([scores.values for scores in masks]),
    )
    dice = found.get("dice", "lesion images")
    assert (dice.value, dice.n) == (pytest.approx(0.7), 2)
    assert found.get("iou", "lesion images").value == pytest.approx(0.55)
    area = found.get("false_positive_area_share", "normal images")
    assert (area.value, area.n) == (pytest.approx(0.15), 2)
    clean, marks = found.get("unmarked", "normal images"), found.get("false_marks", "images with a known mask")
    assert ((clean.value, clean.n), (marks.value, marks.n)) == ((0.5, 2), (0.5, 4))
    hit = found.get("lesion_sensitivity", "lesion images")
    assert (hit.value, hit.n) == (pytest.approx(2 / 3), 2)
    far = found.get("hausdorff_95_px", "lesion images")
    assert (math.isnan(far.value), far.n) == (True, 0)
    in_mm = found.get("hausdorff_95_mm", "lesion images")  # no spacing is known
    assert (math.isnan(in_mm.value), in_mm.n) == (True, 0)


def test_without_segmentation_there_are_no_such_scores() -> None:
    found = sheet_of([0, 1, 2], np.eye(3))
    assert {score.of for score in found.scores} == {"overall", "macro", "weighted", *CLASSES, "malignant among lesions"}
    with pytest.raises(KeyError, match="no score 'dice'"):
        found.get("dice", "lesion images")


@pytest.mark.parametrize(("n_cases", "groups"), [(1, ["a"]), (6, ["a"] * 6)])
def test_one_case_or_one_group_has_values_without_intervals(n_cases: int, groups: list[str]) -> None:
    sheet = sheet_of([1] * n_cases, np.tile([0.2, 0.7, 0.1], (n_cases, 1)), groups)
    accuracy = sheet.get("accuracy")
    assert (accuracy.value, accuracy.n, sheet.n_groups) == (1.0, n_cases, 1)
    assert math.isnan(accuracy.low)
    assert math.isnan(accuracy.high)
    assert accuracy.undefined_resamples == 200


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"target": []}, "one class index a case"),
        ({"probs": np.ones((3, 3))}, "sums to 3"),
        ({"groups": ["a"]}, r"groups has shape \(1,\) for 3 cases"),
        ({"masks": np.ones((2, len(MASK_SCORES)))}, r"masks has shape \(2, "),
        ({"masks": np.ones((3, 1))}, r"masks has shape \(3, 1\) for 3 cases"),
        ({"classes": ("a", "b")}, "each column a name"),
        ({"classes": ("a", "a", "b")}, "each column a name"),
        ({"classes": ("a", "macro", "b")}, "rename the class"),
    ],
)
def test_refuses_arrays_that_do_not_belong_together(changed: dict[str, Any], message: str) -> None:
    given = {"target": [0, 1, 2], "probs": np.eye(3)} | changed
    with pytest.raises(DataError, match=message):
        sheet_of(**given)


def test_the_operating_point_by_hand() -> None:
    probs = np.eye(3)[[0, 1, 2, 2, 1]]
    flagged = np.array([False, True, True, False, True])
    sheet = sheet_of([0, 1, 2, 2, 2], probs, flagged=flagged)
    found, spared = sheet.get("operating_sensitivity", "malignant"), sheet.get("operating_specificity", "malignant")
    assert (found.value, found.n) == (2 / 3, 3)
    assert (spared.value, spared.n) == (1 / 2, 2)


def test_repeats_are_averaged() -> None:
    rng = np.random.default_rng(3)
    target = np.arange(60) % 3
    repeats = [ScoredCases(target, rng.dirichlet(np.ones(3) + 3 * k, 60), CLASSES) for k in range(3)]
    groups = list(range(60))
    together = repeated_score_sheet(repeats, groups, np.random.default_rng(0), 0, resamples=100)
    alone = [
        repeated_score_sheet([one], groups, np.random.default_rng(0), 0, resamples=100).get("auroc", "macro").value
        for one in repeats
    ]
    assert together.get("auroc", "macro").value == pytest.approx(np.mean(alone))
    assert np.sum(together.confusion) == 180
    assert together.support == (20, 20, 20)
    other = ScoredCases(target[::-1].copy(), repeats[0].probs, CLASSES)
    with pytest.raises(DataError, match="not over the same cases in one order"):
        repeated_score_sheet([repeats[0], other], groups, np.random.default_rng(0), 0, resamples=10)


def test_malignant_among_lesions_leaves_normal_images_out() -> None:
    rng = np.random.default_rng(8)
    target = np.arange(90) % 3
    probs = rng.dirichlet(np.ones(3), 90)
    found = sheet_of(target.tolist(), probs).get("auroc", "malignant among lesions")
    lesions = target > 0
    share = probs[lesions, 2] / probs[lesions, 1:].sum(axis=1)
    assert (found.value, found.n) == (pytest.approx(metrics.roc_auc_score(target[lesions] == 2, share)), 60)
    only_normal = sheet_of([0, 0, 0], np.eye(3))
    assert math.isnan(only_normal.get("auroc", "malignant among lesions").value)


def test_the_second_reader_is_ranked_on_the_lesions_it_speaks_of() -> None:
    rng = np.random.default_rng(9)
    target = np.arange(90) % 3
    says = np.where(rng.random(90) < 0.2, np.nan, rng.random(90))
    spoken = (target > 0) & ~np.isnan(says)
    probs = rng.dirichlet(np.ones(3), 90)

    def sheet_with(second: Any) -> ScoreSheet:
        cases = ScoredCases(target, probs, CLASSES, second_reader=second)
        return repeated_score_sheet([cases], list(range(90)), np.random.default_rng(5), 5, 200)

    score = sheet_with(says).get("second_reader_auroc", "malignant among lesions")
    assert (score.value, score.n) == (
        pytest.approx(metrics.roc_auc_score(target[spoken] == 2, says[spoken])),
        int(spoken.sum()),
    )
    silent = sheet_with(np.full(90, np.nan))
    assert math.isnan(silent.get("second_reader_auroc", "malignant among lesions").value)


def test_the_calibration_error_lies_within_its_interval() -> None:
    rng = np.random.default_rng(4)
    probs = rng.dirichlet(np.ones(3), 120)
    target = np.array([rng.choice(3, p=row) for row in probs])  # calibrated in truth: what is left is noise
    ece = sheet_of(target.tolist(), probs, resamples=500).get("ece")
    assert 0 <= ece.low < ece.value < ece.high


def test_a_class_without_cases_has_no_figure_but_its_specificity() -> None:
    sheet = sheet_of([1, 1, 2, 2], np.eye(3)[[1, 0, 2, 2]])
    for metric in ("precision", "sensitivity", "f1", "auroc"):
        assert math.isnan(sheet.get(metric, "normal").value)
        assert math.isnan(sheet.get(metric, "macro").value)
    assert sheet.get("specificity", "normal").value == 0.75
    assert sheet.get("balanced_accuracy").value == 0.75
