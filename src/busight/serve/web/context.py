"""What every page of the web application knows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from busight._version import __version__


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the version, and the name of the current page's view for the navigation."""
    match = request.resolver_match
    return {"version": __version__, "view_name": match.view_name if match else ""}
