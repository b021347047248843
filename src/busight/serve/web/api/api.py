"""The interface for programs: upload, poll, result, review, export; OpenAPI at ``/api/v1/openapi.json``."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import Prefetch
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import File, Form, NinjaAPI, Query
from ninja.errors import HttpError, ValidationError
from ninja.files import UploadedFile
from ninja.security import HttpBearer
from ninja.throttling import AuthRateThrottle

from busight._version import __version__
from busight.errors import OutputError
from busight.io.text import one_line
from busight.serve.web.accounts.models import SEES_CASES, Scope, Token, User
from busight.serve.web.accounts.tokens import find_token
from busight.serve.web.api.schema import (
    BatchOut,
    CaseDetail,
    CasePage,
    Problem,
    Refused,
    ReviewIn,
    Uploaded,
    UploadOut,
)
from busight.serve.web.cases import export as exports
from busight.serve.web.cases import files
from busight.serve.web.cases.access import visible_batches, visible_cases
from busight.serve.web.cases.forms import ReviewForm, reasons_of
from busight.serve.web.cases.handler import REFUSED
from busight.serve.web.cases.intake import new_batch, receive
from busight.serve.web.cases.models import Batch, Case, Export
from busight.serve.web.cases.progress import progress_of
from busight.serve.web.cases.review import add_review
from busight.serve.web.cases.shared import found_by, own_view

RATE = "1200/m"
"""Requests of one token."""
MAX_PAGE = 500
_UUID = r"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$"


class _Bearer(HttpBearer):
    """``Authorization: Bearer TOKEN``."""

    openapi_description = "A token that a user made under Account, or an administrator for a service."

    def authenticate(self, request: HttpRequest, token: str) -> Token | None:
        """Return the token; None where it is not valid."""
        return find_token(token)


class _Rate(AuthRateThrottle):
    def get_cache_key(self, request: HttpRequest) -> str:
        return f"api-{request.auth.pk}"  # type: ignore[attr-defined]


api = NinjaAPI(
    title="BUSight",
    version=__version__,
    description="Answers of a breast-ultrasound model. Research use only: not a medical device, not for diagnosis.",
    auth=_Bearer(),
    throttle=[_Rate(RATE)],
    urls_namespace="api",
    docs_url=None,
)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Say what is wrong with a request in one line."""
    reasons = (f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors)
    return api.create_response(request, {"detail": one_line("; ".join(reasons))}, status=422)


PROBLEMS = dict.fromkeys((400, 401, 403, 404, 422, 429), Problem)


def _user(request: HttpRequest, scope: Scope) -> User:
    """Return the user of a token with a scope.

    Raises:
        HttpError: 403, the token is not for this, or its user sees no cases.
    """
    token: Token = request.auth  # type: ignore[attr-defined]
    if scope.value not in token.scopes:
        raise HttpError(403, f"this token is not for it; make one with the scope {scope.value}")
    if not token.user.has_role(*SEES_CASES):
        raise HttpError(403, "the user of this token sees no cases")
    return token.user


def _case(request: HttpRequest, scope: Scope, pk: UUID) -> Case:
    case = visible_cases(_user(request, scope)).select_related("batch").filter(pk=pk).first()
    if case is None:
        raise HttpError(404, "no such case")
    return case


def _batch(request: HttpRequest, scope: Scope, pk: UUID) -> Batch:
    batch = visible_batches(_user(request, scope)).filter(pk=pk).first()
    if not batch:
        raise HttpError(404, "no such batch")
    return batch


@api.post("/uploads", response={201: Uploaded, 507: Problem, **PROBLEMS}, summary="Upload files")
def upload(
    request: HttpRequest,
    uploads: Annotated[list[UploadedFile], File(min_length=1)],
    name: Annotated[str, Form(max_length=120)] = "",
    pseudonym: Annotated[str, Form(max_length=64)] = "",
    batch: Annotated[str, Form(pattern=_UUID, description="One's own batch to add to; a new one without.")] = "",
) -> tuple[int, Any]:
    """Upload images, DICOM files or zip archives, into a new batch or one of one's own."""
    user = _user(request, Scope.UPLOAD)
    skipped = [Refused(name=file, reason=f"{file}: {reason}") for file, reason in request.META.get(REFUSED, [])]
    if not batch:
        into = new_batch(user, name, by="program")
    else:
        into = _batch(request, Scope.UPLOAD, UUID(batch))
        if into.owner_id != user.pk:
            raise HttpError(403, "the batch belongs to somebody else")
    taken, refused = [], skipped
    for file in uploads:
        try:
            taken.append(receive(into, file.name or "unnamed", files.spooled_path(file), pseudonym).pk)
        except OutputError as error:
            refused.append(Refused(name=file.name or "unnamed", reason=str(error)))
    return 201, Uploaded(batch=into.pk, uploads=taken, refused=refused)


