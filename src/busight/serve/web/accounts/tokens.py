"""Tokens of programs."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from busight.serve.web.accounts.models import Token, User

DAYS = 365
PREFIX = "bus_"
"""By which scanners of source code find a token that was published."""


def make_token(user: User, name: str, scopes: Iterable[str], days: int = DAYS) -> tuple[Token, str]:
    """Return a new token and its text, which is known now and never again.

    Raises:
        ValidationError: No name, or no known scope.
    """
    text = PREFIX + secrets.token_urlsafe(32)
    expires = timezone.now() + timedelta(days=days)
    token = Token(user=user, name=name, digest=_digest(text), scopes=list(scopes), expires=expires)
    token.full_clean()
    token.save()
    return token, text


def find_token(text: str) -> Token | None:
    """Return the token of a text; None where it is unknown or has run out, or its user may not log in."""
    now = timezone.now()
    token = Token.objects.select_related("user").filter(digest=_digest(text), expires__gt=now).first()
    if token is None or not token.user.is_active:
        return None
    if token.last_used is None or now - token.last_used > timedelta(minutes=1):
        Token.objects.filter(pk=token.pk).update(last_used=now)
    return token


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
