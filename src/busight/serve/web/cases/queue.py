"""The queue: rows are taken with a lease, and taken back where the lease has run out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from busight.serve.web.audit_log.chain import record
from busight.serve.web.cases.models import Case, Export, Leased, Upload

LEASE = timedelta(seconds=60)
MAX_TRIES = 3
"""A row that was begun so often and never finished is given up: it may be what kills the worker."""

_GIVEN_UP = f"was begun {MAX_TRIES} times and never finished; the worker died each time"

RowT = TypeVar("RowT", bound=Leased)


def take_uploads(worker: str, count: int) -> list[Upload]:
    """Take files to read, the oldest first."""
    return _take(Upload.objects.filter(state=Upload.State.RECEIVED).order_by("id"), worker, count)


def take_cases(worker: str, count: int) -> list[Case]:
    """Take cases to predict, the oldest first; regions that a reader moved, who waits for them, before all others."""
    waiting = Case.objects.filter(state=Case.State.RECEIVED, batch__paused=False)
    moved = _take(waiting.exclude(region="").order_by("created"), worker, count)
    return moved or _take(waiting.order_by("created"), worker, count)


def take_export(worker: str) -> Export | None:
    """Take one file to make."""
    rows = _take(Export.objects.filter(state=Export.State.RECEIVED).order_by("created"), worker, 1)
    return rows[0] if rows else None


def keep(row: Leased, worker: str) -> None:
    """Keep a row that takes longer than a lease."""
    rows: QuerySet[Any] = type(row)._default_manager.filter(pk=row.pk, worker=worker)
    rows.update(lease_until=timezone.now() + LEASE)


def _take(waiting: QuerySet[RowT], worker: str, count: int) -> list[RowT]:
    if not waiting.exists():  # most of the time: an idle worker begins no transaction
        return []
    taken = {"state": "running", "worker": worker, "lease_until": timezone.now() + LEASE}
    with transaction.atomic():
        if connection.features.has_select_for_update_skip_locked:
            waiting = waiting.select_for_update(skip_locked=True, of=("self",))
        rows = list(waiting[:count])
        of_rows: QuerySet[Any] = waiting.model._default_manager.filter(pk__in=[row.pk for row in rows])
        of_rows.update(**taken, tries=F("tries") + 1, changed=timezone.now())
    for row in rows:
        row.tries += 1
        for name, value in taken.items():
            setattr(row, name, value)
    return rows


def is_held(row: Leased, worker: str) -> bool:
    """Return whether the worker still has the row, and keep others from it until the transaction ends."""
    rows: QuerySet[Any] = type(row)._default_manager.filter(pk=row.pk)
    return bool(rows.select_for_update().filter(worker=worker, state="running").values_list("pk"))


def release(row: Leased) -> None:
    """Let go of a row that is finished, without saving it."""
    row.worker, row.lease_until = "", None


def take_back(own: str = "") -> int:
    """Give rows back to the queue whose lease has run out, and those of a worker of this name that is dead.

    Args:
        own: Name of the worker that starts: what it held in its last life is free at once.

    Returns:
        Number of rows.
    """
    kinds = ((Upload, Upload.State.REFUSED), (Case, Case.State.FAILED), (Export, Export.State.FAILED))
    return sum(_take_back(kind, given_up, own) for kind, given_up in kinds)


def _take_back(kind: type[Leased], given_up: str, own: str) -> int:
    with transaction.atomic():
        rows_of: QuerySet[Any] = kind._default_manager.all()
        running = rows_of.filter(state="running")
        lost = running.filter(lease_until__lt=timezone.now())
        if own:
            lost = lost | running.filter(worker=own)
        rows = list(lost.select_for_update())
        for row in rows:
            release(row)
            row.state = "received"
            if row.tries >= MAX_TRIES:
                row.state, row.reason = given_up, f"{row.name}: {_GIVEN_UP}"
                record("worker", f"gave up the {kind.__name__.lower()}", row.pk)
            row.save()
    return len(rows)
