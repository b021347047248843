"""Pages of cases: worklist, upload, batches, one case."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Max, Prefetch, Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from busight.errors import OutputError
from busight.serve.web.accounts.access import requires, user_of
from busight.serve.web.audit_log.chain import record
from busight.serve.web.cases import export as exports
from busight.serve.web.cases import files
from busight.serve.web.cases.access import (
    READS_CASES,
    batch_or_404,
    case_or_404,
    export_or_404,
    visible_batches,
    visible_cases,
)
from busight.serve.web.cases.filters import ORDERS, Worklist
from busight.serve.web.cases.forms import JoinForm, NoteForm, RegionForm, ReviewForm, UploadForm, reasons_of
from busight.serve.web.cases.handler import REFUSED
from busight.serve.web.cases.intake import new_batch, receive
from busight.serve.web.cases.models import WAITING, Case, Export
from busight.serve.web.cases.page import page_of, uses_region
from busight.serve.web.cases.progress import progress_of
from busight.serve.web.cases.rerun import rerun_of
from busight.serve.web.cases.review import add_review
from busight.serve.web.cases.search import search_text
from busight.serve.web.cases.shared import is_shared, own_view

PAGE = 30


@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """Lead to the first page of a user: the worklist, or for those who see no case the users."""
    return redirect("worklist" if user_of(request).sees_cases else "users")


@requires(*READS_CASES)
@require_GET
def worklist(request: HttpRequest) -> HttpResponse:
    """List the cases; asked by htmx, return the rows alone, and nothing where they have not changed."""
    cases = visible_cases(user_of(request)).filter(parent=None)
    chosen = Worklist(user_of(request), request.GET, cases.select_related("batch__owner").order_by(*ORDERS["flagged"]))
    of_all = cases.aggregate(
        total=Count("pk"),
        waiting=Count("pk", filter=Q(state__in=WAITING)),
        all_flagged=Count("pk", filter=Q(flagged=True)),
        unreviewed=Count("pk", filter=Q(flagged=True, reviewed="")),
        changed=Max("changed"),
    )
    stamp = f"{of_all['total']}-{of_all['changed']:%s.%f}" if of_all["changed"] else "0"
    if request.htmx and request.GET.get("stamp") == stamp:  # type: ignore[attr-defined]
        return HttpResponse(status=204)
    page = Paginator(chosen.qs, PAGE).get_page(request.GET.get("page"))
    page.object_list = [own_view(case, user_of(request)) for case in page.object_list]
    query = request.GET.copy()
    for name in ("page", "stamp"):
        query.pop(name, None)
    context = {"filter": chosen, "page": page, "counts": of_all, "stamp": stamp, "query": query.urlencode()}
    template = "cases/_worklist.html" if request.htmx else "cases/worklist.html"  # type: ignore[attr-defined]
    return render(request, template, context)


@requires(*READS_CASES)
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Take files in: a script sends them one by one and is answered in JSON, a form without script sends all."""
    if request.method == "GET":
        return render(request, "cases/upload.html", {"form": UploadForm()})
    form = UploadForm(request.POST, request.FILES)
    skipped = [f"{name}: {reason}" for name, reason in request.META.get(REFUSED, [])]
    wants_json = request.headers.get("Accept", "").startswith("application/json")
    if not form.is_valid():
        if wants_json:
            return JsonResponse({"reason": " ".join(skipped) or reasons_of(form)}, status=507 if skipped else 400)
        for reason in skipped:
            messages.error(request, reason)
        return render(request, "cases/upload.html", {"form": form}, status=400)
    user, given = user_of(request), form.cleaned_data
    batch = given["batch"] and visible_batches(user).filter(pk=given["batch"], owner=user).first()
    if given["batch"] and not batch:
        reason = "The batch is not there, or not yours; begin a new one."
        return JsonResponse({"reason": reason}, status=404) if wants_json else HttpResponse(reason, status=404)
    batch = batch or new_batch(user, given["name"])
    fates: list[dict[str, Any]] = [{"name": "", "upload": None, "reason": reason} for reason in skipped]
    names = given["paths"] if len(given["paths"]) == len(given["uploads"]) else [file.name for file in given["uploads"]]
    for file, name in zip(given["uploads"], names, strict=True):
        try:
            taken = receive(batch, name, files.spooled_path(file), given["pseudonym"])
            fates.append({"name": taken.name, "upload": taken.pk, "reason": ""})
        except OutputError as error:
            fates.append({"name": name, "upload": None, "reason": str(error)})
    if wants_json:
        return JsonResponse({"batch": str(batch.pk), "address": f"/batches/{batch.pk}/", "files": fates})
    for fate in fates:
        if fate["reason"]:
            messages.error(request, fate["reason"])
    return redirect("batch", batch.pk)


@requires(*READS_CASES)
@require_GET
def batches(request: HttpRequest) -> HttpResponse:
    """List the batches with their progress."""
    listed = visible_batches(user_of(request)).select_related("owner")
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    rows = [{"batch": batch, **progress_of(batch)} for batch in page]
    return render(request, "cases/batches.html", {"page": page, "rows": rows})


