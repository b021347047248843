"""All addresses of the web application."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("busight.serve.web.cases.urls")),
    path("", include("busight.serve.web.accounts.urls")),
    path("", include("busight.serve.web.audit_log.urls")),
]
