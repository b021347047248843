"""Who reads what next, in an order of the reader's own, blinded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db.models import QuerySet
from django.utils import timezone

from busight.serve.web.accounts.models import User
from busight.serve.web.cases.models import Case
from busight.serve.web.studies.models import Reading, Study, StudyCase, StudyReader


@dataclass(frozen=True, slots=True)
class Next:
    """What a reader reads next.

    Attributes:
        case: The case; None where there is none now.
        aided: Whether the model's answer is shown.
        done: Readings that were given.
        total: Readings in all.
        place: The case's place in the order of this reader, from 1: its only name.
        waits_until: When the washout ends, where only that is waited for.
    """

    case: StudyCase | None
    aided: bool
    done: int
    total: int
    place: int = 0
    waits_until: datetime | None = None


def next_reading(reader: StudyReader) -> Next:
    """Return what a reader reads next.

    Without a washout each case is read, then its answer is shown and it is read again. With one all cases are read
    first; the readings with the answer come in another order, each not before the washout has passed.
    """
    study = reader.study
    cases = list(study.cases.select_related("case"))
    given = {(reading.case_id, reading.aided): reading for reading in reader.readings.all()}
    done, total = len(given), 2 * len(cases)
    first = _order(cases, reader.seed)
    if study.washout == 0:
        for place, case in enumerate(first, start=1):
            for aided in (False, True):
                if (case.pk, aided) not in given:
                    return Next(case, aided, done, total, place)
        return Next(None, False, done, total)
    for place, case in enumerate(first, start=1):
        if (case.pk, False) not in given:
            return Next(case, False, done, total, place)
    waits: list[datetime] = []
    for place, case in enumerate(_order(cases, reader.seed + 1), start=1):
        if (case.pk, True) not in given:
            free = given[case.pk, False].created + timedelta(days=study.washout)
            if free <= timezone.now():
                return Next(case, True, done, total, place)
            waits.append(free)
    return Next(None, True, done, total, waits_until=min(waits, default=None))


def _order(cases: list[StudyCase], seed: int) -> list[StudyCase]:
    return [cases[place] for place in np.random.default_rng(seed).permutation(len(cases))]


def hidden_from(user: User) -> QuerySet[Case]:
    """Return the cases that a user must not see now: those that the user reads in a study that is not closed."""
    studies = Study.objects.filter(readers__reader=user, opened__isnull=False, closed=None)
    return Case.objects.filter(in_studies__study__in=studies)


def readings_of(study: Study) -> QuerySet[Reading]:
    """Return all readings of a study."""
    return Reading.objects.filter(case__study=study).select_related("reader__reader", "case__case")
