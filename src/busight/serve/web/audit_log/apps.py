"""The app of the audit log."""

from __future__ import annotations

from django.apps import AppConfig


class AuditLog(AppConfig):
    """Who did what when, append-only."""

    name = "busight.serve.web.audit_log"
    label = "audit_log"
