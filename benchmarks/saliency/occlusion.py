"""Where covering a part of the image changes the answer most: needs nothing of a network but its answers."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.errors import DataError
from busight.types import Image

Score = Callable[[Image], float]
"""How strongly an image, uint8 HW, speaks for the class that is to be explained."""


def occlusion_map(image: Image, score: Score, *, share: float = 0.2, steps: int = 10) -> NDArray[np.float32]:
    """Return how much the score falls when each place is covered.

    A square, ``share`` of the shorter side wide, is moved over the image in ``steps`` places each way; it covers the
    picture with a blurred copy of itself, so that no edge appears. A pixel's value is the mean fall over all squares on
    it.

    Args:
        image: uint8 HW.
        score: Called steps² + 1 times.
        share: Side of the square, above 0 and at most 1.
        steps: Places in each direction, 2 or more.

    Returns:
        float32 HW; above 0 where the place speaks for the class.

    Raises:
        DataError: A setting is out of range.

    Source: Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, section 4.2.
    """
    if not 0 < share <= 1 or steps < 2:
        raise DataError(f"share {share} and steps {steps}: a share is above 0 and at most 1, steps are 2 or more")
    # Captum's and MONAI's occlusion need a PyTorch module; this takes any predictor, such as a whole bundle.
    height, width = image.shape
    side = max(1, round(share * min(height, width)))
    blurred = cv2.GaussianBlur(image, (0, 0), max(1.0, side / 2))
    whole = score(image)
    fall, count = np.zeros(image.shape), np.zeros(image.shape)
    for top in np.unique(np.linspace(0, height - side, steps).round().astype(int)).tolist():
        for left in np.unique(np.linspace(0, width - side, steps).round().astype(int)).tolist():
            place = np.s_[top : top + side, left : left + side]
            covered = image.copy()
            covered[place] = blurred[place]
            fall[place] += whole - score(covered)
            count[place] += 1
    return np.asarray(fall / np.maximum(count, 1), dtype=np.float32)
