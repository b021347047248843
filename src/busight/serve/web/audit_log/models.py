"""Entries of the audit log."""

from __future__ import annotations

from typing import Any

from django.db import models


class Entry(models.Model):
    """One line of the audit log. The database itself refuses to change or remove one (migration 0001)."""

    number = models.PositiveBigIntegerField(primary_key=True)
    when = models.CharField(max_length=32)
    """UTC, ISO 8601: part of the digest, so a text."""
    who = models.CharField(max_length=64)
    action = models.CharField(max_length=64)
    what = models.CharField(max_length=255, blank=True)
    detail: models.JSONField[Any, Any] = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        """The latest first."""

        ordering = ("-number",)

    def __str__(self) -> str:
        """Return the line."""
        return f"{self.when} {self.who} {self.action} {self.what}".rstrip()


class Head(models.Model):
    """The last entry: one row, locked by whoever writes the next."""

    number = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, default="0" * 64)
