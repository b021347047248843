"""The nouns that travel between rooms: image, mask, region of interest, finding, sample, prediction."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T", bound=np.generic)

Image = NDArray[np.uint8]
"""A picture as read: uint8, HW (grey) or HWC (RGB), 0–255."""

Mask = NDArray[np.bool_]
"""A lesion mask: bool, HW, True inside the lesion."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Finding(StrEnum):
    """What an image shows, in the order of every probability vector of the three-class task."""

    NORMAL = "normal"
    BENIGN = "benign"
    MALIGNANT = "malignant"


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
    """One image of a data set and everything its source says about it. Pixels are read by the data set's reader.

    Attributes:
        sample_id: Unique within its data set, stable across machines (``"benign/benign (12)"``).
        source: The source's name (``"busi"``).
        finding: The label; None where the source has none. A missing label is not a negative one.
        image_path: The file, relative to the source's root; empty for images that are not files of their own.
        mask_paths: Mask files, relative to the root, to be joined by logical or.
        frame: Frame index within a multi-frame file.
        patient_id: The source's pseudonym; None where unknown.
        laterality: ``"left"``, ``"right"`` or None.
        birads: BI-RADS assessment category 0–6, or None.
        pixel_spacing_mm: Row and column distance between pixel centres in mm, or None.
        region: The part of the file's frame that is ultrasound, to which the reader cuts; None for all of it.
        official_part: ``"train"``, ``"val"``, ``"test"`` or a fold ``"1"``..``"k"`` that the data set's authors gave.
        tags: Free marks of the source, e.g. what was planted in a phantom (``"duplicate-of:phantom-00003"``).
    """

    sample_id: str
    source: str
    finding: Finding | None
    image_path: str = ""
    mask_paths: tuple[str, ...] = ()
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
    official_part: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a file of a data set: what was done about it stands in the text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class SecondOpinion:
    """What the second reader says.

    Attributes:
        malignant: Its probability of malignancy, 0–1, for a lesion: it knows no normal images.
        reasons: (word, change of the logarithm of the odds), the strongest first.
        region: bool HW: what it read, in the image's own pixels.
        assumed: It read the likeliest region by edges and darkness, since the network outlined nothing or is unsure.
    """

    malignant: float
    reasons: tuple[tuple[str, float], ...]
    region: Mask
    assumed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a bundle says about one image; logits, raw and calibrated probabilities are kept apart.

    Attributes:
        path: The file as given by the user.
        frame: Frame index within a multi-frame file.
        classes: Class names, in the order of the vectors below.
        finding: The class with the highest calibrated probability.
        logits: float64, shape (K,); the mean over test-time views and looks where there are several, after the second
            reader's say where the bundle gives it a weight.
        raw_probs: float64, shape (K,), softmax of the logits.
        calibrated_probs: float64, shape (K,), after the bundle's calibration.
        mask: The predicted lesion in the image's own pixels, or None where the chain has no segmentation.
        mask_probs: float32 HW in 0–1 behind ``mask``, or None.
        roi: The region that was classified.
        activation: float32 HW in the image's pixels: the class-activation map of ``finding``, or None. It explains
            ``network_logits``.
        enhanced: uint8 HW: the image after the enhancement chain.
        image: uint8 HW: the grey image as read.
        pixel_spacing_mm: Row and column spacing where known.
        origin: Row and column of the image's first pixel in the file's frame: not (0, 0) where only the ultrasound
            region of a DICOM frame was read.
        flagged: The last class's calibrated probability reaches the bundle's operating point; None without one.
        prediction_set: Classes that the image may be of at the bundle's coverage, perhaps none; None without such sets.
        refused: Why the image is not one to be answered; the values above are then not to be shown. None otherwise.
        cautions: What a reader should know before trusting the answer.
        features: float32 (C,): what the classifier's last layer saw of the image, or None.
        second_reader: What the second reader says of the lesion by BI-RADS words alone; None where the bundle has no
            such reader, or the image no region with a form.
        network_logits: float64, shape (K,): before the second reader's say; None where not known.
    """

    path: str
    frame: int
    classes: tuple[str, ...]
    finding: str
    logits: FloatArray
    raw_probs: FloatArray
    calibrated_probs: FloatArray
    image: Image
    enhanced: Image
    roi: Roi
    mask: Mask | None = None
    mask_probs: NDArray[np.float32] | None = None
    activation: NDArray[np.float32] | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    origin: tuple[int, int] = (0, 0)
    flagged: bool | None = None
    prediction_set: tuple[str, ...] | None = None
    refused: str | None = None
    cautions: tuple[str, ...] = ()
    features: NDArray[np.float32] | None = None
    second_reader: SecondOpinion | None = None
    network_logits: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that could not be used, with the one-line reason."""

    path: str
    reason: str
    frame: int = field(default=0)
