"""Which role a view needs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from busight.serve.web.accounts.models import Role, User

View = Callable[..., HttpResponseBase]


def user_of(request: HttpRequest) -> User:
    """Return the user of a request; views without one are unreachable by `LoginRequiredMiddleware`."""
    return cast("User", request.user)


def requires(*roles: Role) -> Callable[[View], View]:
    """Return a decorator for views that answers 403 to users with none of the roles."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
            if not user_of(request).has_role(*roles):
                raise PermissionDenied(f"this page is for the role {' or '.join(role.label for role in roles)}")
            return view(request, *arguments, **named)

        return guarded

    return decorate
