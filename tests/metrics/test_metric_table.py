from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics

from busight.errors import DataError
from busight.metrics.compute import ScoredCases
from busight.metrics.mask_scores import MaskScores, stack_mask_scores
from busight.metrics.metric_table import metric_table, repeated_metric_table
from busight.metrics.table import MetricTable

CLASSES = ("normal", "benign", "malignant")


def table_of(target: list[int], probs: Any, groups: list[Any] | None = None, **more: Any) -> MetricTable:
    more = {"classes": CLASSES, "resamples": 200, "positive": 2, "lesion_pair": (1, 2)} | more
    whose = list(range(len(target))) if groups is None else groups
    return metric_table(
        np.array(target), np.asarray(probs, float), groups=whose, rng=np.random.default_rng(5), seed=5, **more
    )


def test_the_papers_confusion_matrix() -> None:
    counts = np.array([[65, 0, 1], [2, 29, 0], [0, 0, 20]])
    actual, predicted = np.divmod(np.repeat(np.arange(9), counts.ravel()), 3)
    table = table_of(
        actual.tolist(),
        np.eye(3)[predicted],
        classes=("benign", "malignant", "normal"),
        resamples=2000,
        positive=1,
        lesion_pair=(0, 1),
    )
    assert table.confusion == ((65, 0, 1), (2, 29, 0), (0, 0, 20))
    assert (table.support, table.n_images, table.n_groups) == ((66, 31, 20), 117, 117)
    assert (table.resamples, table.level, table.seed) == (2000, 0.95, 5)
    accuracy = table.get("accuracy")
    assert (accuracy.value, accuracy.n) == (114 / 117, 117)
    # Every image is a group of its own: the exact binomial interval.
    expected = binomtest(114, 117).proportion_ci()
    assert (accuracy.low, accuracy.high) == pytest.approx((expected.low, expected.high), abs=0.003)
    recall = table.get("sensitivity", "malignant")
    assert (recall.value, recall.n, recall.n_groups) == (29 / 31, 31, 31)
    expected = binomtest(29, 31).proportion_ci()
    assert (recall.low, recall.high) == pytest.approx((expected.low, expected.high), abs=0.01)
    assert table.get("specificity", "malignant").n == 86
    assert table.get("precision", "benign").n == 67


def test_values_equal_scikit_learn() -> None:
    rng = np.random.default_rng(11)
    target = rng.integers(3, size=90)
    probs = rng.dirichlet(np.ones(3) / 2, size=90) * 0.7 + 0.3 * np.eye(3)[target]
    table = table_of(target.tolist(), probs)
    predicted = probs.argmax(1)
    assert table.get("balanced_accuracy").value == pytest.approx(metrics.balanced_accuracy_score(target, predicted))
    assert table.get("f1", "weighted").value == pytest.approx(metrics.f1_score(target, predicted, average="weighted"))
    expected = metrics.roc_auc_score(target, probs, multi_class="ovr", average="macro")
    assert table.get("auroc", "macro").value == pytest.approx(expected)
    expected = metrics.average_precision_score(target == 2, probs[:, 2])
    assert table.get("average_precision", "malignant").value == pytest.approx(expected)
    assert all(row.low <= row.value <= row.high for row in table.rows)


def test_one_seed_gives_one_table_and_like_cases_widen_it() -> None:
    target = [0, 1, 2] * 20
    probs = np.random.default_rng(1).dirichlet(np.ones(3), size=60)
    alone = table_of(target, probs)
    assert alone == table_of(target, probs)
    doubled = table_of(target * 2, np.tile(probs, (2, 1)), list(range(60)) * 2)
    assert doubled.n_groups == 60
    # Copies of one image in one group bring no news: value and interval stay (a proportion's nearly: its effective
    # sample size has the number of images as a bound).
    for score, twice in zip(alone.rows, doubled.rows, strict=True):
        assert twice.value == pytest.approx(score.value)
        assert (twice.low, twice.high) == pytest.approx((score.low, score.high), abs=0.03)


