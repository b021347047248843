"""From a case to the model's answer and back into its row."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.utils import timezone

from busight.descriptors.lexicon import Description
from busight.model.explain.explained import explained
from busight.model.model import Model
from busight.results.prediction_record import record_of
from busight.segment.prompt import proposal_at
from busight.segment.roi import bounding_box
from busight.serve.web.cases import files
from busight.serve.web.cases.models import Case
from busight.serve.web.cases.search import search_text
from busight.strategies.strategy import grey_of
from busight.types import Failure, Image, ImageRef, InputImage, Prediction, Rejected, Roi, prediction_of


def given_image(case: Case) -> InputImage:
    """Return the image of a case as the model takes it.

    Raises:
        ImageError: Its file is missing or damaged.
        DataError: Its region is a click outside the image.
    """
    ref = ImageRef(
        case.name,
        case.frame,
        pixel_spacing_mm=case.spacing_mm,
        origin=tuple(case.origin) or (0, 0),
        scale=tuple(case.scale) or (1.0, 1.0),
    )
    pixels = files.read_png(case.image_file)
    return InputImage(pixels, ref, tuple(case.input_warnings), case.coloured, region_of(case, pixels))


def region_of(case: Case, pixels: Image) -> Roi | None:
    """Return the region of a case that a reader chose, of a click the region around it; None without one."""
    if not case.region:
        return None
    numbers = [int(part) for part in case.region.split(",")]
    if len(numbers) == 4:
        return Roi(*numbers)
    return bounding_box(proposal_at(grey_of(pixels), *numbers).mask)


def fill(case: Case, answer: Prediction | Rejected | Failure, model: Model) -> None:
    """Write an answer into a case's row, unsaved, and its images to their files.

    Raises:
        OutputError: An image cannot be written.
    """
    case.finished = timezone.now()
    case.record = record_of(answer, model.card)
    if isinstance(answer, Failure):
        fail(case, answer.reason)
        return
    if isinstance(answer, Rejected):
        case.state, case.reason = Case.State.REFUSED, answer.reason[:500]
    else:
        case.state, case.reason = Case.State.DONE, ""
        case.label, case.positive_prob = answer.label, answer.positive_prob
        case.above_threshold, case.flagged = answer.above_threshold, bool(answer.above_threshold)
        if answer.mask is not None:
            case.mask_file, case.outline = files.save_png(files.mask_image(answer.mask)), files.outline_of(answer.mask)
    case.search = search_text(case)


def fail(case: Case, reason: str) -> None:
    """Write into a case's row, unsaved, that it cannot be answered."""
    case.state, case.reason, case.finished = Case.State.FAILED, reason[:500], timezone.now()
    case.search = search_text(case)


def activation_of(answer: Prediction | Rejected) -> str:
    """Save the class-activation map of an answer and return its name; empty where the model gives none.

    Raises:
        OutputError: It cannot be written.
    """
    activation = prediction_of(answer).activation
    return "" if activation is None else files.save_png(files.activation_image(activation))


def details_of(model: Model, answer: Prediction | Rejected) -> dict[str, Any]:
    """Return what the page of a case shows besides: descriptors, descriptor model, similar training images, as JSON."""
    told = explained(model, answer)
    evidence = prediction_of(answer).descriptors
    return {
        "undescribed": told.undescribed,
        "description": None if told.description is None else _description(told.description),
        "evidence": None
        if evidence is None
        else {
            "prob_positive": evidence.prob_positive,
            "from_proposal": evidence.from_proposal,
            "contributions": [[name, round(change, 4)] for name, change in evidence.contributions[:6]],
        },
        "similar": [[one.sample_id, one.label, round(one.likeness, 4)] for one in told.similar],
    }


def _description(found: Description) -> dict[str, Any]:
    return {
        "descriptors": [
            {
                "term": one.term.replace("_", " "),
                "word": one.word,
                "probs": [[word, round(prob, 4)] for word, prob in sorted(one.probs, key=lambda pair: -pair[1])],
            }
            for one in found.descriptors
        ],
        "features": [[name, None if np.isnan(value) else round(float(value), 5)] for name, value in found.features],
        "size_mm": None if found.width_mm is None else [round(found.width_mm, 2), round(found.depth_mm or 0.0, 2)],
        "size_px": [round(found.width_px), round(found.depth_px)],
    }
