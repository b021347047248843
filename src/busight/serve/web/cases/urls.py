"""Addresses of cases."""

from __future__ import annotations

from django.urls import path

from busight.serve.web.cases import views

urlpatterns = [
    path("", views.start, name="start"),
    path("worklist/", views.worklist, name="worklist"),
    path("upload/", views.upload, name="upload"),
    path("batches/", views.batches, name="batches"),
    path("batches/<uuid:pk>/", views.batch, name="batch"),
    path("batches/<uuid:pk>/pause/", views.pause, name="pause"),
    path("cases/<uuid:pk>/", views.case, name="case"),
    path("cases/<uuid:pk>/review/", views.review, name="review"),
    path("cases/<uuid:pk>/region/", views.region, name="region"),
    path("cases/<uuid:pk>/note/", views.note, name="note"),
    path("cases/<uuid:pk>/<str:kind>.png", views.image, name="case-image"),
]
