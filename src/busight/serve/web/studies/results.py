"""Results of a study: each reader without and with the answer, the model, and what they have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from busight.errors import DataError
from busight.metrics.classification import cohen_kappa
from busight.metrics.confusion import confusion_matrix
from busight.metrics.curves import roc_points
from busight.metrics.delong import auroc_covariance, delong_test
from busight.metrics.reader_study import (
    ReaderComparison,
    ReadersAgainstModel,
    compare_readings,
    compare_with_model,
    fleiss_kappa,
)
from busight.serve.web.share import Share
from busight.serve.web.studies.models import Reading, Study, StudyCase
from busight.serve.web.studies.reading import readings_of
from busight.types import FloatArray, IntArray

CATEGORIES = tuple(name for name, _ in Reading.CATEGORIES)
SUSPICIOUS = CATEGORIES.index("4A")
"""From this category on a biopsy is recommended: the reader calls the case positive."""
_SIDE = 240
WAYS = ("without", "with")


@dataclass(frozen=True, slots=True)
class Row:
    """One reader in one way of reading, or the model.

    Attributes:
        name: Who.
        way: ``"without"``, ``"with"`` or ``"model"``.
        auroc: Area under the ROC curve of the suspicion.
        sensitivity: Of categories 4A and above; of the model, of its threshold.
        specificity: Of the same.
        seconds: Median seconds of a reading; None for the model.
        path: The ROC curve as an SVG path in a square of 240.
    """

    name: str
    way: str
    auroc: float
    sensitivity: Share
    specificity: Share
    seconds: float | None
    path: str


@dataclass(frozen=True, slots=True)
class Results:
    """Results of a study; what needs more readers or cases is None, with the reason.

    Attributes:
        n_cases: Cases with a known truth that every reader has read.
        n_positive: Of them positive.
        rows: Readers and model.
        changes: For each reader the change of the AUROC by the answer: (name, difference, low, high, p).
        aided: Readers without and with the answer.
        against_model: Readers without the answer against the model.
        fleiss: Agreement of all readers' categories without and with the answer.
        cohen: Agreement of pairs of readers without and with the answer: (name, name, without, with).
        note: What cannot be computed, and why; empty where all can.
    """

    n_cases: int
    n_positive: int
    rows: tuple[Row, ...] = ()
    changes: tuple[tuple[str, float, float, float, float], ...] = ()
    aided: ReaderComparison | None = None
    against_model: ReadersAgainstModel | None = None
    fleiss: tuple[float, float] | None = None
    cohen: tuple[tuple[str, str, float, float], ...] = ()
    note: str = ""


def results_of(study: Study) -> Results:
    """Return the results over the cases with a known truth that every reader has read in both ways."""
    readings = list(readings_of(study))
    readers = [(reader.pk, str(reader)) for reader in study.readers.select_related("reader")]
    given = {(one.reader_id, one.case_id, one.aided): one for one in readings}
    complete = [
        case
        for case in study.cases.select_related("case")
        if case.is_positive is not None
        and all((pk, case.pk, aided) in given for pk, _ in readers for aided in (False, True))
    ]
    positive = np.array([bool(case.is_positive) for case in complete], dtype=np.bool_)
    n_cases, n_positive = len(complete), int(positive.sum())
    if n_positive < 2 or n_cases - n_positive < 2 or not readers:
        note = (
            f"{n_positive} positive and {n_cases - n_positive} negative cases with a known truth were read by "
            "everybody in both ways; at least two of each are needed"
        )
        return Results(n_cases, n_positive, note=note)
    scores, categories, seconds = _arrays(given, [pk for pk, _ in readers], complete)
    model = np.array([case.case.positive_prob for case in complete], dtype=np.float64)
    above = np.array([bool(case.case.above_threshold) for case in complete])
    groups = [case.case.pseudonym or str(case.case.pk) for case in complete]
    called = categories >= SUSPICIOUS
    rows = [
        _row(name, WAYS[way], scores[way, row], called[way, row], positive, seconds[way, row])
        for row, (_, name) in enumerate(readers)
        for way in range(2)
    ]
    rows.append(_row("the model", "model", model, above, positive, None))
    changes = []
    for row, (_, name) in enumerate(readers):
        test = delong_test(scores[0, row], scores[1, row], positive, groups)
        changes.append((name, test.difference, test.low, test.high, test.p_value))
    results = Results(n_cases, n_positive, tuple(rows), tuple(changes))
    if len(readers) < 2:
        return replace(results, note="one reader: agreement and the analysis over readers need at least two")
    try:
        aided = compare_readings(scores, positive, groups)
        against = compare_with_model(scores[0], model, positive, groups)
    except DataError as error:
        return replace(results, note=str(error))
    return replace(
        results,
        aided=aided,
        against_model=against,
        fleiss=(fleiss_kappa(categories[0]), fleiss_kappa(categories[1])),
        cohen=_pairs([name for _, name in readers], categories),
    )


def _arrays(
    given: Mapping[tuple[int, int, bool], Reading], readers: Sequence[int], cases: Sequence[StudyCase]
) -> tuple[FloatArray, IntArray, FloatArray]:
    """Return suspicion, index of the category and seconds of every reading, (2, R, N)."""
    shape = (2, len(readers), len(cases))
    scores, categories, seconds = np.empty(shape), np.empty(shape, np.int64), np.empty(shape)
    for place in np.ndindex(shape):
        way, row, column = place
        one = given[readers[row], cases[column].pk, bool(way)]
        scores[place], categories[place], seconds[place] = one.suspicion, CATEGORIES.index(one.category), one.seconds
    return scores, categories, seconds


def _pairs(names: list[str], categories: IntArray) -> tuple[tuple[str, str, float, float], ...]:
    def kappa(first: IntArray, second: IntArray) -> float:
        return float(cohen_kappa(confusion_matrix(first, second, len(CATEGORIES))))

    return tuple(
        (names[one], names[other], *(kappa(categories[way, one], categories[way, other]) for way in range(2)))  # type: ignore[misc]
        for one in range(len(names))
        for other in range(one + 1, len(names))
    )


def _row(
    name: str,
    way: str,
    score: FloatArray,
    called: NDArray[np.bool_],
    positive: NDArray[np.bool_],
    seconds: FloatArray | None,
) -> Row:
    points = roc_points(score, positive)
    steps = zip(points.false_positive_rate.tolist(), points.sensitivity.tolist(), strict=True)
    path = "M" + "L".join(f"{_SIDE * x:.1f},{_SIDE * (1 - y):.1f}" for x, y in steps)
    return Row(
        name=name,
        way=way,
        auroc=float(auroc_covariance(score[None], positive)[0][0]),
        sensitivity=Share(int(called[positive].sum()), int(positive.sum())),
        specificity=Share(int((~called[~positive]).sum()), int((~positive).sum())),
        seconds=None if seconds is None else float(np.median(seconds)),
        path=path,
    )
