"""From predictions to scored cases, to a score sheet, to the pictures worth showing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from busight.assess.figures import ScoredCases
from busight.assess.mask_scores import score_mask
from busight.assess.records import ScoreSheet
from busight.assess.score_sheet import repeated_score_sheet
from busight.assess.settings import AssessSettings
from busight.assess.subgroups import Subgroup, subgroups
from busight.data.audit.marks import marks_of
from busight.data.dataset import Reader
from busight.errors import DataError
from busight.pipeline.progress import Progress
from busight.pipeline.record import Case, StagePicture
from busight.predict.explained import Explained, explained, with_pictures
from busight.predict.predictor import Predictor
from busight.types import FloatArray, Image, IntArray, Prediction, Sample

GALLERY = 16

_SIZES = ((0.03, "below 3 % of the image"), (0.1, "3 to 10 %"), (float("inf"), "above 10 %"))


@dataclass(frozen=True, slots=True, eq=False)
class ScoredPart:
    """Cases of one part with their samples, in one order."""

    samples: tuple[Sample, ...]
    cases: tuple[Case, ...]

    def logits(self) -> FloatArray:
        """float64 (N, K)."""
        return np.array([case.logits for case in self.cases], dtype=np.float64)

    def target(self, classes: tuple[str, ...]) -> IntArray:
        """Actual classes as indices, int64 (N,)."""
        return np.array([classes.index(str(case.actual)) for case in self.cases], dtype=np.int64)


def score_samples(
    samples: Sequence[Sample], group_of: dict[str, str], reader: Reader, predictor: Predictor, progress: Progress
) -> ScoredPart:
    """Predict every sample and compare with what its source says.

    Samples whose finding is not a class of the predictor's task are left out.
    """
    kept: list[Sample] = []
    cases: list[Case] = []
    for number, sample in enumerate(samples, start=1):
        actual = predictor.actual_class(sample.finding)
        if actual is not None:
            kept.append(sample)
            cases.append(_score(sample, actual, group_of[sample.sample_id], reader, predictor))
        progress.tick(number, len(samples))
    return ScoredPart(tuple(kept), tuple(cases))


def _score(sample: Sample, actual: str, group: str, reader: Reader, predictor: Predictor) -> Case:
    image = reader.image(sample)
    found = predictor.predict(image)
    drawn = reader.mask(sample)
    scores = score_mask(found.mask, drawn, sample.pixel_spacing_mm)
    return Case(
        sample_id=sample.sample_id,
        group=group,
        actual=actual,
        predicted=found.finding,
        logits=tuple(map(float, found.logits)),
        raw_probs=tuple(map(float, found.raw_probs)),
        calibrated_probs=tuple(map(float, found.calibrated_probs)),
        mask=scores,
        flagged=found.flagged,
        prediction_set=found.prediction_set,
        refused=None if predictor.card.gate is None else found.refused is not None,
        second_reader=None if found.second_reader is None else found.second_reader.malignant,
        facts=_facts(sample, image, scores.true_area_share),
    )


def _facts(sample: Sample, image: Image, lesion_share: float) -> tuple[tuple[str, str], ...]:
    """Return what is known of a case besides its finding; what is not known is absent."""
    found = {
        "data set": sample.source,
        "device": sample.device,
        "BI-RADS": None if sample.birads is None else str(sample.birads),
        "histology": sample.histology,
        "lesion size": None if not lesion_share > 0 else next(name for below, name in _SIZES if lesion_share < below),
        "marks": "burned in" if marks_of(image).overlay else "none",
    }
    return tuple((name, value) for name, value in found.items() if value)


def scored_cases(cases: Sequence[Case], classes: tuple[str, ...]) -> ScoredCases:
    """Return cases as the arrays that `busight.assess` takes."""
    masks = np.array([case.mask.values for case in cases], dtype=np.float64)
    segmented = any(not np.isnan(case.mask.predicted_area_share) for case in cases)
    flagged = [case.flagged for case in cases]
    refused = [case.refused for case in cases]
    second = [np.nan if case.second_reader is None else case.second_reader for case in cases]
    sets = [case.prediction_set for case in cases if case.prediction_set is not None]
    return ScoredCases(
        target=np.array([classes.index(str(case.actual)) for case in cases], dtype=np.int64),
        probs=np.array([case.calibrated_probs for case in cases], dtype=np.float64),
        classes=classes,
        masks=masks if segmented else None,
        flagged=None if None in flagged else np.array(flagged, dtype=bool),
        sets=np.array([[name in one for name in classes] for one in sets]) if len(sets) == len(cases) else None,
        refused=None if None in refused else np.array(refused, dtype=bool),
        second_reader=None if np.isnan(second).all() else np.array(second),
    )


def sheet_of(part: ScoredPart, classes: tuple[str, ...], settings: AssessSettings) -> ScoreSheet:
    """Return every score with its interval.

    Raises:
        DataError: No labelled case.
    """
    return repeated_sheet([part.cases], classes, settings)


def repeated_sheet(repeats: Sequence[Sequence[Case]], classes: tuple[str, ...], settings: AssessSettings) -> ScoreSheet:
    """Return every score, the mean over repeats of one experiment on the same cases in one order, with its interval.

    Raises:
        DataError: No labelled case, or other cases in one repeat than in another.
    """
    if not repeats or not repeats[0]:
        raise DataError("no labelled image to score; the classes of the data set must be among the bundle's")
    rng = np.random.default_rng(settings.seed)
    groups = [case.group for case in repeats[0]]
    return repeated_score_sheet(
        _in_common(repeats, classes), groups, rng, settings.seed, settings.resamples, settings.level
    )


def _in_common(repeats: Sequence[Sequence[Case]], classes: tuple[str, ...]) -> list[ScoredCases]:
    """Return the repeats' cases without what a bundle of any repeat did not say: the mean is over all of them."""
    found = [scored_cases(cases, classes) for cases in repeats]
    said = ("flagged", "sets", "refused", "second_reader")
    missing = [name for name in said if any(getattr(cases, name) is None for cases in found)]
    nothing: dict[str, Any] = dict.fromkeys(missing)
    return [replace(cases, **nothing) for cases in found]


