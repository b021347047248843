"""The types shared by all rooms: image, mask, region of interest, sample, prediction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T", bound=np.generic)

Image = NDArray[np.uint8]
"""An image as read: uint8, HW (grey) or HW3 (RGB), 0–255."""

Mask = NDArray[np.bool_]
"""A lesion mask: bool, HW, True inside the lesion."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FloatMap = NDArray[np.float32]
"""A map over an image: float32 HW, e.g. lesion probabilities in 0–1."""


@dataclass(frozen=True, slots=True)
class Roi:
    """A half-open pixel box: rows top..bottom-1, columns left..right-1.

    Example:
        >>> Roi(2, 3, 10, 13).height, Roi(2, 3, 10, 13).width
        (8, 10)
    """

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Rows in the box."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns in the box."""
        return self.right - self.left

    def cut(self, pixels: NDArray[_T]) -> NDArray[_T]:
        """Return the part of an array, HW or HWC, that lies in the box (a view, not a copy)."""
        return pixels[self.top : self.bottom, self.left : self.right]


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of a data set with the metadata of its source. Pixels are read by the data set's reader.

    Attributes:
        sample_id: Unique within its data set, stable across machines (``"benign/benign (12)"``).
        source: The source's name (``"busi"``).
        label: Label of the source; None where there is none. A missing label is not a negative one.
        image_path: The file, relative to the source's root; empty for images that are not files of their own.
        mask_paths: Mask files, relative to the root, to be joined by logical or.
        mask_values: Values of the mask files that are lesion, where the source's table says so; empty for the rule of
            ``busight.data.readers.mask.read_mask``.
        frame: Frame index within a multi-frame file.
        patient_id: The source's pseudonym; None where unknown.
        laterality: ``"left"``, ``"right"`` or None.
        birads: BI-RADS assessment category 0–6, or None.
        pixel_spacing_mm: Row and column distance between pixel centres in mm, or None.
        region: The part of the file's frame that is ultrasound, to which the reader cuts; None for all of it.
        official_subset: ``"train"``, ``"val"``, ``"test"`` or a fold ``"1"``..``"k"`` that the data set's authors gave.
        tags: Free tags of the source, e.g. an injected fault of a phantom (``"duplicate-of:phantom-00003"``).
        metadata: (column, text) of the further columns of the source's table.
    """

    sample_id: str
    source: str
    label: str | None
    image_path: str = ""
    mask_paths: tuple[str, ...] = ()
    mask_values: tuple[int, ...] = ()
    frame: int = 0
    patient_id: str | None = None
    exam_id: str | None = None
    laterality: str | None = None
    view: str | None = None
    birads: int | None = None
    histology: str | None = None
    device: str | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    region: Roi | None = None
    official_subset: str | None = None
    tags: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DataWarning:
    """A problem of a file of a data set; the text says what was done about it."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class ImageRef:
    """The origin of an image, by which a prediction is identified. It never identifies a patient.

    Attributes:
        path: The file as the user named it; empty for pixels in memory.
        frame: Frame index within a multi-frame file.
        SOPInstanceUID: Of the DICOM object; None for other images.
        StudyInstanceUID: Of the DICOM object; None for other images.
        SeriesInstanceUID: Of the DICOM object; None for other images.
        pixel_spacing_mm: Row and column distance between pixel centres of the image as read, where known.
        origin: Row and column of the image's first pixel in the file's frame: not (0, 0) where only the ultrasound
            region of a DICOM frame was read.
        scale: Rows and columns of the image as read for each of the file's frame: not (1, 1) where the pixels of a
            DICOM frame are not square.
    """

    path: str = ""
    frame: int = 0
    SOPInstanceUID: str | None = None
    StudyInstanceUID: str | None = None
    SeriesInstanceUID: str | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    origin: tuple[int, int] = (0, 0)
    scale: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class InputImage:
    """One image to predict.

    Attributes:
        pixels: uint8 HW, or HW3 for RGB; of a DICOM object only the ultrasound region, where it names one, with square
            pixels.
        ref: Its origin.
        warnings: What was assumed or ignored when it was read.
        coloured: Share of the file's pixels that are clearly coloured, 0–1; ``pixels`` may be their grey.
        region: A box around the lesion that a reader chose, in ``pixels``; None for the model's own search.
    """

    pixels: Image
    ref: ImageRef = ImageRef()
    warnings: tuple[str, ...] = ()
    coloured: float = 0.0
    region: Roi | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DescriptorEvidence:
    """Evidence of malignancy from a lesion's BI-RADS descriptors, apart from the network.

    Attributes:
        prob_positive: The descriptor model's probability of the positive class against the other lesion class, 0–1.
        contributions: (descriptor, change of the log-odds), the largest first.
        region: bool HW: the region described, in the image's own pixels.
        from_proposal: The region is the lesion proposal, since the network's mask is empty or uncertain.
    """

    prob_positive: float
    contributions: tuple[tuple[str, float], ...]
    region: Mask
    from_proposal: bool


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """A model's prediction for one image; logits, raw and calibrated probabilities are separate fields.

    Attributes:
        ref: Where the image comes from.
        classes: Class names, in the order of the vectors below.
        positive: The positive class, of ``above_threshold``; None without one.
        label: The class with the highest calibrated probability.
        logits: float64, shape (K,): the network's, the mean over views and test-time augmentation, after the fusion
            with the descriptors where the bundle fuses.
        network_logits: float64, shape (K,): before that fusion.
        raw_probs: float64, shape (K,), softmax of the logits.
        calibrated_probs: float64, shape (K,), after the bundle's calibration.
        image: uint8 HW or HW3: the image as read.
        enhanced: uint8, the image after the enhancement chain.
        roi: The region that was classified, or that a local view was cut from.
        mask: The predicted lesion, bool HW, or None where the model has no segmentation.
        mask_probs: float32 HW in 0–1 behind ``mask``, or None.
        activation_of_label: Computes ``activation``; None where the graph gives no map.
        above_threshold: The positive class's calibrated probability reaches the bundle's threshold; None without one.
        prediction_set: Classes of the conformal set at the bundle's coverage, possibly none; None without prediction
            sets.
        warnings: What a reader should know before trusting the prediction.
        features: float32 (C,): the pooled features before the class head, or None.
        descriptors: Evidence from the lesion's BI-RADS descriptors; None where the bundle has no descriptor model, or
            the image no region large enough to describe, or where the evidence has no weight and nobody asked for it.
    """

    ref: ImageRef
    classes: tuple[str, ...]
    positive: str | None
    label: str
    logits: FloatArray
    network_logits: FloatArray
    raw_probs: FloatArray
    calibrated_probs: FloatArray
    image: Image
    enhanced: Image
    roi: Roi
    mask: Mask | None = None
    mask_probs: NDArray[np.float32] | None = None
    activation_of_label: Callable[[], FloatMap] | None = None
    above_threshold: bool | None = None
    prediction_set: tuple[str, ...] | None = None
    warnings: tuple[str, ...] = ()
    features: NDArray[np.float32] | None = None
    descriptors: DescriptorEvidence | None = None

    @property
    def activation(self) -> FloatMap | None:
        """The class-activation map of ``label``, float32 HW, computed at each call; it explains ``network_logits``."""
        return None if self.activation_of_label is None else self.activation_of_label()

    @property
    def positive_prob(self) -> float | None:
        """The positive class's calibrated probability; None without one."""
        return None if self.positive is None else float(self.calibrated_probs[self.classes.index(self.positive)])


@dataclass(frozen=True, slots=True, eq=False)
class Rejected:
    """A rejected image: out of distribution, without a prediction.

    Attributes:
        reason: Why, in one line.
        withheld: The prediction, not to be shown as one; metrics count it.
    """

    reason: str
    withheld: Prediction

    @property
    def ref(self) -> ImageRef:
        """The origin of the image."""
        return self.withheld.ref


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that could not be used, with the one-line reason."""

    ref: ImageRef
    reason: str


def prediction_of(answer: Prediction | Rejected) -> Prediction:
    """Return a prediction, withheld or not: for metrics, and where rejected predictions are to be shown."""
    return answer.withheld if isinstance(answer, Rejected) else answer
