"""The hash chain of the audit log: each entry holds the digest of the one before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

from django.db import transaction

from busight.io.digests import sha256_of_json
from busight.serve.web.audit_log.models import Entry, Head


class Named(Protocol):
    """A user."""

    username: str


def record(who: Named | str, action: str, what: object = "", **detail: Any) -> Entry:
    """Append an entry, in the transaction of what it tells.

    Args:
        who: The user, or the name of a program.
        action: What was done, in the past tense.
        what: To which object.
        detail: Further facts, as JSON.

    Raises:
        TransactionManagementError: There is no transaction: an entry without its deed, or the other way round, could
            remain.
    """
    head = Head.objects.select_for_update().get()
    entry = Entry(
        number=head.number + 1,
        when=datetime.now(UTC).isoformat(timespec="milliseconds"),
        who=(who if isinstance(who, str) else who.username)[:64],
        action=action,
        what=str(what)[:255],
        detail=detail,
        previous=head.digest,
    )
    entry.digest = digest_of(entry)
    entry.save(force_insert=True)
    Head.objects.filter(pk=head.pk).update(number=entry.number, digest=entry.digest)
    return entry


def digest_of(entry: Entry) -> str:
    """Return the SHA-256 of an entry with that of the one before."""
    names = ("number", "when", "who", "action", "what", "detail", "previous")
    return sha256_of_json({name: getattr(entry, name) for name in names})


def first_fault() -> str | None:
    """Return what is wrong with the chain, in one line; None where it is whole."""
    with transaction.atomic():
        head = Head.objects.select_for_update().get()
        number, digest = 0, "0" * 64
        for entry in Entry.objects.order_by("number").iterator(2000):
            if entry.number != number + 1:
                return f"entry {number + 1} is missing"
            if entry.previous != digest or entry.digest != digest_of(entry):
                return f"entry {entry.number} was changed"
            number, digest = entry.number, entry.digest
    if (head.number, head.digest) != (number, digest):
        return f"entries after {number} are missing: the log should end with {head.number}"
    return None
