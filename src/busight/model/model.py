"""The predictor: from a grey image to a finding, by the chain of a bundle, without PyTorch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from busight.classify.masked import with_mask
from busight.data.labels import TASKS, grades_lesions
from busight.decision.fusion import reading_of, second_opinion, with_second_reader
from busight.errors import BundleError
from busight.metrics.activations import softmax
from busight.model.bundle.card import Card, InputPart
from busight.model.bundle.feature_bank import Memory
from busight.model.warnings import cautions, refusal
from busight.preprocess.pipeline import Enhancement
from busight.preprocess.resize import from_input, to_input
from busight.segment.postprocess import to_mask
from busight.segment.proposal import seed_region
from busight.segment.roi import region_of_interest
from busight.strategies.segmenters import Segmenter, as_batch
from busight.strategies.views import Seen, from_mask, mean_of_looks
from busight.types import Finding, FloatArray, Image, Mask, Prediction, Roi, SecondOpinion

_T = TypeVar("_T", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class Predictor:
    """A bundle ready to predict.

    Attributes:
        card: The bundle's card.
        enhancement: What happens to a picture first.
        segmenter: What gives the lesion before classification; None for ``joint`` and ``whole``.
        classifier: ONNX Runtime session, None for a bundle that only segments.
        memory: Features of the training images; None where the bundle has none.
    """

    card: Card
    enhancement: Enhancement
    segmenter: Segmenter | None
    classifier: Any
    memory: Memory | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names. A bundle that only segments tells images with a lesion from images without one."""
        return self.card.classify.classes if self.card.classify else TASKS["lesion"].classes

    def actual_class(self, finding: Finding | None) -> str | None:
        """Return the class of the task that a labelled finding belongs to; None where it has none."""
        task = TASKS[self.card.classify.task if self.card.classify else "lesion"]
        target = task.target(finding)
        return None if target < 0 else task.classes[target]

    def predict(
        self, image: Image, path: str = "", frame: int = 0, pixel_spacing_mm: tuple[float, float] | None = None
    ) -> Prediction:
        """Run one image through the whole chain.

        Args:
            image: uint8 HW.
            path: The file, for the record.
            frame: Its frame, for the record.
            pixel_spacing_mm: Row and column spacing where known.
        """
        field = self.enhancement.field(image)
        found = self._within_field(field.cut(image), path, frame, pixel_spacing_mm)
        found = found if field == Roi(0, 0, *image.shape) else _placed(found, image, field)
        refused = refusal(image, self.card.gate)
        return replace(found, refused=refused, cautions=cautions(found, self.card, self.memory))

    def first_look(self, image: Image, read: bool = True) -> tuple[NDArray[np.float32] | None, dict[str, float] | None]:
        """Return what the classifier's last layer sees of an image at its first look, and the second reader's words.

        Args:
            image: uint8 HW.
            read: Whether the words are wanted; they cost more than the look.

        Returns:
            float32 (C,), None where the graph does not give it, as in bundles of several networks and of older
            versions; the words' inputs, None where there is no region with a form.
        """
        part = self.enhancement.field(image).cut(image)
        first = self._first(part)
        if not read:
            return first.seen.features, None
        # The region is searched for only where the outline is unsure, where predicting looks at it in any case.
        likeliest = partial(_guess, first) if self._guesses else None
        reading = reading_of(part, first.mask, first.mask_probs, likeliest)
        return first.seen.features, None if reading is None else reading.words

    def _second(self, first: _FirstLook, image: Image, guess: Mask | None) -> SecondOpinion | None:
        """Ask the second reader how likely a lesion is malignant."""
        reader = self.card.reader
        if reader is None or reader.reader is None:
            return None
        likeliest = None if guess is None else lambda: guess
        reading = reading_of(image, first.mask, first.mask_probs, likeliest)
        return None if reading is None else second_opinion(reader.reader, reading)

    def _within_field(
        self, image: Image, path: str, frame: int, pixel_spacing_mm: tuple[float, float] | None
    ) -> Prediction:
        first = self._first(image)
        seen, mask, roi = first.seen, first.mask, first.roi
        guess = _guess(first) if self._guesses else None
        if near := self._near(mask, guess):
            roi = near[0]
            seen = mean_of_looks(seen, [self._classify(first.layers, region) for region in near])
        second = self._second(first, image, guess)
        logits = self._moved(seen.logits, second)
        raw = softmax(logits[None])[0]
        calibrated = self.card.calibration.calibrator.probs(logits[None])[0]
        finding = int(np.argmax(calibrated))
        return Prediction(
            path=path,
            frame=frame,
            classes=self.classes,
            finding=self.classes[finding],
            logits=logits,
            raw_probs=raw,
            calibrated_probs=calibrated,
            image=image,
            enhanced=first.enhanced,
            roi=roi,
            mask=mask,
            mask_probs=first.mask_probs,
            activation=None if seen.activation is None else seen.activation[finding],
            pixel_spacing_mm=pixel_spacing_mm,
            flagged=self._flagged(calibrated),
            prediction_set=self._prediction_set(calibrated),
            features=seen.features,
            second_reader=second,
            network_logits=seen.logits,
        )

    def _moved(self, logits: FloatArray, second: SecondOpinion | None) -> FloatArray:
        """Let the second reader have its say where the card gives it a weight."""
        part = self.card.classify
        if part is None or not part.reader or second is None or not grades_lesions(self.classes):
            return logits
        return with_second_reader(logits, self.classes, second.malignant, part.reader)

    def mask_probs(self, image: Image) -> tuple[NDArray[np.float32], Roi]:
        """Return what the mask is thresholded from: lesion probabilities, float32 hw in 0–1, and the field they are of.

        Args:
            image: uint8 HW.

        Raises:
            BundleError: The bundle draws no masks.
        """
        field = self.enhancement.field(image)
        layers = self.enhancement.layers(self.enhancement.enhanced(field.cut(image)))
        if self.segmenter is not None:
            return self.segmenter.probs(layers), field
        probs = self._classify(layers, Roi(0, 0, field.height, field.width)).mask_probs
        if probs is None:
            raise BundleError(f"{self.card.name}: the bundle draws no masks; train a recipe that segments")
        return probs, field

    def region(self, prediction: Prediction) -> Image:
        """Return what the classifier saw of a predicted image at its size: uint8 SS, or SS3 with a mask channel."""
        part = self.card.classify
        cut = prediction.roi.cut(self._marked(prediction.enhanced, prediction.mask))
        return cut if part is None else to_input(cut, part.input.size, part.input.keep_aspect)

    def _marked(self, layers: Image, mask: Mask | None) -> Image:
        """Show the mask to the classifier where its card says so."""
        part = self.card.classify
        return layers if part is None or mask is None else with_mask(part.lesion, layers, mask)

    def _first(self, image: Image) -> _FirstLook:
        enhanced = self.enhancement.enhanced(image)
        layers = self.enhancement.layers(enhanced)
        probs, mask, roi = self._segment(layers)
        seen = self._classify(self._marked(layers, mask), roi) if self.classifier is not None else from_mask(probs)
        if seen.mask_probs is not None and self.card.segment is not None:
            probs, mask = seen.mask_probs, to_mask(seen.mask_probs, self.card.segment.postprocess)
        return _FirstLook(enhanced, layers, seen, mask, probs, roi)

    @property
    def _guesses(self) -> bool:
        """The zoom looks also at the most lesion-like region by edges and darkness alone."""
        part = self.card.classify
        return part is not None and part.lesion == "zoom" and part.guess

    def _near(self, mask: Mask | None, guess: Mask | None) -> list[Roi]:
        """Return the regions that ``zoom`` looks at after the whole image: of the mask, and of a guess without it."""
        classify, segment = self.card.classify, self.card.segment
        if classify is None or segment is None or classify.lesion != "zoom":
            return []
        found = [one for one in (mask, guess) if one is not None and one.any()]
        return [region_of_interest(one, segment.roi.margin, segment.roi.square) for one in found]

    def _prediction_set(self, calibrated: FloatArray) -> tuple[str, ...] | None:
        if self.card.conformal is None:
            return None
        inside = self.card.conformal.fitted.sets(calibrated[None])[0]
        return tuple(name for name, within in zip(self.classes, inside, strict=True) if within)

    def _flagged(self, calibrated: FloatArray) -> bool | None:
        points = self.card.operating_points
        if not points or points[0].threshold is None:
            return None
        return bool(calibrated[-1] >= points[0].threshold)

    def _segment(self, layers: Image) -> tuple[NDArray[np.float32] | None, Mask | None, Roi]:
        whole = Roi(0, 0, layers.shape[0], layers.shape[1])
        part = self.card.segment
        if self.segmenter is None or part is None:
            return None, None, whole
        probs = self.segmenter.probs(layers)
        mask = to_mask(probs, part.postprocess)
        two_stage = self.card.classify is not None and self.card.classify.lesion == "two-stage"
        return probs, mask, region_of_interest(mask, part.roi.margin, part.roi.square) if two_stage else whole

    def _classify(self, layers: Image, roi: Roi) -> Seen:
        part = self.card.classify
        if part is None:
            raise BundleError("the card has no classifier")
        cut = roi.cut(layers)
        given = as_batch(to_input(cut, part.input.size, part.input.keep_aspect))
        names = [found.name for found in self.classifier.get_outputs()]
        views = [dict(zip(names, self.classifier.run(names, {"images": given}), strict=True))]
        if part.test_flip:
            mirrored = np.ascontiguousarray(given[..., ::-1])
            found = dict(zip(names, self.classifier.run(names, {"images": mirrored}), strict=True))
            views.append({name: value[..., ::-1] if value.ndim == 4 else value for name, value in found.items()})
        mean = {name: np.mean([view[name] for view in views], axis=0) for name in names}
        activation = np.zeros((len(mean["activation"][0]), *layers.shape[:2]), dtype=np.float32)
        for placed, one in zip(activation, mean["activation"][0], strict=True):
            roi.cut(placed)[:] = _back(one, cut, part.input)
        mask_probs = _back(mean["mask_probs"][0, 0], cut, part.input) if "mask_probs" in mean else None
        features = mean["features"][0] if "features" in mean else None
        share = cut.shape[0] * cut.shape[1] / (layers.shape[0] * layers.shape[1])
        return Seen(mean["logits"][0].astype(np.float64), share, activation, mask_probs, features)


