"""Who sees which case."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest

from busight.serve.web.accounts.access import user_of
from busight.serve.web.accounts.models import Role, User
from busight.serve.web.cases.models import Batch, Case, Export, Upload

READS_CASES = (Role.READER, Role.REVIEWER)
"""Roles with the pages of cases; a service sees its own by tokens alone."""


def visible_cases(user: User) -> QuerySet[Case]:
    """Return the cases that a user sees: a reviewer all, a reader and a service those of the own uploads.

    Nobody sees a case with the pixels of one that the same user reads in an open study.
    """
    from busight.serve.web.studies.reading import hidden_from  # which imports cases

    seen = Case.objects.exclude(pixels__in=hidden_from(user).values("pixels"))
    if user.sees_all_cases:
        return seen
    if not user.sees_cases:
        return Case.objects.none()
    shared = Upload.cases.through._default_manager.filter(upload__batch__owner=user).values("case")
    return seen.filter(Q(batch__owner=user) | Q(pk__in=shared) | Q(parent__in=shared))


def visible_batches(user: User) -> QuerySet[Batch]:
    """Return the batches that a user sees."""
    if user.sees_all_cases:
        return Batch.objects.all()
    return Batch.objects.filter(owner=user) if user.sees_cases else Batch.objects.none()


def case_or_404(request: HttpRequest, pk: UUID | str) -> Case:
    """Return a case that the user sees; one of others is as if it were not there."""
    case = visible_cases(user_of(request)).select_related("batch", "batch__owner", "parent").filter(pk=pk).first()
    if case is None:
        raise Http404("no such case")
    return case


def export_or_404(request: HttpRequest, pk: UUID | str) -> Export:
    """Return a file that the user asked for, of a case that the user still sees."""
    from busight.serve.web.studies.reading import hidden_from  # which imports cases

    asked = Export.objects.select_related("case", "batch").filter(asked_by=user_of(request))
    export = asked.filter(pk=pk).first()
    if export is None:
        raise Http404("no such file of yours")
    if export.case_id:
        case_or_404(request, export.case_id)
    if export.batch_id:
        batch_or_404(request, str(export.batch_id))
        of_batch = Case.objects.filter(uploads__batch=export.batch_id)
        if of_batch.filter(pixels__in=hidden_from(user_of(request)).values("pixels")).exists():
            raise Http404("the pages hold cases that you read in an open study")
    return export


def batch_or_404(request: HttpRequest, pk: UUID | str) -> Batch:
    """Return a batch that the user sees."""
    batch = visible_batches(user_of(request)).select_related("owner").filter(pk=pk).first()
    if batch is None:
        raise Http404("no such batch")
    return batch
