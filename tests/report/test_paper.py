"""The paper's numbers, computed a second way."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support
from synthetic_record import synthetic_record

from busight.report.paper import PAPER_CLASSES, PAPER_CONFUSION, in_paper_order, paper_scores


def test_scores_of_the_papers_matrix_agree_with_scikit_learn() -> None:
    actual = np.repeat(np.repeat([0, 1, 2], 3), np.ravel(PAPER_CONFUSION))
    predicted = np.repeat(np.tile([0, 1, 2], 3), np.ravel(PAPER_CONFUSION))
    assert len(actual) == 117
    precision, recall, f1, _ = precision_recall_fscore_support(actual, predicted)
    scores = paper_scores()
    for k, name in enumerate(PAPER_CLASSES):
        own = [scores[metric, name] for metric in ("precision", "sensitivity", "f1")]
        assert own == pytest.approx([precision[k], recall[k], f1[k]])
    assert scores["accuracy", "overall"] == pytest.approx(114 / 117)


def test_our_matrix_is_turned_into_the_papers_order() -> None:
    sheet = synthetic_record(counts=(2, 5, 3), pictures=0).sheet
    turned = in_paper_order(sheet)
    assert [sum(row) for row in turned] == [5, 3, 2]
    assert turned[0][2] == sheet.confusion[1][0]
