"""Addresses of the audit log."""

from __future__ import annotations

from django.urls import path

from busight.serve.web.audit_log import views

urlpatterns = [
    path("log/", views.log, name="log"),
    path("log/verify/", views.verify, name="log-verify"),
    path("log/export/", views.export, name="log-export"),
]
