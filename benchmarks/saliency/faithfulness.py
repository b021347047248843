"""Is a map of where a network looked true? Does it lie on the lesion, and does the answer hang on what it marks?"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.errors import DataError
from busight.types import FloatArray, Image, Mask
from saliency.occlusion import Score


def pointing_hit(activation: NDArray[np.float32], mask: Mask) -> bool:
    """Say whether the highest place of a map lies on the lesion; of several equally high ones the first counts.

    Args:
        activation: float32 HW.
        mask: bool HW, not empty.

    Raises:
        DataError: The mask is empty, or of another size.

    Source: Zhang et al., "Top-down neural attention by excitation backprop", ECCV 2016, section 4.1 (pointing game).
    """
    _check(activation, mask)
    return bool(mask.flat[int(np.argmax(activation))])


def energy_inside(activation: NDArray[np.float32], mask: Mask) -> float:
    """Return the share of a map's positive part that lies on the lesion, 0–1; NaN where nothing is positive.

    Args:
        activation: float32 HW.
        mask: bool HW, not empty.

    Raises:
        DataError: The mask is empty, or of another size.

    Source: Wang et al., "Score-CAM", CVPR Workshops 2020, section 4.3 (energy-based pointing game).
    """
    _check(activation, mask)
    positive = np.maximum(activation.astype(np.float64), 0)
    total = float(positive.sum())
    return float(positive[mask].sum()) / total if total > 0 else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Removal:
    """What becomes of the answer as pixels are taken away, or given back, in the order of a map.

    Attributes:
        share: float64 (M,), share of the pixels changed, 0 to 1.
        score: float64 (M,), the score then.
    """

    share: FloatArray
    score: FloatArray

    @property
    def area(self) -> float:
        """Mean score over the shares: of a true map low under deletion and high under insertion."""
        return float(np.trapezoid(self.score, self.share))


def deletion(image: Image, activation: NDArray[np.float32], score: Score, steps: int = 16) -> Removal:
    """Blur the image away, the highest places of the map first.

    Args:
        image: uint8 HW.
        activation: float32 HW.
        score: Of an image; called steps + 1 times.
        steps: Steps from none to all.

    Raises:
        DataError: Map and image differ in size.

    Source: Petsiuk et al., "RISE", BMVC 2018, section 4.1, with a blurred image in the place of grey.
    """
    return _curve(image, _blurred(image), activation, score, steps)


def insertion(image: Image, activation: NDArray[np.float32], score: Score, steps: int = 16) -> Removal:
    """Begin with the blurred image and give the highest places of the map back first; see `deletion`."""
    return _curve(_blurred(image), image, activation, score, steps)


def _blurred(image: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), max(1.0, min(image.shape) / 10)), dtype=np.uint8)


def _curve(first: Image, last: Image, activation: NDArray[np.float32], score: Score, steps: int) -> Removal:
    if activation.shape != first.shape:
        raise DataError(f"the map is {activation.shape}, the image {first.shape}; bring them to one size first")
    order = np.argsort(-activation.ravel(), kind="stable")
    shares = np.linspace(0, 1, steps + 1)
    scores = []
    for share in shares.tolist():
        changed = first.copy()
        chosen = order[: round(share * order.size)]
        changed.flat[chosen] = last.flat[chosen]
        scores.append(score(changed))
    return Removal(shares, np.array(scores, dtype=np.float64))


def _check(activation: NDArray[np.float32], mask: Mask) -> None:
    if activation.shape != mask.shape:
        raise DataError(f"the map is {activation.shape}, the mask {mask.shape}; bring them to one size first")
    if not mask.any():
        raise DataError("the mask is empty: there is no lesion to lie on")
