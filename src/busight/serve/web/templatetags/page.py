"""Filters and tags of the pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

register = template.Library()


@register.filter
def age(moment: Any) -> str:
    """Return how long ago a moment was, short.

    Example:
        >>> from datetime import timedelta
        >>> age(timezone.now() - timedelta(minutes=5, seconds=20))
        '5 min'
    """
    seconds = max(0, int((timezone.now() - moment).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


@register.filter
def percent(value: float | None) -> str:
    """Return a share in percent, rounded; never 0 or 100 % unless it is.

    Example:
        >>> percent(0.423), percent(0.999), percent(0.001), percent(None)
        ('42 %', '> 99 %', '< 1 %', '–')
    """
    if value is None:
        return "–"
    if 0.995 <= value < 1:
        return "> 99 %"
    if 0 < value < 0.005:
        return "< 1 %"
    return f"{100 * value:.0f} %"


@register.filter
def short(digest: str) -> str:
    """Return the first digits of a digest."""
    return digest[:10]