@dataclass(frozen=True, slots=True, eq=False)
class _FirstLook:
    """An enhanced image, and what was found at the first look at it.

    Attributes:
        enhanced: uint8 HW.
        layers: What the networks take: uint8 HW or HW3.
        seen: What the classifier returned.
        mask: The lesion; None where the bundle draws none.
        mask_probs: What the mask is thresholded from.
        roi: The region that was looked at.
    """

    enhanced: Image
    layers: Image
    seen: Seen
    mask: Mask | None
    mask_probs: NDArray[np.float32] | None
    roi: Roi


def _guess(first: _FirstLook) -> Mask:
    return seed_region(first.enhanced).mask


def _placed(found: Prediction, image: Image, field: Roi) -> Prediction:
    """Tell what was found within the field in the pixels of the whole picture; outside there is nothing."""

    def widened(values: NDArray[_T]) -> NDArray[_T]:
        whole = np.zeros(image.shape, dtype=values.dtype)
        field.cut(whole)[:] = values
        return whole

    second = found.second_reader
    enhanced = image.copy()
    field.cut(enhanced)[:] = found.enhanced
    roi = found.roi
    return replace(
        found,
        image=image,
        enhanced=enhanced,
        roi=Roi(roi.top + field.top, roi.left + field.left, roi.bottom + field.top, roi.right + field.left),
        mask=None if found.mask is None else widened(found.mask),
        mask_probs=None if found.mask_probs is None else widened(found.mask_probs),
        activation=None if found.activation is None else widened(found.activation),
        second_reader=None if second is None else replace(second, region=widened(second.region)),
    )


def _back(values: NDArray[np.float32], cut: Image, given: InputPart) -> NDArray[np.float32]:
    return from_input(values, cut.shape[0], cut.shape[1], given.keep_aspect, given.size)
