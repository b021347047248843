"""From predictions to scored cases, to a score sheet, to the pictures worth showing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from busight.audit.overlays import marks_of
from busight.data.dataset import ImageReader
from busight.decision.settings import AssessSettings
from busight.io.progress import Progress
from busight.metrics.mask_scores import score_mask
from busight.metrics.table import ScoreSheet
from busight.model.explain.explained import Explained, explained, with_pictures
from busight.model.model import BATCH, Model, region_of
from busight.results.run_record import Case, StagePicture
from busight.results.scoring import repeated_sheet
from busight.types import FloatArray, Image, ImageRef, InputImage, IntArray, Prediction, Rejected, Sample, prediction_of

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
    samples: Sequence[Sample], group_of: dict[str, str], reader: ImageReader, model: Model, progress: Progress
) -> ScoredPart:
    """Predict every sample and compare with what its source says.

    Samples whose label is in no class of the model are left out.
    """
    kept = [sample for sample in samples if model.labels.class_of(sample.label) is not None]
    cases: list[Case] = []
    for start in range(0, len(kept), BATCH):
        batch = kept[start : start + BATCH]
        answers = model.predict([reader.image(sample) for sample in batch])
        cases += [_score(*item, group_of, reader, model) for item in zip(batch, answers, strict=True)]
        progress.tick(len(cases), len(kept))
    return ScoredPart(tuple(kept), tuple(cases))


def _score(
    sample: Sample, answer: Prediction | Rejected, group_of: dict[str, str], reader: ImageReader, model: Model
) -> Case:
    prediction = prediction_of(answer)
    scores = score_mask(prediction.mask, reader.mask(sample), sample.pixel_spacing_mm)
    return Case(
        sample_id=sample.sample_id,
        group=group_of[sample.sample_id],
        actual=str(model.labels.class_of(sample.label)),
        predicted=prediction.label,
        logits=tuple(map(float, prediction.logits)),
        raw_probs=tuple(map(float, prediction.raw_probs)),
        calibrated_probs=tuple(map(float, prediction.calibrated_probs)),
        mask=scores,
        flagged=prediction.above_threshold,
        prediction_set=prediction.prediction_set,
        refused=None if model.decision.ood is None else isinstance(answer, Rejected),
        second_reader=None if prediction.descriptors is None else prediction.descriptors.prob_positive,
        facts=_facts(sample, prediction.image, scores.true_area_share),
    )


def _facts(sample: Sample, image: Image, lesion_share: float) -> tuple[tuple[str, str], ...]:
    """Return what is known of a case besides its finding; what is not known is absent."""
    found = {
        "data set": sample.source,
        "device": sample.device,
        "BI-RADS": None if sample.birads is None else str(sample.birads),
        "histology": sample.histology,
        "lesion size": None if not lesion_share > 0 else next(name for below, name in _SIZES if lesion_share < below),
        "marks": None if image.ndim == 3 else "burned in" if marks_of(image).overlay else "none",
    }
    return tuple((name, value) for name, value in found.items() if value)


def sheet_of(part: ScoredPart, classes: tuple[str, ...], settings: AssessSettings) -> ScoreSheet:
    """Return every score with its interval.

    Raises:
        DataError: No labelled case.
    """
    return repeated_sheet([part.cases], classes, settings)


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
    part: ScoredPart, reader: ImageReader, model: Model, seed: int, training: Sequence[Sample] = ()
) -> Shown:
    """Choose the cases that a report shows (`choose_walks`, `choose_gallery`), and run them again.

    Args:
        part: The scored cases.
        reader: Reads their images, and the training images.
        model: The one that scored them.
        seed: Of the choice.
        training: The training images that are at hand: those that look alike are shown.
    """
    chosen = choose_walks(part, model.labels.names)
    more = choose_gallery(part, chosen, np.random.default_rng(seed))
    known = {sample.sample_id: sample for sample in training}
    walks, told = [], []
    for index in chosen:
        answer = _again(part, index, reader, model)
        walks.append(_picture(part, index, answer, reader, model))
        told.append(with_pictures(explained(model, answer), known, reader))
    gallery = (_picture(part, index, _again(part, index, reader, model), reader, model) for index in more)
    return Shown(tuple(walks), tuple(told), tuple(gallery))


def _again(part: ScoredPart, index: int, reader: ImageReader, model: Model) -> Prediction | Rejected:
    sample = part.samples[index]
    ref = ImageRef(sample.sample_id, pixel_spacing_mm=sample.pixel_spacing_mm)
    return model.predict([InputImage(reader.image(sample), ref)])[0]


def _picture(
    part: ScoredPart, index: int, answer: Prediction | Rejected, reader: ImageReader, model: Model
) -> StagePicture:
    """Return the picture of one case after every stage."""
    found = prediction_of(answer)
    return StagePicture(
        case=part.cases[index],
        image=found.image,
        enhanced=found.enhanced,
        mask=found.mask,
        true_mask=reader.mask(part.samples[index]),
        roi=found.roi,
        region=region_of(model, found),
        activation=found.activation,
    )