@requires(*READS_CASES)
@require_GET
def batch(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a batch: the fate of each file, and its cases."""
    shown = batch_or_404(request, pk)
    listed = shown.uploads.prefetch_related(Prefetch("cases", visible_cases(user_of(request))))
    uploads = Paginator(listed, 100).get_page(request.GET.get("page"))
    context = {"batch": shown, "uploads": uploads, **progress_of(shown)}
    template = "cases/_batch.html" if request.htmx else "cases/batch.html"  # type: ignore[attr-defined]
    return render(request, template, context)


@requires(*READS_CASES)
@require_POST
def pause(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Let a batch wait, or go on."""
    shown = batch_or_404(request, pk)
    with transaction.atomic():
        shown.paused = not shown.paused
        shown.save(update_fields=["paused"])
        record(user_of(request), "paused a batch" if shown.paused else "went on with a batch", pk)
    return redirect("batch", pk)


@requires(*READS_CASES)
@require_GET
def case(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show one case; asked by htmx, the answer alone."""
    shown = case_or_404(request, pk)
    if shown.details is None and shown.wanted is None and shown.state == Case.State.DONE:
        Case.objects.filter(pk=shown.pk).update(wanted=timezone.now())
    if not request.htmx:  # type: ignore[attr-defined]
        with transaction.atomic():
            record(user_of(request), "opened a case", pk)
    context = page_of(shown, user_of(request))
    template = "cases/_answer.html" if request.htmx else "cases/case.html"  # type: ignore[attr-defined]
    return render(request, template, context)


@requires(*READS_CASES)
@require_POST
def review(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Add a review."""
    shown = case_or_404(request, pk)
    form = ReviewForm(request.POST, case=shown)
    if shown.state != Case.State.DONE:
        messages.error(request, "There is no answer to review.")
    elif form.is_valid():
        add_review(shown, user_of(request), **form.cleaned_data)
    else:
        messages.error(request, reasons_of(form))
    return redirect("case", pk)


@requires(*READS_CASES)
@require_POST
def region(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask the model again, about the region that the reader points at; the same region is the same case."""
    shown = case_or_404(request, pk)
    origin = shown.parent or shown
    form = RegionForm(request.POST, case=origin)
    if not form.is_valid():
        messages.error(request, reasons_of(form))
        return redirect("case", pk)
    if not uses_region():
        messages.error(request, "This model's answer does not depend on a region.")
        return redirect("case", pk)
    with transaction.atomic():
        moved, is_new = rerun_of(origin, form.cleaned_data["region"])
        if is_new:
            record(user_of(request), "moved the region of a case", pk, region=moved.region, case=str(moved.pk))
    return redirect("case", moved.pk)


@requires(*READS_CASES)
@require_POST
def join(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say that further images show the same lesion, or that they do not any more."""
    shown = case_or_404(request, pk)
    known = visible_cases(user_of(request)).filter(pseudonym=shown.pseudonym, region="").exclude(pk=pk)
    form = JoinForm(request.POST, cases=known if shown.pseudonym else known.none())
    if form.is_valid():
        chosen = form.cleaned_data["views"]
        with transaction.atomic():
            if shown.lesion is not None:
                known.filter(lesion=shown.lesion).update(lesion=None)
            shown.lesion = uuid4() if chosen else None
            shown.save(update_fields=["lesion", "changed"])
            chosen.update(lesion=shown.lesion)
            record(user_of(request), "joined views of a lesion", pk, views=[str(view.pk) for view in chosen])
    return redirect("case", pk)


@requires(*READS_CASES)
@require_POST
def note(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change the note of a case."""
    shown = case_or_404(request, pk)
    form = NoteForm(request.POST, instance=shown)
    if is_shared(shown, user_of(request)):
        messages.error(request, "Somebody else uploaded this image first: the note is theirs.")
    elif form.is_valid():
        with transaction.atomic():
            changed = form.save(commit=False)
            changed.search = search_text(changed)
            changed.save(update_fields=["note", "search", "changed"])
            record(user_of(request), "changed a note", pk)
    return redirect("case", pk)


@requires(*READS_CASES)
@require_GET
@cache_control(private=True, max_age=86400)
def image(request: HttpRequest, pk: UUID, kind: str) -> FileResponse:
    """Return a file of a case: ``image``, ``mask`` or ``activation``."""
    answer = files.open_image(case_or_404(request, pk), kind)
    if answer is None:
        raise Http404("no such image")
    return answer


@requires(*READS_CASES)
@require_GET
def batch_table(request: HttpRequest, pk: UUID, form: str) -> StreamingHttpResponse | HttpResponse:
    """Return the records of a batch as CSV or Parquet."""
    answer = exports.table(batch_or_404(request, pk), user_of(request), form)
    answer["Content-Disposition"] = f'attachment; filename="batch-{pk}.{form}"'
    return answer


@requires(*READS_CASES)
@require_POST
def ask_export(request: HttpRequest, of: str, pk: UUID) -> HttpResponse:
    """Ask for the page of a case or the pages of a batch; where they are ready already, they are not made anew."""
    made = exports.asked(user_of(request), (case_or_404 if of == "case" else batch_or_404)(request, pk))
    return redirect("export", made.pk)


@requires(*READS_CASES)
@require_GET
def export(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show how far a file is; asked by htmx, that alone."""
    shown = export_or_404(request, pk)
    template = "cases/_export.html" if request.htmx else "cases/export.html"  # type: ignore[attr-defined]
    return render(request, template, {"export": shown})


@requires(*READS_CASES)
@require_GET
def export_file(request: HttpRequest, pk: UUID) -> FileResponse:
    """Return a file that is ready."""
    shown = export_or_404(request, pk)
    path = exports.path_of(shown)
    if shown.state != Export.State.DONE or not path.is_file():
        raise Http404("the file is not ready")
    name = f"{shown.case or shown.batch}.{shown.kind}".replace("/", "-")
    return FileResponse(path.open("rb"), as_attachment=True, filename=name)
