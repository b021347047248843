"""Addresses of users' pages."""

from __future__ import annotations

from django.contrib.auth import views as auth_views
from django.urls import path

from busight.serve.web.accounts import views

urlpatterns = [
    path("login/", views.Login.as_view(), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("code/", views.code, name="code"),
    path("account/", views.account, name="account"),
    path("account/codes/", views.enrol, name="enrol"),
    path("tokens/<str:name>/", views.tokens, name="tokens"),
    path("tokens/<str:name>/<int:pk>/revoke/", views.revoke, name="revoke"),
    path("users/", views.users, name="users"),
    path("users/<str:name>/", views.user, name="user"),
]
