"""How far a batch is."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q

from busight.serve.web.cases.models import WAITING, Batch, Case, Upload


def progress_of(batch: Batch) -> dict[str, Any]:
    """Return how far a batch is: files, cases, and how many of them wait, are answered, refused or failed."""
    uploads = batch.uploads.aggregate(
        n_files=Count("pk"),
        n_reading=Count("pk", filter=Q(state__in=WAITING)),
        n_refused_files=Count("pk", filter=Q(state=Upload.State.REFUSED)),
    )
    of_batch = Case.objects.filter(uploads__batch=batch).distinct()
    states = dict.fromkeys(Case.State.values, 0)
    states |= dict(of_batch.values_list("state").annotate(count=Count("pk", distinct=True)))
    total = sum(states.values())
    finished = total - states["received"] - states["running"]
    done = bool(uploads["n_files"]) and not uploads["n_reading"] and finished == total
    return {**uploads, "states": states, "total": total, "finished": finished, "is_done": done}
