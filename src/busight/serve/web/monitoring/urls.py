"""Address of the page of the model."""

from __future__ import annotations

from django.urls import path

from busight.serve.web.monitoring import views

urlpatterns = [
    path("model/", views.model, name="model"),
    path("model/recalibrate/", views.recalibrate, name="recalibrate"),
]
