"""Forms of users."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from busight.serve.web.accounts.models import Role, Scope, User
from busight.serve.web.accounts.tokens import DAYS


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new user."""

    roles = forms.MultipleChoiceField(
        choices=[(role.value, role.label) for role in Role], widget=forms.CheckboxSelectMultiple
    )
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), help_text="At least 12 characters."
    )

    class Meta:
        """Its fields."""

        model = User
        fields = ("username", "roles")

    def clean(self) -> dict[str, Any]:
        """Check the password against the name too."""
        cleaned = super().clean() or {}
        if "password" in cleaned:
            try:
                validate_password(cleaned["password"], User(username=cleaned.get("username", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned

    def save(self, commit: bool = True) -> User:
        """Return the new user."""
        user: User = super().save(commit=False)
        user.roles = self.cleaned_data["roles"]
        user.set_password(self.cleaned_data["password"])
        if commit:
            user.save()
        return user


class RolesForm(forms.ModelForm):  # type: ignore[type-arg]
    """Roles of a user, and whether the user may log in."""

    roles = forms.MultipleChoiceField(
        choices=[(role.value, role.label) for role in Role], widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        """Its fields."""

        model = User
        fields = ("roles", "is_active")
        labels = {"is_active": "may log in"}  # noqa: RUF012 - as Django wants it


class TokenForm(forms.Form):
    """A new token."""

    name = forms.CharField(max_length=64, help_text="What it is for.")
    scopes = forms.MultipleChoiceField(choices=Scope.choices, widget=forms.CheckboxSelectMultiple)
    days = forms.IntegerField(label="Valid for days", min_value=1, max_value=730, initial=DAYS)


class CodeForm(forms.Form):
    """A one-time code."""

    code = forms.CharField(
        min_length=6,
        max_length=6,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True}),
    )
