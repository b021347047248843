"""The paper's numbers, computed a second way."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support
from synthetic_record import synthetic_record

from busight.report.paper import PAPER_CLASSES, PAPER_CONFUSION, in_paper_order, paper_metrics


def test_metrics_of_the_papers_matrix_agree_with_scikit_learn() -> None:
    target = np.repeat(np.repeat([0, 1, 2], 3), np.ravel(PAPER_CONFUSION))
    prediction = np.repeat(np.tile([0, 1, 2], 3), np.ravel(PAPER_CONFUSION))
    assert len(target) == 117
    precision, recall, f1, _ = precision_recall_fscore_support(target, prediction)
    metrics = paper_metrics()
    for k, name in enumerate(PAPER_CLASSES):
        own = [metrics[metric, name] for metric in ("precision", "sensitivity", "f1")]
        assert own == pytest.approx([precision[k], recall[k], f1[k]])
    assert metrics["accuracy", "overall"] == pytest.approx(114 / 117)


def test_our_matrix_is_turned_into_the_papers_order() -> None:
    table = synthetic_record(counts=(2, 5, 3), images=0).metrics
    turned = in_paper_order(table)
    assert [sum(row) for row in turned] == [5, 3, 2]
    assert turned[0][2] == table.confusion[1][0]
