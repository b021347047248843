"""Removal of old cases, with everything of them."""

from __future__ import annotations

import time
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from busight.serve.web.administration.models import Retention
from busight.serve.web.audit_log.chain import Named, record
from busight.serve.web.cases.export import path_of
from busight.serve.web.cases.models import Batch, Case, Export, Upload

UNUSED_SECONDS = 3600
"""A file that no row names may belong to a row that is being written."""


def remove_old(who: Named | str) -> int:
    """Remove the cases whose time is over, but those of studies, then the files that nothing names.

    Returns:
        Number of cases.
    """
    days = Retention.current().days
    removed = 0
    if days:
        limit = timezone.now() - timedelta(days=days)
        over = Case.objects.filter(parent=None, finished__lt=limit).exclude(reruns__finished__gte=limit)
        over = over.filter(in_studies=None)  # a study keeps its cases
        removed = remove_cases(who, over.values_list("pk", flat=True), f"older than {days} days")
    remove_unused_files()
    return removed


def remove_cases(who: Named | str, keys: object, reason: str) -> int:
    """Remove cases with their regions, reviews and pages, and batches and uploads that hold nothing any more.

    Args:
        who: For the audit log, which keeps that they were there.
        keys: Primary keys.
        reason: For the audit log.
    """
    with transaction.atomic():
        cases = Case.objects.filter(pk__in=list(keys))  # type: ignore[call-overload]
        names = list(cases.values_list("pk", flat=True))
        if not names:
            return 0
        whole = Case.objects.filter(Q(pk__in=names) | Q(parent__in=names))
        for export in Export.objects.filter(case__in=whole):
            path_of(export).unlink(missing_ok=True)
        touched = list(Upload.objects.filter(cases__in=names).values_list("pk", flat=True).distinct())
        batches = list(Batch.objects.filter(uploads__in=touched).values_list("pk", flat=True).distinct())
        whole.delete()
        has_case = Exists(Upload.cases.through._default_manager.filter(upload=OuterRef("pk")))
        Upload.objects.filter(pk__in=touched).exclude(has_case).delete()
        Batch.objects.filter(pk__in=batches, uploads=None, cases=None).delete()
        record(who, "removed cases", "", count=len(names), reason=reason, cases=[str(pk) for pk in names[:100]])
    return len(names)


def remove_unused_files() -> int:
    """Remove images and exports that no row names; return their number."""
    site = settings.SITE
    named: set[str] = set()
    for column in ("image_file", "mask_file", "activation_file"):
        named |= set(Case.objects.exclude(**{column: ""}).values_list(column, flat=True).distinct().iterator(5000))
    exports = {path_of(export).name for export in Export.objects.all().iterator(5000)}
    count = 0
    for folder, kept in ((site.files, named), (site.data / "exports", exports)):
        for path in folder.rglob("*") if folder.is_dir() else ():
            if path.is_file() and path.name not in kept and time.time() - path.stat().st_mtime > UNUSED_SECONDS:
                path.unlink(missing_ok=True)
                count += 1
    return count
