"""Users and their roles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models


class Role(models.TextChoices):
    """What a user may do; one user may have several roles."""

    READER = "reader", "Reader"
    """Uploads images, sees the cases of the own batches, says whether the model is right."""
    REVIEWER = "reviewer", "Reviewer"
    """Sees all cases, overrides, exports."""
    ADMINISTRATOR = "administrator", "Administrator"
    """Keeps users, reads the audit log; sees no case."""
    SERVICE = "service", "Service"
    """A program with a token; no pages."""


SEES_CASES = frozenset({Role.READER, Role.REVIEWER, Role.SERVICE})


def check_roles(value: object) -> None:
    """Raise for anything but a list of different roles with at least one."""
    known = set(Role.values)
    if not isinstance(value, list) or not value or len(set(value)) != len(value) or not set(value) <= known:
        raise ValidationError(f"roles: give at least one of {', '.join(Role.values)}")
    if Role.SERVICE.value in value and len(value) > 1:
        raise ValidationError("roles: a service is a program and has no other role")


class Users(BaseUserManager["User"]):
    """Makes users."""

    def create_user(self, username: str, password: str, roles: Iterable[str]) -> User:
        """Return a new user; the password is not checked for its strength.

        Raises:
            ValidationError: A name that is taken or has other characters, or no known role.
        """
        user = self.model(username=username, roles=[str(role) for role in roles])
        user.set_password(password)
        user.full_clean()
        user.save()
        return user


class User(AbstractBaseUser):
    """A person or a program with access."""

    username = models.CharField(
        "name",
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"^\w[\w.@+-]*\Z", "name: a letter or digit, then letters, digits and . @ + - _")],
        error_messages={"unique": "name: is taken already"},
    )
    roles: models.JSONField[Any, Any] = models.JSONField(default=list, validators=[check_roles])
    is_active = models.BooleanField(default=True)
    created = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Users] = Users()
    USERNAME_FIELD = "username"

    def __str__(self) -> str:
        """Return the name."""
        return self.username

    def has_role(self, *roles: Role) -> bool:
        """Return whether the user has one of the roles."""
        return any(role.value in self.roles for role in roles)

    @property
    def sees_cases(self) -> bool:
        """Whether the user sees any case: an administrator alone sees none."""
        return self.has_role(*SEES_CASES)

    @property
    def is_service(self) -> bool:
        """Whether the user is a program, which uses tokens and has no pages."""
        return self.has_role(Role.SERVICE)

    @property
    def sees_all_cases(self) -> bool:
        """Whether the user sees the cases of others."""
        return self.has_role(Role.REVIEWER)

    @property
    def is_administrator(self) -> bool:
        """Whether the user keeps users and reads the audit log."""
        return self.has_role(Role.ADMINISTRATOR)

    @property
    def may_review(self) -> bool:
        """Whether the user may say whether the model is right."""
        return self.has_role(Role.READER, Role.REVIEWER)


class Scope(models.TextChoices):
    """What a token is for."""

    UPLOAD = "upload", "upload images"
    READ = "read", "read answers"
    REVIEW = "review", "add reviews"
    EXPORT = "export", "export tables and pages"


def check_scopes(value: object) -> None:
    """Raise for anything but a list of different scopes with at least one."""
    if not isinstance(value, list) or not value or not set(value) <= set(Scope.values):
        raise ValidationError(f"scopes: give at least one of {', '.join(Scope.values)}")


class Token(models.Model):
    """A token of a program. Only its digest is kept.

    Attributes:
        digest: SHA-256 of the token.
        last_used: The minute when it was used last.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)
    scopes: models.JSONField[Any, Any] = models.JSONField(validators=[check_scopes])
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField()
    last_used = models.DateTimeField(null=True, blank=True)

    class Meta:
        """The latest first."""

        ordering = ("-created",)

    def __str__(self) -> str:
        """Return its name."""
        return self.name
