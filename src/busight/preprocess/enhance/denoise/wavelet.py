"""Wavelet shrinkage."""

from __future__ import annotations

import numpy as np

from busight.preprocess.enhance.ranges import require_within
from busight.preprocess.enhance.rounding import as_grey
from busight.types import Image


def wavelet(image: Image, levels: int = 3, strength: float = 3.0) -> Image:
    """Shrink the wavelet coefficients of the picture by a threshold of each band.

    Args:
        image: uint8 HW.
        levels: Of the decomposition, 1–6; fewer where the picture is too small.
        strength: Noise as a multiple of what is measured in the finest band, 0.1–20. Speckle is wider than a pixel, so
            that the finest band holds too little of it.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: A value out of range.

    Source:
        Chang, Yu and Vetterli, Adaptive wavelet thresholding for image denoising and compression, IEEE Transactions on
        Image Processing 9 (2000) 1532–1546 (BayesShrink), as in scikit-image; Daubechies 2.
    """
    require_within("wavelet", "levels", levels, 1, 6)
    require_within("wavelet", "strength", strength, 0.1, 20)
    from pywt import dwt2, dwt_max_level
    from skimage.restoration import denoise_wavelet

    deepest = dwt_max_level(min(image.shape), "db2")
    if deepest < 1:
        return image.copy()
    values = image.astype(np.float32)
    finest = dwt2(values, "db2")[1][-1]
    finest = np.abs(finest[finest != 0])  # black rims say nothing of the noise
    if not finest.size:
        return image.copy()
    noise = strength * float(np.median(finest)) / 0.6745
    found = denoise_wavelet(
        values, sigma=noise, wavelet="db2", wavelet_levels=min(levels, deepest), method="BayesShrink"
    )
    return as_grey(found)
