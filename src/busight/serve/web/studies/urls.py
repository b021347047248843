"""Addresses of studies."""

from __future__ import annotations

from django.urls import path

from busight.serve.web.studies import views

urlpatterns = [
    path("studies/", views.studies, name="studies"),
    path("studies/<uuid:pk>/", views.study, name="study"),
    path("studies/<uuid:pk>/cases/", views.add_cases, name="study-cases"),
    path("studies/<uuid:pk>/readers/", views.add_readers, name="study-readers"),
    path("studies/<uuid:pk>/turn/", views.turn, name="study-turn"),
    path("studies/<uuid:pk>/read/", views.read, name="read"),
    path("studies/<uuid:pk>/read/<str:kind>.png", views.read_image, name="read-image"),
    path("studies/<uuid:pk>/readings.csv", views.readings_table, name="study-csv"),
]
