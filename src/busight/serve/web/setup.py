"""Preparation of a site: Django, tables, users."""

from __future__ import annotations

import os
from collections.abc import Iterable

from busight.errors import ConfigError, OutputError
from busight.io.text import one_line
from busight.serve.web.site import Site


def set_up(site: Site) -> None:
    """Load Django for a site, once a process, and bring its tables up to date.

    Raises:
        ConfigError: The address of the database is none, or a key of the site is damaged.
        OutputError: The folder cannot be written, or the database does not answer.
    """
    if site.database and not site.database.startswith(("postgres://", "postgresql://")):
        raise ConfigError("--database: is not of the form postgres://USER:PASSWORD@HOST/NAME")
    try:
        site.make_folders()
        for name in ("sessions", "pseudonyms"):
            site.key(name)
    except OSError as error:
        raise OutputError(f"{site.data}: cannot be made ({error.strerror}); choose another --data") from error
    os.environ.update(site.environment())
    os.environ["DJANGO_SETTINGS_MODULE"] = "busight.serve.web.settings"
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import call_command
    from django.db.utils import DatabaseError, OperationalError

    try:
        django.setup()
    except (ImproperlyConfigured, ValueError) as error:
        raise ConfigError(f"--database: {one_line(str(error).splitlines()[0])}") from error
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except (OperationalError, DatabaseError) as error:
        where = "the database" if site.database else str(site.data / "busight.sqlite3")
        reason = str(error).strip().splitlines()[0]
        raise OutputError(f"{where}: does not answer ({reason}); check --database and the folder's rights") from error


def has_users() -> bool:
    """Return whether anybody can log in."""
    from busight.serve.web.accounts.models import User

    return User.objects.filter(is_active=True).exists()


def add_user(name: str, password: str, roles: Iterable[str]) -> None:
    """Make a user.

    Raises:
        ConfigError: The name is taken or has other characters, a role is unknown, or the password is too weak.
    """
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError
    from django.db import transaction

    from busight.serve.web.accounts.models import User
    from busight.serve.web.audit_log.chain import record

    roles = list(dict.fromkeys(roles))
    try:
        validate_password(password, User(username=name))
        with transaction.atomic():
            User.objects.create_user(name, password, roles)
            record("terminal", "made the user", name, roles=roles)
    except ValidationError as error:
        raise ConfigError(f"user {name}: {' '.join(error.messages)}") from error
