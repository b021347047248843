"""The page of the model."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from busight.metrics.table import MetricRows
from busight.serve.web.accounts.access import requires, user_of
from busight.serve.web.cases.access import SEES_CASES, visible_cases
from busight.serve.web.cases.page import card
from busight.serve.web.monitoring.statistics import statistics

_SHOWN = (
    ("auroc", "AUROC, malignant against benign"),
    ("operating_sensitivity", "sensitivity at the threshold"),
    ("operating_specificity", "specificity at the threshold"),
)


@requires(*SEES_CASES)
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
    }
    return render(request, "monitoring/model.html", context)


def _metrics() -> list[tuple[str, float | None, float | None, float | None]]:
    rows, positive = MetricRows(card().metrics), str(card().labels.positive)
    shown = []
    for name, title in _SHOWN:
        metric = rows.find(name, positive)
        if metric is not None:
            shown.append((title, metric.value, metric.low, metric.high))
    return shown
