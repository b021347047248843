"""Pages of studies."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from busight.io.csv_text import csv_text
from busight.results.prediction_record import calibrated_probs_of
from busight.serve.web.accounts.access import requires, user_of
from busight.serve.web.accounts.models import Role
from busight.serve.web.audit_log.chain import record
from busight.serve.web.cases import files
from busight.serve.web.cases.access import READS_CASES, visible_batches, visible_cases
from busight.serve.web.cases.forms import reasons_of
from busight.serve.web.cases.models import Case
from busight.serve.web.cases.page import card
from busight.serve.web.studies.forms import CasesForm, ReaderForm, ReadingForm, StudyForm
from busight.serve.web.studies.models import Reading, Study, StudyCase, StudyReader
from busight.serve.web.studies.reading import Next, hidden_from, next_reading, readings_of
from busight.serve.web.studies.results import results_of


@requires(*READS_CASES)
@require_http_methods(["GET", "POST"])
def studies(request: HttpRequest) -> HttpResponse:
    """List the studies that one owns or reads in; a reviewer makes new ones."""
    user = user_of(request)
    form = StudyForm(request.POST or None)
    if request.method == "POST":
        if not user.has_role(Role.REVIEWER):
            raise PermissionDenied("studies are made by reviewers")
        if form.is_valid():
            with transaction.atomic():
                made = form.save(commit=False)
                made.owner, made.positive = user, card().labels.positive or card().labels.names[-1]
                made.save()
                record(user, "made a study", made.pk, study=made.name)
            return redirect("study", made.pk)
    listed = Study.objects.filter(Q(owner=user) | Q(readers__reader=user)).distinct().select_related("owner")
    rows = [{"study": study, "reads": study.readers.filter(reader=user).exists()} for study in listed]
    return render(request, "studies/studies.html", {"rows": rows, "form": form})


def _own(request: HttpRequest, pk: UUID) -> Study:
    study = Study.objects.filter(pk=pk, owner=user_of(request)).first()
    if study is None:
        raise Http404("no such study of yours")
    return study


@requires(Role.REVIEWER)
@require_GET
def study(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a study to its owner: cases, readers, how far they are, and once it is closed the results."""
    shown = _own(request, pk)
    total = 2 * shown.cases.count()
    readers = [
        {"reader": reader, "done": reader.readings.count(), "total": total}
        for reader in shown.readers.select_related("reader")
    ]
    context = {
        "study": shown,
        "cases_form": CasesForm(batches=visible_batches(user_of(request))),
        "reader_form": ReaderForm(),
        "readers": readers,
        "n_cases": shown.cases.count(),
        "n_positive": shown.cases.filter(is_positive=True).count(),
        "n_unknown": shown.cases.filter(is_positive=None).count(),
        "results": results_of(shown) if shown.closed and not _is_blinded(request, shown) else None,
    }
    return render(request, "studies/study.html", context)


