"""Forms of the administration."""

from __future__ import annotations

from django import forms

from busight.serve.web.administration.models import Retention


class RetentionForm(forms.ModelForm):  # type: ignore[type-arg]
    """How long cases are kept."""

    class Meta:
        """Its field."""

        model = Retention
        fields = ("days",)
        labels = {"days": "Keep cases for days"}  # noqa: RUF012 - as Django wants it
        help_texts = {"days": "After the answer; 0 keeps them for ever."}  # noqa: RUF012 - as Django wants it
