"""From predictions to evaluated cases, and the choice of the cases shown in a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from busight.audit.overlays import image_properties
from busight.data.dataset import ImageReader
from busight.io.cores import in_threads
from busight.io.progress import Progress
from busight.metrics.mask_scores import score_mask
from busight.model.explain.explained import Explained, explained, with_images
from busight.model.model import BATCH, Model, region_of
from busight.results.case import Case, StageImages
from busight.types import FloatArray, Image, ImageRef, InputImage, IntArray, Prediction, Rejected, Sample, prediction_of

ValueT = TypeVar("ValueT")

MORE_CASES = 16

_LESION_SIZES = ((0.03, "below 3 % of the image"), (0.1, "3 to 10 %"), (float("inf"), "above 10 %"))


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedCases:
    """Evaluated cases with their samples, in the same order."""

    samples: tuple[Sample, ...]
    cases: tuple[Case, ...]

    def logits(self) -> FloatArray:
        """Logits, float64 (N, K)."""
        return np.array([case.logits for case in self.cases], dtype=np.float64)

    def target(self, classes: tuple[str, ...]) -> IntArray:
        """Targets as class indices, int64 (N,)."""
        return np.array([classes.index(case.target) for case in self.cases], dtype=np.int64)


def score_samples(
    samples: Sequence[Sample], group_of: dict[str, str], reader: ImageReader, model: Model, progress: Progress
) -> EvaluatedCases:
    """Predict every sample and score the prediction against its label and its annotated mask.

    Samples whose label is in no class of the model are left out.
    """
    kept = [sample for sample in samples if model.labels.class_of(sample.label) is not None]

    def case(sample: Sample, answer: Prediction | Rejected) -> Case:
        """Return the case of a predicted sample."""
        return _score(sample, answer, group_of, reader, model)

    return EvaluatedCases(tuple(kept), tuple(of_predictions(case, kept, reader, model, progress, explain=True)))


def of_predictions(
    function: Callable[[Sample, Prediction | Rejected], ValueT],
    samples: Sequence[Sample],
    reader: ImageReader,
    model: Model,
    progress: Progress,
    *,
    explain: bool = False,
) -> list[ValueT]:
    """Return a function's value of each sample and its prediction, in order.

    Batches are computed in threads: while the networks run on one, the others are prepared, described and scored.

    Args:
        function: Called with a sample and its prediction.
        samples: The samples.
        reader: The reader of their images.
        model: The model.
        progress: Receives a tick for each batch.
        explain: Describe each lesion too; see `Model.predict`.
    """

    def values_of(batch: Sequence[Sample]) -> list[ValueT]:
        """Return the values of one batch."""
        given = [InputImage(reader.image(sample), ImageRef(sample.sample_id)) for sample in batch]
        answers = zip(batch, model.predict(given, explain=explain), strict=True)
        return [function(sample, answer) for sample, answer in answers]

    values: list[ValueT] = []
    for of_batch in in_threads(values_of, [samples[start : start + BATCH] for start in range(0, len(samples), BATCH)]):
        values += of_batch
        progress.tick(len(values), len(samples))
    return values


def _score(
    sample: Sample, answer: Prediction | Rejected, group_of: dict[str, str], reader: ImageReader, model: Model
) -> Case:
    prediction = prediction_of(answer)
    mask_scores = score_mask(prediction.mask, reader.mask(sample), sample.pixel_spacing_mm)
    return Case(
        sample_id=sample.sample_id,
        group=group_of[sample.sample_id],
        target=str(model.labels.class_of(sample.label)),
        prediction=prediction.label,
        logits=tuple(map(float, prediction.logits)),
        raw_probs=tuple(map(float, prediction.raw_probs)),
        calibrated_probs=tuple(map(float, prediction.calibrated_probs)),
        mask_scores=mask_scores,
        above_threshold=prediction.above_threshold,
        prediction_set=prediction.prediction_set,
        rejected=None if model.decision.ood is None else isinstance(answer, Rejected),
        descriptor_prob_positive=None if prediction.descriptors is None else prediction.descriptors.prob_positive,
        metadata=_metadata(sample, prediction.image, mask_scores.annotated_area_fraction),
    )


def _metadata(sample: Sample, image: Image, lesion_fraction: float) -> tuple[tuple[str, str], ...]:
    """Return the metadata of a case; an unknown attribute is absent."""
    lesion_size = None
    if lesion_fraction > 0:
        lesion_size = next(name for below, name in _LESION_SIZES if lesion_fraction < below)
    attributes = {
        "data set": sample.source,
        "device": sample.device,
        "BI-RADS": None if sample.birads is None else str(sample.birads),
        "histology": sample.histology,
        "lesion size": lesion_size,
        "marks": None if image.ndim == 3 else "burned in" if image_properties(image).overlay else "none",
    }
    return tuple((name, value) for name, value in attributes.items() if value)


def choose_example_cases(part: EvaluatedCases, classes: tuple[str, ...]) -> list[int]:
    """Choose one case per class: the right prediction of median confidence, else the wrong one."""
    chosen = []
    for index, name in enumerate(classes):
        of_class = [i for i, case in enumerate(part.cases) if case.target == name]
        candidates = [i for i in of_class if not part.cases[i].is_error] or of_class
        candidates.sort(key=lambda i, k=index: part.cases[i].calibrated_probs[k])  # type: ignore[misc]
        if candidates:
            chosen.append(candidates[len(candidates) // 2])
    return chosen


def choose_more_cases(part: EvaluatedCases, without: Sequence[int], rng: np.random.Generator) -> list[int]:
    """Choose up to 16 more cases at random: half of them errors, if there are as many."""
    left = [i for i in range(len(part.cases)) if i not in set(without)]
    order = rng.permutation(len(left))
    shuffled = [left[i] for i in order]
    wrong = [i for i in shuffled if part.cases[i].is_error][: MORE_CASES // 2]
    right = [i for i in shuffled if not part.cases[i].is_error]
    return sorted(wrong + right[: MORE_CASES - len(wrong)])


@dataclass(frozen=True, slots=True, eq=False)
class ShownCases:
    """The cases shown in a report; see `busight.results.records.ModelRecord`."""

    example_cases: tuple[StageImages, ...]
    explanations: tuple[Explained, ...]
    more_cases: tuple[StageImages, ...]


def shown_cases(
    part: EvaluatedCases, reader: ImageReader, model: Model, seed: int, training: Sequence[Sample] = ()
) -> ShownCases:
    """Choose the cases shown in a report (`choose_example_cases`, `choose_more_cases`), and predict them again.

    Args:
        part: The evaluated cases.
        reader: The reader of their images, and of the training images.
        model: The model that predicted them.
        seed: Seed of the choice.
        training: The available training images, of which similar ones are shown.
    """
    chosen = choose_example_cases(part, model.labels.names)
    more = choose_more_cases(part, chosen, np.random.default_rng(seed))
    trained_on = frozenset(model.card.training.digests)
    training_by_id = {sample.sample_id: sample for sample in training}

    def again(index: int) -> Prediction | Rejected:
        """Return the prediction of a case, with all that a report shows of it."""
        sample = part.samples[index]
        ref = ImageRef(sample.sample_id, pixel_spacing_mm=sample.pixel_spacing_mm)
        return model.predict([InputImage(reader.image(sample), ref)], explain=True)[0]

    answers = dict(zip([*chosen, *more], in_threads(again, [*chosen, *more]), strict=True))
    example_cases, explanations = [], []
    for index in chosen:
        answer = answers[index]
        example_cases.append(_stage_images(part, index, answer, reader, model))
        explanations.append(with_images(explained(model, answer), training_by_id, reader, trained_on))
    more_cases = (_stage_images(part, index, answers[index], reader, model) for index in more)
    return ShownCases(tuple(example_cases), tuple(explanations), tuple(more_cases))


def _stage_images(
    part: EvaluatedCases, index: int, answer: Prediction | Rejected, reader: ImageReader, model: Model
) -> StageImages:
    """Return one case with the image after every stage."""
    prediction = prediction_of(answer)
    return StageImages(
        case=part.cases[index],
        image=prediction.image,
        enhanced=prediction.enhanced,
        mask=prediction.mask,
        annotated_mask=reader.mask(part.samples[index]),
        roi=prediction.roi,
        region=region_of(model, prediction),
        activation=prediction.activation,
    )
