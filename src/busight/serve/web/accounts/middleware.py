"""What each request passes: nothing stored by the browser, a one-time code where the role asks for it."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect

from busight.serve.web.accounts.models import User

_FREE = frozenset({"code", "login", "logout"})


class RefuseNul:
    """Refuse addresses with a NUL character, which PostgreSQL cannot hold."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        if "%00" in request.get_full_path():
            return HttpResponseBadRequest("The address holds a NUL character.", content_type="text/plain")
        return self.get_response(request)


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
        name = match.view_name if match is not None else ""
        if not name or name in _FREE or name.startswith("api"):
            return None
        if user.totpdevice_set.filter(confirmed=True).exists():  # type: ignore[attr-defined]
            return redirect("code")  # also from where a device is replaced
        asked = {role.strip() for role in settings.SITE.totp_roles.split(",")}
        return redirect("enrol") if name != "enrol" and asked & set(user.roles) else None
