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
    path("batches/<uuid:pk>/table.csv", views.batch_table, {"form": "csv"}, name="batch-csv"),
    path("batches/<uuid:pk>/table.parquet", views.batch_table, {"form": "parquet"}, name="batch-parquet"),
    path("batches/<uuid:pk>/pages/", views.ask_export, {"of": "batch"}, name="batch-pages"),
    path("cases/<uuid:pk>/page/", views.ask_export, {"of": "case"}, name="case-page"),
    path("exports/<uuid:pk>/", views.export, name="export"),
    path("exports/<uuid:pk>/file/", views.export_file, name="export-file"),
    path("cases/<uuid:pk>/", views.case, name="case"),
    path("cases/<uuid:pk>/review/", views.review, name="review"),
    path("cases/<uuid:pk>/region/", views.region, name="region"),
    path("cases/<uuid:pk>/join/", views.join, name="join"),
    path("cases/<uuid:pk>/note/", views.note, name="note"),
    path("cases/<uuid:pk>/<str:kind>.png", views.image, name="case-image"),
]
