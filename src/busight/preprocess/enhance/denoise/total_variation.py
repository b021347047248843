"""Total-variation (TV) denoising."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from busight.preprocess.enhance.parameters import Within, validate_params
from busight.preprocess.enhance.rounding import as_grey
from busight.types import Image


@validate_params
def total_variation(
    image: Image, weight: Annotated[float, Within(1, 200)] = 20.0, steps: Annotated[int, Within(5, 500)] = 50
) -> Image:
    """Return the minimiser of half the squared distance to the image plus ``weight`` times the total variation.

    Args:
        image: uint8 HW.
        weight: Weight of the total variation, in grey values.
        steps: Highest number of iterations.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.

    Source:
        Chambolle, An algorithm for total variation minimization and applications, Journal of Mathematical Imaging and
        Vision 20 (2004) 89–97, as in scikit-image.
    """
    from skimage.restoration import denoise_tv_chambolle

    values = image.astype(np.float32)
    return as_grey(denoise_tv_chambolle(values, weight=weight, max_num_iter=steps))