def test_an_external_set_without_normals_scores_what_it_can() -> None:
    rng = np.random.default_rng(3)
    target = rng.integers(1, 3, size=40)
    table = table_of(target.tolist(), rng.dirichlet(np.ones(3), size=40) * 0.8 + 0.2 * np.eye(3)[target])
    assert table.support[0] == 0
    for metric, of in [("sensitivity", "normal"), ("auroc", "normal"), ("auroc", "macro"), ("sensitivity", "macro")]:
        score = table.get(metric, of)
        assert math.isnan(score.value)
        assert math.isnan(score.low)
        assert math.isnan(score.high)
        assert score.undefined_resamples == 200
    assert table.get("sensitivity", "normal").n == 0
    of_both = [table.get("sensitivity", name).value for name in ("benign", "malignant")]
    assert table.get("balanced_accuracy").value == pytest.approx(np.mean(of_both))
    for metric, of in [("accuracy", "overall"), ("auroc", "malignant"), ("specificity", "normal"), ("f1", "weighted")]:
        assert table.get(metric, of).low < table.get(metric, of).high


def test_segmentation_speaks_of_lesions_and_of_normals_apart() -> None:
    masks = [
        MaskScores(lesion_false_positives=0, annotated_area_fraction=0.0, predicted_area_fraction=0.0),
        MaskScores(
            lesion_false_positives=1, annotated_area_fraction=0.0, predicted_area_fraction=0.3
        ),  # a predicted lesion on a normal image
        MaskScores(
            0.6,
            0.4,
            lesions_annotated=2,
            lesion_true_positives=1,
            lesion_false_positives=1,
            annotated_area_fraction=0.2,
            predicted_area_fraction=0.1,
        ),
        MaskScores(
            0.8,
            0.7,
            lesions_annotated=1,
            lesion_true_positives=1,
            lesion_false_positives=0,
            annotated_area_fraction=0.1,
            predicted_area_fraction=0.1,
        ),
        MaskScores(predicted_area_fraction=0.2),  # nobody annotated a mask
    ]
    found = table_of(
        [0, 0, 1, 2, 2],
        np.full((5, 3), 1 / 3),
        mask_scores=stack_mask_scores(masks),
    )
    dice = found.get("dice", "lesion images")
    assert (dice.value, dice.n) == (pytest.approx(0.7), 2)
    assert found.get("iou", "lesion images").value == pytest.approx(0.55)
    area = found.get("fp_area_fraction", "normal images")
    assert (area.value, area.n) == (pytest.approx(0.15), 2)
    clean, marks = (
        found.get("specificity_image_level", "normal images"),
        found.get("false_positives_per_image", "images with a known mask"),
    )
    assert ((clean.value, clean.n), (marks.value, marks.n)) == ((0.5, 2), (0.5, 4))
    hit = found.get("lesion_sensitivity", "lesion images")
    assert (hit.value, hit.n) == (pytest.approx(2 / 3), 2)
    far = found.get("hd95_px", "lesion images")
    assert (math.isnan(far.value), far.n) == (True, 0)
    in_mm = found.get("hd95_mm", "lesion images")  # no spacing is known
    assert (math.isnan(in_mm.value), in_mm.n) == (True, 0)


def test_without_segmentation_there_are_no_mask_metrics() -> None:
    found = table_of([0, 1, 2], np.eye(3))
    assert {score.of for score in found.rows} == {"overall", "macro", "weighted", *CLASSES, "malignant vs benign"}
    with pytest.raises(KeyError, match="no metric 'dice'"):
        found.get("dice", "lesion images")


@pytest.mark.parametrize(("n_cases", "groups"), [(1, ["a"]), (6, ["a"] * 6)])
def test_one_case_or_one_group_has_values_without_intervals(n_cases: int, groups: list[str]) -> None:
    table = table_of([1] * n_cases, np.tile([0.2, 0.7, 0.1], (n_cases, 1)), groups)
    accuracy = table.get("accuracy")
    assert (accuracy.value, accuracy.n, table.n_groups) == (1.0, n_cases, 1)
    assert math.isnan(accuracy.low)
    assert math.isnan(accuracy.high)
    assert accuracy.n_groups == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"target": []}, "one class index a case"),
        ({"probs": np.ones((3, 3))}, "sums to 3"),
        ({"groups": ["a"]}, r"groups has shape \(1,\) for 3 cases"),
        ({"mask_scores": stack_mask_scores([MaskScores()] * 2)}, r"mask_scores dice has shape \(2,\) for 3 cases"),
        ({"mask_scores": {"dice": np.ones(3)}}, r"mask_scores has no annotated_area_fraction; hand over dice, iou"),
        ({"classes": ("a", "b")}, "each column a name"),
        ({"classes": ("a", "a", "b")}, "each column a name"),
        ({"classes": ("a", "macro", "b")}, "rename the class"),
    ],
)
def test_refuses_arrays_that_do_not_belong_together(changed: dict[str, Any], message: str) -> None:
    given = {"target": [0, 1, 2], "probs": np.eye(3)} | changed
    with pytest.raises(DataError, match=message):
        table_of(**given)


