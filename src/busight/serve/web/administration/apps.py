"""The app of what an administrator keeps in order."""

from __future__ import annotations

from django.apps import AppConfig


class Administration(AppConfig):
    """Retention, backup and restore."""

    name = "busight.serve.web.administration"
    label = "administration"
