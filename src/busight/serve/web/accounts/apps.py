"""The app of users."""

from __future__ import annotations

from django.apps import AppConfig


class Accounts(AppConfig):
    """Users, their roles and their tokens."""

    name = "busight.serve.web.accounts"
    label = "accounts"
