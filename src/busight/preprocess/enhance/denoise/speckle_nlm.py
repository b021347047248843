"""Non-local means for speckle: grey differences relative to the local brightness."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.preprocess.enhance.parameters import Odd, Within, validate_params
from busight.preprocess.enhance.rounding import as_grey
from busight.types import Image


@validate_params
def speckle_nlm(
    image: Image,
    strength: Annotated[float, Within(0.2, 5)] = 1.0,
    exponent: Annotated[float, Within(0, 1)] = 0.5,
    patch: Annotated[int, Odd(3, 11)] = 5,
    search: Annotated[int, Odd(3, 21)] = 11,
) -> Image:
    """Return means over nearby pixels weighted by the similarity of their patches, for noise that grows with signal.

    The noise model is u = v + v^g n. Patches are compared by the Pearson distance, the mean of
    (u_i - u_j)^2 / u_j^(2 g), and weighted by exp(-distance / h^2) with h = strength times the noise, which is
    estimated as the median of local deviations in the same scale. In log-compressed images g is about 0.5.

    Args:
        image: uint8 HW.
        strength: h as a multiple of the noise.
        exponent: g; 0 is the usual distance for additive noise.
        patch: Side of the compared patches in pixels.
        search: Side of the search window in pixels.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.

    Source:
        Coupé, Hellier, Kervrann and Barillot, Nonlocal means-based speckle filtering for ultrasound images, IEEE
        Transactions on Image Processing 18 (2009) 2221–2229, eq. 8 and 12, pixel by pixel instead of in blocks.
    """
    reach, around = search // 2, (patch, patch)
    noise = _noise(image.astype(np.float32), around, exponent)
    if noise <= 0:
        return image.copy()
    sharpness = np.float32(-1 / (2 * noise * strength**2))
    padded = cv2.copyMakeBorder(image, reach, reach, reach, reach, cv2.BORDER_REFLECT).astype(np.float32)
    padded_scale = np.maximum(padded, 1) ** np.float32(-2 * exponent)
    height, width = image.shape
    values = padded[reach : reach + height, reach : reach + width]
    total, weights, weight = (np.zeros(image.shape, dtype=np.float32) for _ in range(3))
    for down in range(search):
        for right in range(search):
            other = padded[down : down + height, right : right + width]
            np.subtract(values, other, out=weight)
            weight *= weight
            weight *= padded_scale[down : down + height, right : right + width]
            cv2.blur(weight, around, dst=weight, borderType=cv2.BORDER_REFLECT)
            weight *= sharpness
            cv2.exp(weight, dst=weight)
            weights += weight
            weight *= other
            total += weight
    del padded, padded_scale, values, other, weight
    total /= weights
    return as_grey(total)


def _noise(values: NDArray[np.float32], around: tuple[int, int], exponent: float) -> float:
    """Return the noise variance: the median of local variances over the local mean to the power 2 g."""
    mean = np.asarray(cv2.blur(values, around, borderType=cv2.BORDER_REFLECT))
    spread = values * values
    spread = np.asarray(cv2.blur(spread, around, borderType=cv2.BORDER_REFLECT))
    spread -= mean * mean
    np.maximum(spread, 0, out=spread)
    np.maximum(mean, 1, out=mean)
    spread *= mean ** np.float32(-2 * exponent)
    return float(np.median(spread, overwrite_input=True))
