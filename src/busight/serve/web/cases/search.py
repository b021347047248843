"""What of a case is searched."""

from __future__ import annotations

from django.db.models import QuerySet

from busight.serve.web.cases.models import Case

MAX_WORDS = 10
"""Words that are searched for: each is a condition of its own, and databases limit them."""


def search_text(case: Case) -> str:
    """Return everything of a case that is searched, in lower case."""
    texts = (case.name, case.pseudonym, case.label, case.note, case.model, case.device, case.laterality, case.reason)
    return " ".join(text for text in texts if text).lower()


def found(cases: QuerySet[Case], words: str) -> QuerySet[Case]:
    """Return the cases that hold every word; of more than `MAX_WORDS` the first."""
    for word in words.lower().split()[:MAX_WORDS]:
        cases = cases.filter(search__contains=word)
    return cases
