"""Answers as files: tables at once, pages by the worker."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse

from busight.errors import DataError
from busight.io.csv_text import csv_text
from busight.model.explain.explained import explained
from busight.model.model import Model
from busight.report.pages.case import write_explanation
from busight.results.prediction_record import csv_line
from busight.serve.web.accounts.models import User
from busight.serve.web.audit_log.chain import record
from busight.serve.web.cases.access import visible_cases
from busight.serve.web.cases.answer import given_image
from busight.serve.web.cases.models import Batch, Case, Export
from busight.serve.web.cases.shared import own_view
from busight.types import Failure

OWN_COLUMNS = ("case", "state", "reason", "pseudonym", "laterality", "device", "reviewed", "review_label", "note")


def cases_of(batch: Batch, user: User) -> QuerySet[Case]:
    """Return the cases of a batch that a user sees, in the order of its files."""
    return visible_cases(user).filter(uploads__batch=batch).distinct().order_by("created", "frame")


def rows(cases: QuerySet[Case], user: User) -> Iterator[dict[str, Any]]:
    """Yield a row for each case: what the user sees of it here, then its prediction record."""
    for case in cases.select_related("batch").prefetch_related("reviews").iterator(500):
        case = own_view(case, user)
        last = case.last_review
        own = (
            *(str(case.pk), case.get_state_display(), case.reason, case.pseudonym, case.laterality, case.device),
            *(case.reviewed, last.label if last else "", case.note),
        )
        yield dict(zip(OWN_COLUMNS, own, strict=True)) | (case.record or {})


def columns(cases: QuerySet[Case]) -> list[str]:
    """Return the columns of a table: those of this site, then those of the records of each model."""
    names = dict.fromkeys(OWN_COLUMNS)
    answered = cases.filter(record__isnull=False).order_by()
    for digest in answered.values_list("model_digest", flat=True).distinct():
        case = answered.filter(model_digest=digest).first()
        names |= dict.fromkeys(case.record if case is not None and case.record else ())
    return list(names)


def csv_lines(cases: QuerySet[Case], user: User) -> Iterator[str]:
    """Yield CSV, the header first; the texts of a list are separated by semicolons."""
    header = columns(cases)
    yield csv_text([header])
    for row in rows(cases, user):
        yield csv_line({name: row.get(name) for name in header}) + "\n"


def parquet(cases: QuerySet[Case], user: User) -> bytes:
    """Return the rows as a Parquet file."""
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    content = io.BytesIO()
    header = columns(cases)
    table = [{name: row.get(name) for name in header} for row in rows(cases, user)]
    pq.write_table(pa.Table.from_pylist(table) if table else pa.table({name: [] for name in header}), content)
    return content.getvalue()


def table(batch: Batch, user: User, form: str, **facts: str) -> HttpResponse | StreamingHttpResponse:
    """Return the records of a batch that a user sees, and say so in the audit log.

    Args:
        batch: The batch.
        user: Who asks.
        form: ``"csv"`` or ``"parquet"``.
        facts: Further facts for the audit log.
    """
    with transaction.atomic():
        record(user, "exported a batch", batch.pk, form=form, **facts)
    cases = cases_of(batch, user)
    if form == "csv":
        return StreamingHttpResponse(csv_lines(cases, user), content_type="text/csv; charset=utf-8")
    return HttpResponse(parquet(cases, user), content_type="application/vnd.apache.parquet")


def asked(user: User, of: Case | Batch, **facts: str) -> Export:
    """Return the page of a case or the pages of a batch that a user asked for; asked of the worker where they are not.

    The page of a case is not made anew while its file is there; the pages of a batch are, once they were ready.
    """
    wanted: dict[str, Any] = (
        {"kind": Export.Kind.PDF, "case": of} if isinstance(of, Case) else {"kind": Export.Kind.ZIP, "batch": of}
    )
    with transaction.atomic():
        made = Export.objects.filter(**wanted, asked_by=user).exclude(state=Export.State.FAILED).first()
        is_ready = made is not None and made.state == Export.State.DONE
        if made is None or (is_ready and (isinstance(of, Batch) or not path_of(made).is_file())):
            made = Export.objects.create(**wanted, asked_by=user)
            record(user, "asked for pages", of.pk, export=str(made.pk), **facts)
    return made


def path_of(export: Export) -> Path:
    """Return where the file of an export lies."""
    folder: Path = settings.SITE.data / "exports"
    return folder / f"{export.pk}.{export.kind}"


def make(export: Export, model: Model, still_working: Callable[[], None]) -> None:
    """Write the file of an export: the page of a case as PDF, or the pages of a batch as a zip archive.

    Args:
        export: Taken by this worker.
        model: The model.
        still_working: Called between pages: it keeps the lease.

    Raises:
        OutputError: The folder cannot be written.
        ImageError: An image is missing.
    """
    path = path_of(export)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    work = path.with_suffix(".part")
    shutil.rmtree(work, ignore_errors=True)
    try:
        if export.case is not None:
            page = _page(export.case, model, work / "page")
            page.with_suffix(".pdf").replace(path)
            return
        assert export.batch is not None
        archive = work / "pages.zip"
        work.mkdir()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pages:
            answered = cases_of(export.batch, export.asked_by).filter(state=Case.State.DONE)
            for number, case in enumerate(answered, start=1):
                page = _page(case, model, work / str(number))
                stem = f"{number:05} {Path(case.name).stem[:80]}".replace("/", "-")
                pages.write(page.with_suffix(".pdf"), f"{stem}.pdf")
                shutil.rmtree(page.parent)
                still_working()
            pages.writestr("cases.csv", "".join(csv_lines(cases_of(export.batch, export.asked_by), export.asked_by)))
        archive.replace(path)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _page(case: Case, model: Model, folder: Path) -> Path:
    if case.model_digest != model.card.digest:
        raise DataError(f"{case.name}: was answered by another model than the one that is installed; upload it again")
    (answer,) = model.try_predict([given_image(case)], explain=True)
    if isinstance(answer, Failure):
        raise DataError(answer.reason)
    return write_explanation(explained(model, answer), folder)
