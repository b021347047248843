"""The model: labels, preprocessing, strategy, engines and decision in one object. It is saved as a bundle."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np

from busight.data.labels import LabelSchema
from busight.data.manifest import SHORT_DIGEST, pixel_digest
from busight.decision.decision import Decision
from busight.errors import DataError, InferenceError
from busight.io.atomic import require_free_folder
from busight.metrics.activations import softmax
from busight.model.bundle.card import Card
from busight.model.bundle.feature_bank import FeatureBank
from busight.model.bundle.load import load_bundle
from busight.model.bundle.save import write_card
from busight.model.engines.catalogue import EngineSettings
from busight.model.installed import READY, find_model
from busight.model.opening import open_stages, read_bank
from busight.model.warnings import warnings_of
from busight.preprocess.pipeline import PreparedImage, Preprocess
from busight.preprocess.resize import resize_or_pad
from busight.strategies.catalogue import strategy_of
from busight.strategies.strategy import RawOutput, Stages, Strategy, grey_of, proposal_of
from busight.types import Failure, FloatMap, Image, ImageRef, InputImage, Prediction, Rejected, Roi

BATCH = 8
"""Images of one batch through the networks: more are no quicker on a CPU (docs/log/2026-11-speed.md)."""

ImageT = TypeVar("ImageT", bound=InputImage | Failure)

PIXELS_AT_ONCE = 16 * 1024**2
"""Pixels of one batch: few large images take as much memory as many small ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A trained model, ready to predict.

    Attributes:
        folder: The folder of its bundle.
        card: The card of its bundle.
        preprocess: The preprocessing.
        strategy: Which views the networks get, and how their outputs are combined.
        stages: The networks.
        bank: Features of the training images; None where the bundle has none.
        engine: How the networks are run.

    Example:
        >>> model = Model.load()  # doctest: +SKIP
        >>> model.predict([read_grey(Path("image.png"))])[0].label  # doctest: +SKIP
        'benign'
    """

    folder: Path
    card: Card
    preprocess: Preprocess
    strategy: Strategy
    stages: Stages
    bank: FeatureBank | None = None
    engine: EngineSettings = field(default_factory=EngineSettings)

    @classmethod
    def load(cls, name: str | Path = READY, engine: EngineSettings | None = None) -> Self:
        """Load an installed model by its name, the bundle in a folder, or that in the ``bundle/`` of a run's folder.

        Args:
            name: The name or the folder; without one, the model that comes with BUSight.
            engine: How its graphs are run; None for ONNX Runtime on all cores.

        Raises:
            BundleError: There is no such model or bundle, a file of it was changed, or this version cannot run it.
        """
        return cls.of_card(*load_bundle(find_model(name)).parts, engine)

    @classmethod
    def of_card(cls, folder: Path, card: Card, engine: EngineSettings | None = None) -> Self:
        """Open the graphs of a bundle whose card is not sealed yet.

        Raises:
            BundleError: A file that the card needs is missing, or this version cannot run it.
        """
        preprocess, stages, engine = open_stages(folder, card, engine or EngineSettings())
        bank = read_bank(folder, card, stages)
        return cls(folder, card, preprocess, strategy_of(card.strategy), stages, bank, engine)

    def save(self, folder: Path) -> Self:
        """Save the bundle to a new folder and return the model that lies there.

        Raises:
            OutputError: The folder is not free, or cannot be written.
        """
        require_free_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.card.files:
            shutil.copyfile(self.folder / name, folder / name)
        return replace(self, folder=folder, card=write_card(folder, self.card))

    def with_card(self, card: Card) -> Self:
        """Return the model with another card: another decision or post-processing."""
        stages = self.stages if card.segment is None else replace(self.stages, postprocess=card.segment.postprocess)
        return replace(self, card=card, stages=stages)

    @property
    def labels(self) -> LabelSchema:
        """The classes."""
        return self.card.labels

    @property
    def decision(self) -> Decision:
        """Calibration, threshold, prediction sets, out-of-distribution detector, descriptor model."""
        return self.card.decision

    def predict(self, images: Sequence[Image | InputImage], *, explain: bool = False) -> list[Prediction | Rejected]:
        """Predict images, in batches.

        Args:
            images: uint8 HW or, for a model of RGB images, HW3, of any sizes; or `InputImage` with such pixels.
            explain: Describe each lesion in BI-RADS descriptors too where that changes no probability: for pages and
                metrics of the descriptors.

        Returns:
            One prediction or rejection for each image, in order.

        Raises:
            InferenceError: A network's output for an image is no answer, or an image is no uint8 array of that shape.
            DataError: A region is empty or outside its image, or the model does not depend on one.
        """
        answers: list[Prediction | Rejected] = []
        for answer in self.try_predict(images, explain=explain):
            if isinstance(answer, Failure):
                raise InferenceError(answer.reason)
            answers.append(answer)
        return answers

    def try_predict(
        self, images: Sequence[Image | InputImage], *, explain: bool = False
    ) -> list[Prediction | Rejected | Failure]:
        """Predict images as `predict`, but return a failure in place of an image whose output is no answer."""
        given = [image if isinstance(image, InputImage) else InputImage(image) for image in images]
        for place, image in enumerate(given):
            self._require_pixels(image.pixels, image.ref.path or f"image {place}")
        answers: list[Prediction | Rejected | Failure] = []
        for batch in batches(given):
            prepared, raws = self.infer([image.pixels for image in batch], [image.region for image in batch])
            answers += [self._answer(*item, explain) for item in zip(batch, prepared, raws, strict=True)]
        return answers

    def infer(
        self, images: Sequence[Image], regions: Sequence[Roi | None] = ()
    ) -> tuple[list[PreparedImage], list[RawOutput]]:
        """Return the raw outputs of the networks, before any decision.

        Args:
            images: uint8 HW or HW3.
            regions: For each image a box around the lesion that a reader chose, or None; empty for none at all.

        Raises:
            DataError: A region is empty or outside its image, or the model does not depend on one.
        """
        prepared = [self.preprocess(image) for image in images]
        if any(regions):
            if not self.strategy.uses_region:
                raise DataError(
                    f"{self.card.name}: its answer does not depend on a region; give the image alone, or take a model "
                    "that looks at the lesion"
                )
            prepared = [
                image if region is None else image.pointed_at(region)
                for image, region in zip(prepared, regions, strict=True)
            ]
        return prepared, self.strategy.infer(prepared, self.stages)

    def _require_pixels(self, pixels: Any, name: str) -> None:
        """Raise for anything but an image as the model takes it: computing with it would give another answer."""
        is_array, channels = isinstance(pixels, np.ndarray), (3,) if self.preprocess.image.channels == 3 else ()
        if (
            is_array
            and pixels.dtype == np.uint8
            and pixels.size
            and pixels.ndim == 2 + len(channels)
            and pixels.shape[2:] == channels
        ):
            return
        found = f"{pixels.dtype} {pixels.shape}" if is_array else type(pixels).__name__
        wanted = "(H, W, 3)" if channels else "(H, W)"
        raise InferenceError(
            f"{name}: is {found}, the model takes uint8 {wanted}; give a list of such images, or read files with "
            "busight.read_grey"
        )

    def _no_answer(self, ref: ImageRef, fault: str) -> str:
        return f"{ref.path or 'image'}: no answer, the network's {fault}; run busight verify {self.folder}"

    def _answer(
        self, given: InputImage, prepared: PreparedImage, raw: RawOutput, explain: bool
    ) -> Prediction | Rejected | Failure:
        if raw.fault is not None:
            return Failure(given.ref, self._no_answer(given.ref, raw.fault))
        decision, labels = self.decision, self.labels
        evidence = None
        logits = raw.logits
        if decision.fusion is not None and (decision.fusion.weight or explain):
            image = grey_of(prepared.cropped)
            evidence = decision.fusion.evidence(image, raw.mask, raw.mask_probs, proposal_of(prepared, raw))
            logits = decision.fusion.fuse(logits, labels.lesion_pair, evidence)
        calibrated = decision.probs(logits)
        if not np.isfinite(calibrated).all():
            return Failure(given.ref, self._no_answer(given.ref, "calibrated probabilities hold NaN or infinity"))
        place = int(np.argmax(calibrated))
        roi, box = raw.roi, prepared.crop_box
        prediction = Prediction(
            ref=given.ref,
            classes=labels.names,
            positive=labels.positive,
            label=labels.names[place],
            logits=logits,
            network_logits=raw.logits,
            raw_probs=softmax(logits[None])[0],
            calibrated_probs=calibrated,
            image=given.pixels,
            enhanced=_pasted(prepared),
            roi=Roi(roi.top + box.top, roi.left + box.left, roi.bottom + box.top, roi.right + box.left),
            mask=None if raw.mask is None else prepared.uncrop(raw.mask),
            mask_probs=None if raw.mask_probs is None else prepared.uncrop(raw.mask_probs),
            activation_of_label=_ActivationMap(prepared, raw, place) if raw.views else None,
            above_threshold=decision.above_threshold(calibrated, labels),
            prediction_set=decision.prediction_set(calibrated, labels),
            features=raw.features,
            descriptors=None if evidence is None else replace(evidence, region=prepared.uncrop(evidence.region)),
        )
        is_known = pixel_digest(given.pixels)[:SHORT_DIGEST] in self.card.training.digests
        found = warnings_of(prediction, labels, decision, self.bank, is_known=is_known)
        prediction = replace(prediction, warnings=given.warnings + found)
        reason = None if decision.ood is None else decision.ood.rejection(given.pixels, given.coloured)
        return prediction if reason is None else Rejected(reason, prediction)


def batches(images: Iterable[ImageT], batch: int = BATCH) -> Iterator[list[ImageT]]:
    """Yield images in batches of at most so many images, and of `PIXELS_AT_ONCE` pixels where it is more than one.

    A full batch is given before the next image is read. A failure counts as an image without pixels.
    """
    waiting: list[ImageT] = []
    n_pixels = 0
    for image in images:
        size = 0 if isinstance(image, Failure) else image.pixels.shape[0] * image.pixels.shape[1]
        if waiting and n_pixels + size > PIXELS_AT_ONCE:
            yield waiting
            waiting, n_pixels = [], 0
        waiting.append(image)
        n_pixels += size
        if len(waiting) >= batch:
            yield waiting
            waiting, n_pixels = [], 0
    if waiting:
        yield waiting


@dataclass(frozen=True, slots=True, eq=False)
class _ActivationMap:
    """The class-activation map of one class, float32 HW in the whole image's pixels, computed when it is called."""

    prepared: PreparedImage
    raw: RawOutput
    class_index: int

    def __call__(self) -> FloatMap:
        activation = self.raw.activation(self.class_index)
        return self.prepared.uncrop(activation)


def _pasted(prepared: PreparedImage) -> Image:
    """Return the whole image with its enhanced part in place."""
    if prepared.enhanced.shape == prepared.image.shape:
        return prepared.enhanced
    whole = prepared.image.copy()
    prepared.crop_box.cut(whole)[:] = prepared.enhanced
    return whole


def region_of(model: Model, prediction: Prediction) -> Image:
    """Return the region of a prediction as its classifier's input, uint8 SS or SS3; unscaled without a classifier."""
    spec = model.stages.input
    region = prediction.roi.cut(prediction.enhanced)
    return region if spec is None else resize_or_pad(region, spec.size, spec.keep_aspect)
