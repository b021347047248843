"""Time-gain compensation (TGC): depth attenuation is compensated."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from busight.preprocess.enhance.parameters import Within, validate_params
from busight.types import Image


@validate_params
def tgc(
    image: Image, strength: Annotated[float, Within(0, 1)] = 0.7, smooth: Annotated[float, Within(0.01, 1)] = 0.1
) -> Image:
    """Return the image with the mean brightness of its depths levelled: after log compression a gain is a sum.

    The mean of each row over the pixels that are not black, smoothed over the rows, is subtracted and the mean of the
    image added. Black pixels stay black: they are not tissue.

    Args:
        image: uint8 HW, the probe above.
        strength: Share of the difference that is subtracted.
        smooth: Standard deviation of the Gaussian over the rows, as a share of the height.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.
    """
    from scipy.ndimage import gaussian_filter1d

    tissue = image > 0
    counts = tissue.sum(axis=1, dtype=np.float64)
    if not counts.any():
        return image.copy()
    sums = image.sum(axis=1, dtype=np.float64)
    sigma = max(0.3, smooth * len(image))
    # Rows are weighted by their tissue pixels, so that a black rim does not darken its neighbours.
    level, weight = (gaussian_filter1d(row, sigma, mode="reflect") for row in (sums, counts))
    rows = level / np.maximum(weight, 1e-9)
    shift = strength * (sums.sum() / counts.sum() - rows)
    levelled = np.rint(image + shift[:, None].astype(np.float32)).clip(1, 255).astype(np.uint8)
    return np.where(tissue, levelled, image)
