"""Reviews: added, never changed."""

from __future__ import annotations

from django.db import transaction

from busight.serve.web.accounts.models import User
from busight.serve.web.audit_log.chain import record
from busight.serve.web.cases.models import Case, Review


def add_review(case: Case, reader: User, verdict: str, label: str, reason: str) -> None:
    """Add a checked review, and say so in the audit log."""
    with transaction.atomic():
        Review.objects.create(case=case, reader=reader, verdict=verdict, label=label, reason=reason)
        case.reviewed = verdict
        case.save(update_fields=["reviewed", "changed"])
        record(reader, f"{verdict} a case", case.pk)  # what is said of the case is no business of administrators
