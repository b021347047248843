"""All addresses of the web application."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path

from busight.serve.web.api.api import api

_api, _app_name, _namespace = api.urls
for _pattern in _api:  # a token stands for the login
    if _pattern.callback is not None:
        _pattern.callback = login_not_required(_pattern.callback)

urlpatterns = [
    path("api/v1/", (_api, _app_name, _namespace)),
    path("", include("busight.serve.web.cases.urls")),
    path("", include("busight.serve.web.accounts.urls")),
    path("", include("busight.serve.web.audit_log.urls")),
    path("", include("busight.serve.web.administration.urls")),
    path("", include("busight.serve.web.studies.urls")),
    path("", include("busight.serve.web.monitoring.urls")),
]
