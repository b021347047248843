"""What each request passes: nothing stored by the browser, a one-time code where the role asks for it."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from busight.serve.web.accounts.models import User

_FREE = frozenset({"code", "login", "logout", "enrol"})


class KeepNothing:
    """Let browsers store no page; images say themselves how long they are kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        answer = self.get_response(request)
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer


class RequireCode:
    """Lead users whose role asks for a one-time code to the page that wants it, before any other page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        """Redirect a logged-in user without a code."""
        user = request.user
        if not isinstance(user, User) or user.is_verified():  # type: ignore[attr-defined]
            return None
        match = request.resolver_match
        if match is None or match.view_name in _FREE or match.view_name.startswith("api"):
            return None
        asked = {name.strip() for name in settings.SITE.totp_roles.split(",")}
        has_device = user.totpdevice_set.filter(confirmed=True).exists()  # type: ignore[attr-defined]
        if has_device:
            return redirect("code")
        return redirect("enrol") if asked & set(user.roles) else None
