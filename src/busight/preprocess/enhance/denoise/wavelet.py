"""Wavelet shrinkage (BayesShrink)."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from busight.preprocess.enhance.parameters import Within, validate_params
from busight.preprocess.enhance.rounding import as_grey
from busight.types import Image


@validate_params
def wavelet(
    image: Image, levels: Annotated[int, Within(1, 6)] = 3, strength: Annotated[float, Within(0.1, 20)] = 3.0
) -> Image:
    """Return the image with its wavelet coefficients shrunk by a threshold for each band.

    Args:
        image: uint8 HW.
        levels: Levels of the decomposition; fewer where the image is too small.
        strength: Noise as a multiple of the estimate from the finest band. Speckle is wider than a pixel, so that the
            finest band holds too little of it.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.

    Source:
        Chang, Yu and Vetterli, Adaptive wavelet thresholding for image denoising and compression, IEEE Transactions on
        Image Processing 9 (2000) 1532–1546 (BayesShrink), as in scikit-image; Daubechies 2.
    """
    from pywt import dwt2, dwt_max_level
    from skimage.restoration import denoise_wavelet

    deepest = dwt_max_level(min(image.shape), "db2")
    if deepest < 1:
        return image.copy()
    values = image.astype(np.float32)
    finest = dwt2(values, "db2")[1][-1]
    finest = np.abs(finest[finest != 0])  # black rims carry no noise
    if not finest.size:
        return image.copy()
    noise = strength * float(np.median(finest)) / 0.6745
    denoised = denoise_wavelet(
        values, sigma=noise, wavelet="db2", wavelet_levels=min(levels, deepest), method="BayesShrink"
    )
    return as_grey(denoised)