def subgroups_of(
    repeats: Sequence[Sequence[Case]], classes: tuple[str, ...], settings: AssessSettings
) -> tuple[Subgroup, ...]:
    """Return the scores by what is known of the cases, means over repeats as in `repeated_sheet`."""
    facts, groups = [dict(case.facts) for case in repeats[0]], [case.group for case in repeats[0]]
    found = _in_common(repeats, classes)
    return subgroups(found, facts, groups, settings.seed, min(settings.resamples, 500), settings.level)


def choose_walks(part: ScoredPart, classes: tuple[str, ...]) -> list[int]:
    """Choose one case a class: the typical right one (middle confidence), else the typical wrong one."""
    chosen = []
    for index, name in enumerate(classes):
        of_class = [i for i, case in enumerate(part.cases) if case.actual == name]
        right = [i for i in of_class if part.cases[i].predicted == name] or of_class
        right.sort(key=lambda i, k=index: part.cases[i].calibrated_probs[k])  # type: ignore[misc]
        if right:
            chosen.append(right[len(right) // 2])
    return chosen


def choose_gallery(part: ScoredPart, without: Sequence[int], rng: np.random.Generator) -> list[int]:
    """Choose up to 16 more cases at random: half of them wrong ones, where there are that many."""
    left = [i for i in range(len(part.cases)) if i not in set(without)]
    order = rng.permutation(len(left))
    shuffled = [left[i] for i in order]
    wrong = [i for i in shuffled if part.cases[i].actual != part.cases[i].predicted][: GALLERY // 2]
    right = [i for i in shuffled if part.cases[i].actual == part.cases[i].predicted]
    return sorted(wrong + right[: GALLERY - len(wrong)])


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """The cases that a report shows.

    Attributes:
        walks: One a class, with the picture after every stage.
        explained: Everything there is to say about each of them.
        gallery: More of them.
    """

    walks: tuple[StagePicture, ...]
    explained: tuple[Explained, ...]
    gallery: tuple[StagePicture, ...]


def shown_cases(
    part: ScoredPart, reader: Reader, predictor: Predictor, seed: int, training: Sequence[Sample] = ()
) -> Shown:
    """Choose the cases that a report shows (`choose_walks`, `choose_gallery`), and run them again.

    Args:
        part: The scored cases.
        reader: Reads their images, and the training images.
        predictor: The one that scored them.
        seed: Of the choice.
        training: The training images that are at hand: those that look alike are shown.
    """
    chosen = choose_walks(part, predictor.classes)
    more = choose_gallery(part, chosen, np.random.default_rng(seed))
    known = {sample.sample_id: sample for sample in training}
    walks, told = [], []
    for index in chosen:
        found = _again(part, index, reader, predictor)
        walks.append(_picture(part, index, found, reader, predictor))
        told.append(with_pictures(explained(predictor, found), known, reader))
    gallery = (_picture(part, index, _again(part, index, reader, predictor), reader, predictor) for index in more)
    return Shown(tuple(walks), tuple(told), tuple(gallery))


def _again(part: ScoredPart, index: int, reader: Reader, predictor: Predictor) -> Prediction:
    sample = part.samples[index]
    return predictor.predict(reader.image(sample), sample.sample_id, pixel_spacing_mm=sample.pixel_spacing_mm)


def _picture(part: ScoredPart, index: int, found: Prediction, reader: Reader, predictor: Predictor) -> StagePicture:
    """Return the picture of one case after every stage."""
    return StagePicture(
        case=part.cases[index],
        image=found.image,
        enhanced=found.enhanced,
        mask=found.mask,
        true_mask=reader.mask(part.samples[index]),
        roi=found.roi,
        region=predictor.region(found),
        activation=found.activation,
    )
