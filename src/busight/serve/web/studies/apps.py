"""The app of reader studies."""

from __future__ import annotations

from django.apps import AppConfig


class Studies(AppConfig):
    """Reader studies: cases, readers, blinded order, readings, results."""

    name = "busight.serve.web.studies"
    label = "studies"