@api.get("/batches/{pk}", response={200: BatchOut, **PROBLEMS}, summary="How far a batch is")
def batch(request: HttpRequest, pk: UUID) -> BatchOut:
    """Return the fate of each file, and how many cases are in each state."""
    shown = _batch(request, Scope.READ, pk)
    progress = progress_of(shown)
    rows = shown.uploads.prefetch_related(Prefetch("cases", visible_cases(_user(request, Scope.READ))))
    uploads = [
        UploadOut.model_validate(
            {name: getattr(one, name) for name in ("id", "name", "state", "reason")}
            | {"cases": [case.pk for case in one.cases.all()]}
        )
        for one in rows
    ]
    return BatchOut(
        id=shown.pk,
        name=shown.name,
        paused=shown.paused,
        created=shown.created,
        is_done=progress["is_done"],
        states=progress["states"],
        uploads=uploads,
    )


@api.get("/cases", response={200: CasePage, **PROBLEMS}, summary="List cases")
def cases(
    request: HttpRequest,
    state: Literal["", "received", "running", "done", "refused", "failed"] = "",
    search: str = "",
    flagged: bool | None = None,
    batch: UUID | None = None,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
) -> dict[str, Any]:
    """Return the cases that the token's user sees, the newest first."""
    user = _user(request, Scope.READ)
    rows = found_by(visible_cases(user).select_related("batch"), search, user)
    rows = rows.filter(state=state) if state else rows
    rows = rows if flagged is None else rows.filter(flagged=flagged)
    rows = rows if batch is None else rows.filter(uploads__batch=batch).distinct()
    return {
        "total": rows.count(),
        "cases": [own_view(case, user) for case in rows.order_by("-created", "pk")[offset : offset + limit]],
    }


@api.get("/cases/{pk}", response={200: CaseDetail, **PROBLEMS}, summary="One case")
def case(request: HttpRequest, pk: UUID) -> Case:
    """Return a case with its record and descriptors."""
    return own_view(_case(request, Scope.READ, pk), _user(request, Scope.READ))


@api.get("/cases/{pk}/{kind}.png", response={200: bytes, **PROBLEMS}, summary="An image of a case")
def image(request: HttpRequest, pk: UUID, kind: Literal["image", "mask", "activation"]) -> FileResponse:
    """Return the image, the mask or the activation map as PNG: kind is image, mask or activation."""
    answer = files.open_image(_case(request, Scope.READ, pk), kind)
    if answer is None:
        raise HttpError(404, "no such image")
    return answer


@api.post("/cases/{pk}/reviews", response={201: CaseDetail, 409: Problem, **PROBLEMS}, summary="Review a case")
def review(request: HttpRequest, pk: UUID, given: ReviewIn) -> tuple[int, Case]:
    """Add a review: agreed, disagreed with a reason, or overridden with a class and a reason."""
    shown = _case(request, Scope.REVIEW, pk)
    user = _user(request, Scope.REVIEW)
    if not user.may_review:
        raise HttpError(403, "the user of this token is no reader")
    if shown.state != Case.State.DONE:
        raise HttpError(409, "there is no answer to review")
    form = ReviewForm(given.dict(), case=shown)
    if not form.is_valid():
        raise HttpError(422, reasons_of(form))
    add_review(shown, user, **form.cleaned_data)
    return 201, own_view(shown, user)


@api.get("/batches/{pk}/table.{form}", response={200: bytes, **PROBLEMS}, summary="Records of a batch")
def table(request: HttpRequest, pk: UUID, form: Literal["csv", "parquet"]) -> HttpResponse | StreamingHttpResponse:
    """Return the records of a batch: form is csv or parquet."""
    return exports.table(_batch(request, Scope.EXPORT, pk), _user(request, Scope.EXPORT), form, by="program")


@api.get(
    "/cases/{pk}/page.pdf", response={200: bytes, 202: Problem, 409: Problem, **PROBLEMS}, summary="Page of a case"
)
def page(request: HttpRequest, pk: UUID) -> Any:
    """Return the page of a case as PDF; 202 while the worker makes it: ask again."""
    shown = _case(request, Scope.EXPORT, pk)
    if shown.state != Case.State.DONE:
        raise HttpError(409, "there is no answer to make a page of")
    made = exports.asked(_user(request, Scope.EXPORT), shown, by="program")
    if made.state == Export.State.DONE:
        return FileResponse(exports.path_of(made).open("rb"), content_type="application/pdf")
    return 202, Problem(detail="the page is being made; ask again in a second")
