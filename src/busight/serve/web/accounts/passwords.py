"""The hash of passwords."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes, one lane: OWASP's smallest recommended setting (Django's takes 100 MiB)."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
