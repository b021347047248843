"""One bundle of all networks of a cross-validation: they are averaged inside its graph."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from busight._version import __version__
from busight.descriptors.model import averaged
from busight.errors import BundleError
from busight.io.atomic import require_free_folder
from busight.io.progress import Progress, Silent
from busight.model.bundle.card import Card, ClassifyPart, OperatingPointPart, ReaderPart
from busight.model.bundle.load import Bundle, load_bundle
from busight.model.bundle.merge import logit_scale, merge_graphs
from busight.model.bundle.save import write_card
from busight.results.crossval_folder import fold_folders, plan_of, repeat_cases
from busight.segment.postprocess import PostprocessSettings


def make_ensemble(folder: Path, out: Path, *, progress: Progress | None = None) -> Card:
    """Average the networks of a cross-validation in one bundle. Nothing is trained or fitted.

    Every image of the set was seen by some of the members: there is no case left to calibrate or to test the ensemble
    on. So each member keeps the temperature of its own validation images, the operating point is the mean of theirs,
    and the card holds no scores; those of the cross-validation are of one network, and another set can be tried with
    ``busight evaluate``.

    Args:
        folder: Of a finished cross-validation.
        out: A new folder for the bundle.
        progress: Told what happens.

    Raises:
        DataError: Not a finished cross-validation.
        BundleError: Its networks do not fit together.
        OutputError: A file could not be written.
    """
    progress = progress or Silent()
    require_free_folder(out)
    repeat_cases(folder)
    members = [load_bundle(place) for place in fold_folders(folder, plan_of(folder))]
    first = members[0].card
    for member in members:
        if _chain(member.card) != _chain(first):
            raise BundleError(f"{member.folder}: was made by another recipe than {members[0].folder}; they do not fit")
    progress.stage(f"{len(members)} networks into one graph")
    files, parity = merge_graphs(members, out)
    return write_card(out, ensemble_card(members, files, parity))


def _chain(card: Card) -> tuple[object, ...]:
    """Return what members must have in common: all but the thresholds of masks that each chose for itself."""
    own = card
    if card.segment is not None:
        own = card.with_postprocess(replace(card.segment.postprocess, threshold=0.5, peak=0.0))
    return card.enhance, card.channels, own.segment, card.classify


def _mean_postprocess(cards: list[Card]) -> PostprocessSettings | None:
    """Return the members' post-processing with the medians of its two numbers: a peak of 0 asks nothing."""
    given = [card.segment.postprocess for card in cards if card.segment is not None]
    if not given:
        return None
    threshold, peak = (float(np.median([getattr(one, name) for one in given])) for name in ("threshold", "peak"))
    return replace(given[0], threshold=threshold, peak=peak)


def ensemble_card(members: list[Bundle], files: dict[str, str], parity: float) -> Card:
    """Return the card of members whose graphs are merged.

    Args:
        members: Two or more, made by one recipe.
        files: SHA-256 of each file of the merged bundle.
        parity: Largest difference between the merged graph and the members' mean.

    Raises:
        BundleError: Their calibrations or second readers do not fit together.
    """
    cards = [member.card for member in members]
    first, count = cards[0], len(cards)
    cases = sum(card.calibration.cases for card in cards)
    calibration = first.calibration.model_copy(
        update={
            "method": "none",
            "numbers": (),
            "cases": cases,
            "calibrated": all(card.calibration.calibrated for card in cards),
            "prevalence": _mean_prevalence(cards),
            "source": f"inside the graph: each of the {count} members on its own validation images; not as a whole",
        }
    )
    seen = {digest for card in cards for digest in card.training.seen}
    training = first.training.model_copy(
        update={
            "images": len(seen),
            "seen": tuple(sorted(seen)),
            "split_kind": f"{first.training.split_kind}, {count} members",
            "weights": f"{count} networks, averaged. The first: {first.training.weights}",
        }
    )
    postprocess = _mean_postprocess(cards)
    return (first if postprocess is None else first.with_postprocess(postprocess)).model_copy(
        update={
            "name": f"{first.name}, {count} networks",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "busight": __version__,
            "calibration": calibration,
            "operating_points": _operating_points(cards),
            "training": training,
            "conformal": None,
            "reader": _mean_reader(cards),
            "classify": _with_weight_inside(members),
            "gate": None if first.gate is None else first.gate.model_copy(update={"feature_limit": None}),
            "scores": (),
            "parity": parity,
            "files": files,
            "digest": "",
        }
    )


def _with_weight_inside(members: list[Bundle]) -> ClassifyPart | None:
    """Return the members' classifier with the reader's weight that they have after their temperatures, on average."""
    part = members[0].card.classify
    if part is None:
        return None
    return part.model_copy(update={"reader": part.reader * float(np.mean([logit_scale(one) for one in members]))})


def _mean_prevalence(cards: list[Card]) -> float | None:
    """Return the share of the last class among all members' validation cases; None where a member does not tell."""
    shares = [card.calibration.prevalence for card in cards]
    counts = [card.calibration.cases for card in cards]
    if any(share is None for share in shares) or not sum(counts):
        return None
    return float(np.average([share for share in shares if share is not None], weights=counts))


def _mean_reader(cards: list[Card]) -> ReaderPart | None:
    """Average the members' second readers; none where a member has none."""
    readers = [card.reader.reader for card in cards if card.reader is not None and card.reader.reader is not None]
    if len(readers) < len(cards):
        return None
    words = {card.reader.words for card in cards if card.reader is not None}
    if len(words) > 1:
        raise BundleError("the members' second readers were taught by other words; train them with one version")
    return ReaderPart(
        reader=averaged(readers), words=words.pop(), source=f"mean of the log-odds of the {len(cards)} members' readers"
    )


def _operating_points(cards: list[Card]) -> tuple[OperatingPointPart, ...]:
    found = []
    for points in zip(*(card.operating_points for card in cards), strict=True):
        thresholds = [point.threshold for point in points if point.threshold is not None]
        found.append(
            points[0].model_copy(
                update={
                    "threshold": float(np.mean(thresholds)) if thresholds else None,
                    "sensitivity": None,
                    "specificity": None,
                    "source": f"mean of the {len(thresholds)} members', each chosen on its own validation images",
                }
            )
        )
    return tuple(found)
