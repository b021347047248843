"""The page of the model."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from busight.metrics.table import MetricRows
from busight.serve.web.accounts.access import requires, user_of
from busight.serve.web.accounts.models import Role
from busight.serve.web.audit_log.chain import record
from busight.serve.web.cases.access import READS_CASES, visible_cases
from busight.serve.web.cases.models import Export
from busight.serve.web.cases.page import card
from busight.serve.web.monitoring.recalibration import confirmed_cases, models_folder
from busight.serve.web.monitoring.statistics import statistics

_SHOWN = (
    ("auroc", "AUROC, malignant against benign"),
    ("operating_sensitivity", "sensitivity at the threshold"),
    ("operating_specificity", "specificity at the threshold"),
)


@requires(*READS_CASES)
@require_GET
def model(request: HttpRequest) -> HttpResponse:
    """Show the model's card, and what the answers and reviews that the user sees say about it."""
    shown = card()
    cases = visible_cases(user_of(request)).filter(model_digest=shown.digest)
    found = statistics(cases, timezone.now().date())
    context = {
        "card": shown,
        "point": shown.decision.threshold,
        "metrics": _metrics(),
        "found": found,
        "sources": shown.training.sources,
        "n_confirmed": confirmed_cases(user_of(request), shown.digest).count(),
        "models": sorted(path.name for path in models_folder().glob("recalibrated-*")),
        "folder": models_folder(),
    }
    return render(request, "monitoring/model.html", context)


@requires(Role.REVIEWER)
@require_POST
def recalibrate(request: HttpRequest) -> HttpResponse:
    """Ask the worker for a model that is recalibrated on the confirmed cases that the user sees."""
    user = user_of(request)
    with transaction.atomic():
        asked = Export.objects.create(kind=Export.Kind.MODEL, asked_by=user)
        count = confirmed_cases(user, card().digest).count()
        record(user, "asked for a recalibration", asked.pk, cases=count)
    return redirect("export", asked.pk)


def _metrics() -> list[tuple[str, float | None, float | None, float | None]]:
    rows, positive = MetricRows(card().metrics), str(card().labels.positive)
    shown = []
    for name, title in _SHOWN:
        metric = rows.find(name, positive)
        if metric is not None:
            shown.append((title, metric.value, metric.low, metric.high))
    return shown