def test_the_operating_point_by_hand() -> None:
    probs = np.eye(3)[[0, 1, 2, 2, 1]]
    above_threshold = np.array([False, True, True, False, True])
    table = table_of([0, 1, 2, 2, 2], probs, above_threshold=above_threshold)
    sensitivity, specificity = (
        table.get("operating_sensitivity", "malignant"),
        table.get("operating_specificity", "malignant"),
    )
    assert (sensitivity.value, sensitivity.n) == (2 / 3, 3)
    assert (specificity.value, specificity.n) == (1 / 2, 2)


def test_repeats_are_averaged() -> None:
    rng = np.random.default_rng(3)
    target = np.arange(60) % 3
    repeats = [ScoredCases(target, rng.dirichlet(np.ones(3) + 3 * k, 60), CLASSES) for k in range(3)]
    groups = list(range(60))
    mean = repeated_metric_table(repeats, groups, np.random.default_rng(0), 0, resamples=100)
    alone = [
        repeated_metric_table([one], groups, np.random.default_rng(0), 0, resamples=100).get("auroc", "macro").value
        for one in repeats
    ]
    assert mean.get("auroc", "macro").value == pytest.approx(np.mean(alone))
    assert np.sum(mean.confusion) == 180
    assert mean.support == (20, 20, 20)
    other = ScoredCases(target[::-1].copy(), repeats[0].probs, CLASSES)
    with pytest.raises(DataError, match="not over the same cases in one order"):
        repeated_metric_table([repeats[0], other], groups, np.random.default_rng(0), 0, resamples=10)


def test_malignant_vs_benign_leaves_normal_images_out() -> None:
    rng = np.random.default_rng(8)
    target = np.arange(90) % 3
    probs = rng.dirichlet(np.ones(3), 90)
    found = table_of(target.tolist(), probs).get("auroc", "malignant vs benign")
    lesions = target > 0
    share = probs[lesions, 2] / probs[lesions, 1:].sum(axis=1)
    assert (found.value, found.n) == (pytest.approx(metrics.roc_auc_score(target[lesions] == 2, share)), 60)
    only_normal = table_of([0, 0, 0], np.eye(3))
    assert math.isnan(only_normal.get("auroc", "malignant vs benign").value)


def test_the_descriptor_model_is_ranked_on_the_lesions_that_it_describes() -> None:
    rng = np.random.default_rng(9)
    target = np.arange(90) % 3
    says = np.where(rng.random(90) < 0.2, np.nan, rng.random(90))
    spoken = (target > 0) & ~np.isnan(says)
    probs = rng.dirichlet(np.ones(3), 90)

    def table_with(descriptor_probs: Any) -> MetricTable:
        cases = ScoredCases(target, probs, CLASSES, 2, (1, 2), descriptor_probs=descriptor_probs)
        return repeated_metric_table([cases], list(range(90)), np.random.default_rng(5), 5, 200)

    score = table_with(says).get("descriptor_auroc", "malignant vs benign")
    assert (score.value, score.n) == (
        pytest.approx(metrics.roc_auc_score(target[spoken] == 2, says[spoken])),
        int(spoken.sum()),
    )
    silent = table_with(np.full(90, np.nan))
    assert math.isnan(silent.get("descriptor_auroc", "malignant vs benign").value)


def test_the_calibration_error_lies_within_its_interval() -> None:
    rng = np.random.default_rng(4)
    probs = rng.dirichlet(np.ones(3), 120)
    target = np.array([rng.choice(3, p=row) for row in probs])  # calibrated in truth: what is left is noise
    ece = table_of(target.tolist(), probs, resamples=500).get("ece")
    assert 0 <= ece.low < ece.value < ece.high


def test_a_class_without_cases_has_no_metric_but_its_specificity() -> None:
    table = table_of([1, 1, 2, 2], np.eye(3)[[1, 0, 2, 2]])
    for metric in ("precision", "sensitivity", "f1", "auroc"):
        assert math.isnan(table.get(metric, "normal").value)
        assert math.isnan(table.get(metric, "macro").value)
    assert table.get("specificity", "normal").value == 0.75
    assert table.get("balanced_accuracy").value == 0.75
