"""From trained networks to a bundle: export, calibrate on validation cases, seal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from busight._version import __version__
from busight.audit.checked_dataset import Material
from busight.data.labels import TASKS
from busight.data.split import Split
from busight.decision.calibration.calibrators import CalibrationMethod, choose_calibrator, fit_calibrator
from busight.decision.conformal import fit_conformal
from busight.decision.settings import AssessSettings
from busight.decision.threshold import threshold_for_sensitivity
from busight.errors import DataError
from busight.experiments.pretrained import seen_by_weights
from busight.experiments.scoring import ScoredPart
from busight.metrics.table import MetricTable
from busight.model.bundle.card import (
    CalibrationPart,
    Card,
    ClassifyPart,
    ConformalPart,
    InputPart,
    OperatingPointPart,
    ScorePart,
    SegmentPart,
    TrainingPart,
)
from busight.recipes.load import recipe_toml
from busight.recipes.schema import Recipe
from busight.segment.settings import is_learned
from busight.types import FloatArray

UNCALIBRATED = CalibrationPart(method="none", cases=0, calibrated=False, source="not calibrated")
CANDIDATES: tuple[CalibrationMethod, ...] = ("none", "temperature", "vector", "beta", "isotonic")
"""What ``auto`` chooses from, the most modest first."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What the export of the networks left in the bundle's folder."""

    files: dict[str, str]
    parity: float
    weights: str


def draft_card(recipe: Recipe, material: Material, split: Split, exported: Exported) -> Card:
    """Write down the chain; calibration and scores follow when there are cases to take them from."""
    return Card(
        name=recipe.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        busight=__version__,
        enhance=recipe.enhance.chain,
        channels=recipe.enhance.channels,
        segment=_segment_part(recipe),
        classify=_classify_part(recipe),
        calibration=UNCALIBRATED,
        training=TrainingPart(
            source=material.inspection.dataset.name,
            images=len(split.train),
            seen=tuple(sorted(_seen(material, split) | seen_by_weights(recipe))),
            data_digest=material.inspection.digest,
            split_kind=split.kind,
            split_digest=split.digest,
            weights=exported.weights,
            recipe=recipe_toml(recipe),
        ),
        parity=exported.parity,
        files=exported.files,
    )


def calibrated(card: Card, val: ScoredPart, classes: tuple[str, ...], settings: AssessSettings) -> Card:
    """Fit calibration, operating point and prediction sets on the validation cases; say why where that cannot be."""
    calibration = _calibration(val, classes, settings)
    probs = calibration.calibrator.probs(val.logits())
    last = classes[-1]
    point = threshold_for_sensitivity(
        probs[:, -1], val.target(classes) == len(classes) - 1, wanted=settings.sensitivity
    )
    operating = OperatingPointPart(
        of=last,
        wanted_sensitivity=settings.sensitivity,
        threshold=_number(point.threshold),
        sensitivity=_number(point.sensitivity),
        specificity=_number(point.specificity),
        source=f"{point.n_positive} {last} and {point.n_negative} other validation images",
    )
    update = {
        "calibration": calibration,
        "operating_points": (operating,),
        "conformal": _conformal(val, probs, classes, settings),
    }
    return card.model_copy(update=update)


def with_scores(card: Card, metrics: MetricTable) -> Card:
    """Return the card with the metrics of the test part."""
    scores = tuple(
        ScorePart(metric=m.metric, of=m.of, value=_number(m.value), low=_number(m.low), high=_number(m.high), n=m.n)
        for m in metrics.rows
    )
    return card.model_copy(update={"scores": scores})


def _calibration(val: ScoredPart, classes: tuple[str, ...], settings: AssessSettings) -> CalibrationPart:
    target = val.target(classes)
    prevalence = float((target == len(classes) - 1).mean())
    measured = {"cases": len(val.cases), "prevalence": prevalence if 0 < prevalence < 1 else None}
    if settings.calibration == "none":
        return UNCALIBRATED.model_copy(update={**measured, "source": "switched off in the recipe"})
    how = ""
    try:
        if settings.calibration == "auto":
            fitted = choose_calibrator(val.logits(), target, [case.group for case in val.cases], CANDIDATES)
            how = f"chosen among {', '.join(CANDIDATES)}, "
        else:
            fitted = fit_calibrator(settings.calibration, val.logits(), target)
    except DataError as error:
        return UNCALIBRATED.model_copy(update={**measured, "source": f"not calibrated: {error}"})
    return CalibrationPart(
        method=fitted.method,
        numbers=fitted.numbers,
        source=f"{how}fitted on {len(val.cases)} validation images",
        **measured,
    )


def _conformal(val: ScoredPart, probs: FloatArray, classes: tuple[str, ...], settings: AssessSettings) -> ConformalPart:
    fitted = fit_conformal(probs, val.target(classes), settings.coverage)
    always = [name for name, least in zip(classes, fitted.least_probs, strict=True) if not least]
    told = (
        f"; {', '.join(always)} in every set: too few validation images, or some with a probability of 0"
        if always
        else ""
    )
    return ConformalPart(
        level=fitted.level,
        least_probs=fitted.least_probs,
        cases=fitted.cases,
        source=f"from {len(val.cases)} validation images{told}",
    )


def _seen(material: Material, split: Split) -> frozenset[str]:
    ids = {*split.train, *split.val}
    trained = (entry.known_as for entry in material.inspection.entries if entry.sample.sample_id in ids)
    return frozenset().union(*trained)


def _segment_part(recipe: Recipe) -> SegmentPart | None:
    settings = recipe.segment
    parts = {"postprocess": settings.postprocess, "roi": settings.roi}
    if not recipe.segments:
        return SegmentPart(method="joint", input=None, **parts) if recipe.classify.decodes_mask else None
    if not is_learned(settings.method):
        return SegmentPart(method=settings.method, input=None, **parts)
    given = InputPart(size=settings.size, keep_aspect=settings.keep_aspect)
    return SegmentPart(method=settings.method, input=given, test_flip=settings.test_flip, **parts)


def _classify_part(recipe: Recipe) -> ClassifyPart | None:
    settings = recipe.classify
    if settings.task == "segmentation":
        return None
    return ClassifyPart(
        task=settings.task,
        classes=TASKS[settings.task].classes,
        lesion=settings.lesion,
        input=InputPart(size=settings.size, keep_aspect=settings.keep_aspect),
        test_flip=settings.test_flip,
        guess=settings.guess,
        reader=settings.reader,
    )


def _number(value: float) -> float | None:
    return None if value != value else float(value)
