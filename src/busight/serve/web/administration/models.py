"""Settings of the site that an administrator changes while it runs."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models


class Retention(models.Model):
    """How long cases are kept: one row.

    Attributes:
        days: After the answer; 0 for ever.
    """

    days = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(36500)])

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.days} days" if self.days else "for ever"

    @classmethod
    def current(cls) -> Retention:
        """Return the row."""
        return cls.objects.get_or_create(pk=1)[0]
