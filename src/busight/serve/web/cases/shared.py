"""What a user sees of a case that somebody else uploaded first: the answer, and of the rest only what is the own."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from busight.serve.web.accounts.models import User
from busight.serve.web.cases.models import Case, Upload
from busight.serve.web.cases.search import found


def is_shared(case: Case, user: User) -> bool:
    """Return whether the case's name, pseudonym and note are those of another user whose batches the user sees not."""
    return not user.sees_all_cases and case.batch.owner_id != user.pk


def own_view(case: Case, user: User) -> Case:
    """Return the case, unsaved, with the name that the user gave, and without the other user's pseudonym and note."""
    if is_shared(case, user):
        origin = case.parent_id or case.pk
        own = Upload.objects.filter(cases=origin, batch__owner=user).select_related("batch__owner").first()
        case.name, case.pseudonym, case.note = (own.name if own else "image"), (own.pseudonym if own else ""), ""
        case.laterality = ""
        case.record = None if case.record is None else case.record | {"path": case.name}
        if own is not None:
            case.batch = own.batch
    return case


def found_by(cases: QuerySet[Case], words: str, user: User) -> QuerySet[Case]:
    """Return the cases that hold every word: those of others by the user's own names for them alone."""
    if user.sees_all_cases:
        return found(cases, words)
    own = cases.filter(batch__owner=user)
    named = cases.exclude(batch__owner=user)
    for word in words.split():
        mine = Q(uploads__name__icontains=word) | Q(uploads__pseudonym__icontains=word)
        named = named.filter(mine, uploads__batch__owner=user)
    return cases.filter(Q(pk__in=found(own, words).values("pk")) | Q(pk__in=named.values("pk")))
