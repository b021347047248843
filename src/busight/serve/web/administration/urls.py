"""Addresses of the administration."""

from __future__ import annotations

from django.urls import path

from busight.serve.web.administration import views

urlpatterns = [
    path("administration/", views.administration, name="administration"),
    path("administration/backup/", views.make_backup, name="make-backup"),
    path("administration/remove/", views.remove, name="remove-old"),
]
