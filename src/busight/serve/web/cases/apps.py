"""The app of cases."""

from __future__ import annotations

from django.apps import AppConfig


class Cases(AppConfig):
    """Uploads, batches, cases, reviews, and the queue that they are."""

    name = "busight.serve.web.cases"
    label = "cases"
