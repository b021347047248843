"""An ensemble: the networks of a cross-validation in one bundle, whose output is their mean."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from busight._version import __version__
from busight.decision.calibration.identity import Identity
from busight.decision.calibration.temperature import Temperature
from busight.decision.decision import Calibration, Decision, Threshold
from busight.decision.fusion import DescriptorFusion
from busight.descriptors.model import average
from busight.errors import BundleError
from busight.io.atomic import require_free_folder
from busight.io.digests import sha256_of_file
from busight.io.progress import Progress, Silent
from busight.model.bundle.card import CLASSIFIER, SEGMENTER, Card, member_file
from busight.model.bundle.finish import finished
from busight.model.bundle.load import Bundle, load_bundle
from busight.model.model import Model
from busight.results.crossval_folder import fold_folders, plan_of, repeat_cases
from busight.segment.postprocess import PostprocessSettings


def make_ensemble(folder: Path, out: Path, *, progress: Progress | None = None) -> Model:
    """Join the networks of a cross-validation in one model. Nothing is trained or fitted.

    Every image of the set was a training image of some member: no case is left to calibrate or to test the ensemble on.
    So each member keeps the temperature of its own validation images, the threshold is the mean of theirs, and the card
    holds no metrics; those of the cross-validation are of one network, and the ensemble can be evaluated on another set
    with ``busight evaluate``.

    Args:
        folder: The folder of a finished cross-validation.
        out: A new folder for the bundle.
        progress: Receives stages, ticks and lines.

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
    factors = tuple(_inverse_temperature(member) for member in members)
    progress.stage(f"{len(members)} networks in one bundle")
    out.mkdir(parents=True, exist_ok=True)
    files = _copied_graphs(members, out)
    return finished(Model.of_card(out, ensemble_card([member.card for member in members], factors, files)))


def _copied_graphs(members: Sequence[Bundle], out: Path) -> dict[str, str]:
    files: dict[str, str] = {}
    for graph in (CLASSIFIER, SEGMENTER):
        for number, member in enumerate(members, start=1):
            if graph in member.card.files:
                name = member_file(graph, number)
                shutil.copyfile(member.folder / graph, out / name)
                files[name] = sha256_of_file(out / name)
    return files


def _inverse_temperature(member: Bundle) -> float:
    """Return the factor of a member's logits before the mean, its inverse temperature.

    Raises:
        BundleError: The member has another calibration, without such a factor.
    """
    calibrator = member.card.decision.calibration.calibrator
    if isinstance(calibrator, Identity):
        return 1.0
    if isinstance(calibrator, Temperature):
        return 1 / calibrator.temperature
    raise BundleError(
        f"{member.folder}: is calibrated by {calibrator.method}, of which the mean of several networks makes no sense; "
        "cross-validate with --set assess.calibration=temperature"
    )


def _chain(card: Card) -> tuple[object, ...]:
    """Return what members must have in common: everything but the mask thresholds, which each tuned for itself."""
    own = card
    if card.segment is not None:
        own = card.with_postprocess(replace(card.segment.postprocess, threshold=0.5, peak=0.0))
    return card.preprocess, card.labels, card.strategy, own.segment, card.classify


def ensemble_card(cards: Sequence[Card], factors: tuple[float, ...], files: dict[str, str]) -> Card:
    """Return the card of an ensemble.

    Args:
        cards: The cards of two or more members, trained by one recipe.
        factors: Inverse temperature of each member.
        files: SHA-256 of each graph.

    Raises:
        BundleError: Their descriptor models do not fit together.
    """
    first, count = cards[0], len(cards)
    digests = {digest for card in cards for digest in card.training.digests}
    training = first.training.model_copy(
        update={
            "images": len(digests),
            "digests": tuple(sorted(digests)),
            "split_kind": f"{first.training.split_kind}, {count} members",
            "weights": f"{count} networks, averaged. The first: {first.training.weights}",
        }
    )
    card = first.changed(
        name=f"{first.name}, {count} networks",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        busight=__version__,
        inverse_temperatures=factors,
        decision=_decision(cards, factors),
        training=training,
        metrics=(),
        onnx_max_abs_diff=max(card.onnx_max_abs_diff for card in cards),
        files=files,
        digest="",
    )
    postprocess = _median_postprocess(cards)
    return card if postprocess is None else card.with_postprocess(postprocess)


def _median_postprocess(cards: Sequence[Card]) -> PostprocessSettings | None:
    """Return the members' post-processing with the medians of threshold and peak; a peak of 0 requires nothing."""
    given = [card.segment.postprocess for card in cards if card.segment is not None]
    if not given:
        return None
    threshold, peak = (float(np.median([getattr(one, name) for one in given])) for name in ("threshold", "peak"))
    return replace(given[0], threshold=threshold, peak=peak)


def _decision(cards: Sequence[Card], factors: tuple[float, ...]) -> Decision:
    first = cards[0].decision
    calibration = Calibration(
        calibrated=all(card.decision.calibration.calibrated for card in cards),
        cases=sum(card.decision.calibration.cases for card in cards),
        prevalence=_mean_prevalence(cards),
        source=f"each of the {len(cards)} members' temperatures on its own validation images; not as a whole",
    )
    return Decision(
        calibration=calibration,
        threshold=_mean_threshold(cards),
        ood=None if first.ood is None else replace(first.ood, feature_limit=None),
        fusion=_mean_fusion(cards, factors),
    )


def _mean_prevalence(cards: Sequence[Card]) -> float | None:
    """Return the prevalence of the positive class among all members' cases; None where a member has none."""
    shares = [card.decision.calibration.prevalence for card in cards]
    counts = [card.decision.calibration.cases for card in cards]
    if any(share is None for share in shares) or not sum(counts):
        return None
    return float(np.average([share for share in shares if share is not None], weights=counts))


def _mean_threshold(cards: Sequence[Card]) -> Threshold | None:
    points = [card.decision.threshold for card in cards if card.decision.threshold is not None]
    thresholds = [point.threshold for point in points if point.threshold is not None]
    if len(points) < len(cards):
        return None
    return Threshold(
        wanted_sensitivity=points[0].wanted_sensitivity,
        threshold=float(np.mean(thresholds)) if thresholds else None,
        sensitivity=None,
        specificity=None,
        source=f"mean of the {len(thresholds)} members', each chosen on its own validation images",
    )


def _mean_fusion(cards: Sequence[Card], factors: tuple[float, ...]) -> DescriptorFusion | None:
    """Return the average of the members' descriptor models; None where a member has none.

    The weight is the mean of the members' weights after their temperatures.
    """
    fusions = [card.decision.fusion for card in cards if card.decision.fusion is not None]
    models = [fusion.model for fusion in fusions if fusion.model is not None]
    if len(models) < len(cards):
        return None
    if len({fusion.lexicon for fusion in fusions}) > 1:
        raise BundleError("the members' descriptor models come from other lexicons; train them with one version")
    return DescriptorFusion(
        model=average(models),
        weight=fusions[0].weight * float(np.mean(factors)),
        lexicon=fusions[0].lexicon,
        source=f"mean of the log-odds of the {len(cards)} members' descriptor models",
    )
