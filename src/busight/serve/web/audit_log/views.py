"""Pages of the audit log."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from busight.io.csv_text import csv_text
from busight.serve.web.accounts.access import requires, user_of
from busight.serve.web.accounts.models import Role
from busight.serve.web.audit_log.chain import first_fault, record
from busight.serve.web.audit_log.models import Entry
from busight.serve.web.cases.search import MAX_WORDS

_COLUMNS = ("number", "when", "who", "action", "what", "detail", "previous", "digest")
PAGE = 50


@requires(Role.ADMINISTRATOR)
@require_GET
def log(request: HttpRequest) -> HttpResponse:
    """Show the log, the latest first."""
    entries = Entry.objects.all()
    if who := request.GET.get("who", "").strip():
        entries = entries.filter(who=who)
    if words := request.GET.get("search", "").strip():
        for word in words.split()[:MAX_WORDS]:
            entries = entries.filter(Q(action__icontains=word) | Q(what__icontains=word))
    page = Paginator(entries, PAGE).get_page(request.GET.get("page"))
    return render(request, "audit_log/log.html", {"page": page, "who": who, "search": words})


@requires(Role.ADMINISTRATOR)
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Check the whole chain."""
    fault = first_fault()
    with transaction.atomic():
        record(user_of(request), "verified the audit log", fault=fault)
    if fault is None:
        messages.success(request, f"The chain is whole: {Entry.objects.count() - 1} entries, none changed or missing.")
    else:
        messages.error(request, f"The chain is broken: {fault}.")
    return redirect("log")


@requires(Role.ADMINISTRATOR)
@require_GET
def export(request: HttpRequest) -> StreamingHttpResponse:
    """Return the whole log as CSV, the oldest first."""
    with transaction.atomic():
        record(user_of(request), "exported the audit log")

    def lines() -> Iterator[str]:
        yield csv_text([list(_COLUMNS)])
        for entry in Entry.objects.order_by("number").iterator(2000):
            yield csv_text([[getattr(entry, name) for name in _COLUMNS]])

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="busight-audit-log.csv"'
    return answer