@requires(Role.REVIEWER)
@require_POST
def add_cases(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Add the answered cases of a batch, with the truth of a table or of reviews."""
    shown = _own(request, pk)
    form = CasesForm(request.POST, request.FILES, batches=visible_batches(user_of(request)))
    if shown.opened:
        messages.error(request, "The study is open: its cases are fixed.")
    elif not form.is_valid():
        messages.error(request, reasons_of(form))
    else:
        truth, added = form.cleaned_data["truth"], 0
        known = set(card().labels.names)
        wrong = sorted(set(truth.values()) - known)
        if wrong:
            messages.error(request, f"{wrong[0]!r} is no class of the model; known: {', '.join(card().labels.names)}")
            return redirect("study", pk)
        seen = visible_cases(user_of(request))
        cases = seen.filter(uploads__batch=form.cleaned_data["batch"], state=Case.State.DONE, region="")
        with transaction.atomic():
            for case in cases.distinct().prefetch_related("reviews"):
                review = case.last_review
                label = truth.get(case.name) or (review.label if review else "")
                is_positive = None if not label else label == shown.positive
                _, is_new = StudyCase.objects.get_or_create(
                    study=shown, case=case, defaults={"is_positive": is_positive}
                )
                added += is_new
            record(user_of(request), "added cases to a study", pk, count=added)
        messages.success(request, f"{added} cases were added.")
    return redirect("study", pk)


@requires(Role.REVIEWER)
@require_POST
def add_readers(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Add readers, each with an order of their own."""
    shown = _own(request, pk)
    form = ReaderForm(request.POST)
    if shown.opened:
        messages.error(request, "The study is open: its readers are fixed.")
    elif form.is_valid():
        with transaction.atomic():
            for reader in form.cleaned_data["readers"]:
                StudyReader.objects.get_or_create(
                    study=shown, reader=reader, defaults={"seed": secrets.randbelow(2**40)}
                )
            names = [reader.username for reader in form.cleaned_data["readers"]]
            record(user_of(request), "added readers to a study", pk, readers=names)
    return redirect("study", pk)


@requires(Role.REVIEWER)
@require_POST
def turn(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Open a study that is prepared, or close one that is open."""
    shown = _own(request, pk)
    if not shown.opened and not (shown.cases.exists() and shown.readers.exists()):
        messages.error(request, "A study needs cases and readers before it is opened.")
    elif shown.closed:
        messages.error(request, "The study is closed for good.")
    elif not shown.opened and (reader := _reads_elsewhere(shown)):
        messages.error(request, f"{reader} reads some of these cases in another open study; close that one first.")
    else:
        with transaction.atomic():
            name = "closed" if shown.opened else "opened"
            setattr(shown, name, timezone.now())
            shown.save(update_fields=[name])
            record(user_of(request), f"{name} a study", pk)
    return redirect("study", pk)


def _reads_elsewhere(study: Study) -> str:
    """Return a reader of the study who reads one of its images in another open study; empty without one."""
    pixels = study.cases.values("case__pixels")
    for reader in study.readers.select_related("reader"):
        if hidden_from(reader.reader).filter(pixels__in=pixels).exists():
            return str(reader)
    return ""


def _is_blinded(request: HttpRequest, study: Study) -> bool:
    """Return whether the user reads one of the study's images in an open study."""
    return hidden_from(user_of(request)).filter(pixels__in=study.cases.values("case__pixels")).exists()


def _reader(request: HttpRequest, pk: UUID) -> StudyReader:
    reader = StudyReader.objects.filter(study=pk, reader=user_of(request)).select_related("study").first()
    if reader is None or not reader.study.opened:
        raise Http404("no study that you read in now")
    return reader


@requires(*READS_CASES)
@require_http_methods(["GET", "POST"])
def read(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the next case to a reader, blinded, and take the reading."""
    reader = _reader(request, pk)
    if reader.study.closed:
        messages.success(request, "The study is closed. Thank you for reading.")
        return redirect("studies")
    now = next_reading(reader)
    form = ReadingForm(request.POST or None)
    if request.method == "POST" and now.case is not None:
        if request.POST.get("of") != _mark(now):
            return redirect("read", pk)  # sent twice, or from an old page: what counts is there already
        if form.is_valid():
            try:
                with transaction.atomic():
                    Reading.objects.create(case=now.case, reader=reader, aided=now.aided, **form.cleaned_data)
                    record(user_of(request), "read a case of a study", pk, place=now.place, aided=now.aided)
            except IntegrityError:
                pass  # two windows at once: the first one counts
            return redirect("read", pk)
    context = {"study": reader.study, "next": now, "form": form, "mark": _mark(now), "answer": _answer(now)}
    return render(request, "studies/read.html", context)


def _mark(now: Next) -> str:
    return "" if now.case is None else f"{now.case.pk}-{int(now.aided)}"


def _answer(now: Next) -> dict[str, Any] | None:
    """Return the model's answer where the reader is to see it."""
    if now.case is None or not now.aided:
        return None
    case = now.case.case
    told = case.record or {}
    return {"case": case, "probs": list(calibrated_probs_of(told).items()), "warnings": told.get("warnings") or []}


@requires(*READS_CASES)
@require_GET
def read_image(request: HttpRequest, pk: UUID, kind: str) -> FileResponse:
    """Return the image of the case that the reader reads now; its activation where the answer is shown."""
    now = next_reading(_reader(request, pk))
    if now.case is None or (kind == "activation" and not now.aided):
        raise Http404("nothing to read now")
    answer = None if kind == "mask" else files.open_image(now.case.case, kind)
    if answer is None:
        raise Http404("no such image")
    answer["Cache-Control"] = "no-store"  # the same address is another case soon
    return answer


@requires(Role.REVIEWER)
@require_GET
def readings_table(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Return every reading of a closed study as CSV."""
    shown = get_object_or_404(Study, pk=_own(request, pk).pk, closed__isnull=False)
    if _is_blinded(request, shown):
        raise Http404("you read some of these cases in an open study")
    rows: list[list[Any]] = [
        ["reader", "case", "name", "pseudonym", "truth", "aided", "category", "suspicion", "seconds", "read", "model"]
    ]
    rows += [
        [
            *(str(one.reader), str(one.case.case_id), one.case.case.name, one.case.case.pseudonym),
            *("" if one.case.is_positive is None else int(one.case.is_positive), int(one.aided), one.category),
            *(one.suspicion, one.seconds, one.created.isoformat(), one.case.case.positive_prob),
        ]
        for one in readings_of(shown).order_by("created")
    ]
    with transaction.atomic():
        record(user_of(request), "exported a study", pk)
    answer = HttpResponse(csv_text(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="study-{pk}.csv"'
    return answer
