"""What the page of one case shows."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from busight.model.bundle.card import Card
from busight.model.bundle.load import load_bundle
from busight.model.installed import find_model
from busight.results.prediction_record import calibrated_probs_of
from busight.serve.web.accounts.models import User
from busight.serve.web.cases.access import visible_cases
from busight.serve.web.cases.joining import joined
from busight.serve.web.cases.models import WAITING, Case
from busight.serve.web.cases.shared import own_view
from busight.strategies.catalogue import strategy_of


@lru_cache(maxsize=1)
def card() -> Card:
    """Return the card of the site's model."""
    return load_bundle(find_model(settings.SITE.model)).card


@lru_cache(maxsize=1)
def uses_region() -> bool:
    """Return whether the model's answer depends on a region, so that a reader may move it."""
    return strategy_of(card().strategy).uses_region


def page_of(case: Case, user: User) -> dict[str, Any]:
    """Return the context of a case's page."""
    case = own_view(case, user)
    record, details = case.record or {}, case.details or {}
    probs = calibrated_probs_of(record)
    point = card().decision.threshold if case.model_digest == card().digest else None
    others = visible_cases(user).exclude(pk=case.pk)
    frames = _frames(case.parent or case, visible_cases(user))
    return {
        "case": case,
        "record": record,
        "details": details,
        "probs": [(name, value) for name, value in probs.items() if value is not None],
        "classes": list(probs),
        "prediction_set": record.get("prediction_set"),
        "warnings": record.get("warnings") or [],
        "threshold": point,
        "is_waiting": case.state in WAITING,
        "needs_details": case.state == Case.State.DONE and case.details is None,
        "size": _size(record),
        "reviews": case.reviews.select_related("reader"),
        "frames": frames,
        "best": _best(frames),
        "previous": others.filter(pseudonym=case.pseudonym, region="").order_by("-created")[:8]
        if case.pseudonym
        else [],
        "joined": joined(case, others) if case.state == Case.State.DONE else None,
        "origin": case.parent or case,
        "reruns": (case.parent or case).reruns.order_by("created"),
        "may_move": uses_region() and case.model_digest == card().digest and user.may_review,
        "neighbours": _neighbours(case, user),
    }


def _frames(case: Case, visible: QuerySet[Case]) -> list[Case]:
    """Return all frames of the same clip, in order; none for a single image."""
    if case.n_frames == 1:
        return []
    return list(visible.filter(uploads__cases=case, name=case.name, region="").order_by("frame").distinct())


def _best(frames: list[Case]) -> Case | None:
    """Return the frame with the highest probability of the positive class, the one to look at first."""
    answered = [frame for frame in frames if frame.positive_prob is not None]
    return max(answered, key=lambda frame: frame.positive_prob or 0.0, default=None)


def _size(record: dict[str, Any]) -> str:
    if record.get("box_width_mm") is not None:
        return f"{record['box_width_mm']:.1f} × {record['box_height_mm']:.1f} mm"
    if record.get("box_left") is not None:
        width, height = record["box_right"] - record["box_left"], record["box_bottom"] - record["box_top"]
        return f"{width} × {height} pixels (the file names no spacing)"
    return ""


def _neighbours(case: Case, user: User) -> dict[str, Any]:
    """Return the cases before and after in the worklist's order: flagged first, then the newest."""
    shown = case.parent or case
    ranked = visible_cases(user).filter(parent=None)
    same, first = Q(flagged=shown.flagged), ("-flagged", "-created", "pk")
    before = same & (Q(created__gt=shown.created) | Q(created=shown.created, pk__lt=shown.pk))
    after = same & (Q(created__lt=shown.created) | Q(created=shown.created, pk__gt=shown.pk))
    before, after = (before, after | Q(flagged=False)) if shown.flagged else (before | Q(flagged=True), after)
    keys = ranked.values_list("pk", flat=True)
    return {
        "place": ranked.filter(before).count() + 1,
        "total": ranked.count(),
        "before": keys.filter(before).order_by("flagged", "created", "-pk").first(),
        "after": keys.filter(after).order_by(*first).first(),
    }
