"""Total-variation denoising."""

from __future__ import annotations

import numpy as np

from busight.preprocess.enhance.ranges import require_within
from busight.preprocess.enhance.rounding import as_grey
from busight.types import Image


def total_variation(image: Image, weight: float = 20.0, steps: int = 50) -> Image:
    """Find the picture with little total variation that is still near the given one.

    Args:
        image: uint8 HW.
        weight: Of the total variation against the nearness, in grey values, 1–200.
        steps: At most, 5–500.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: A value out of range.

    Source:
        Chambolle, An algorithm for total variation minimization and applications, Journal of Mathematical Imaging and
        Vision 20 (2004) 89–97, as in scikit-image.
    """
    require_within("total_variation", "weight", weight, 1, 200)
    require_within("total_variation", "steps", steps, 5, 500)
    from skimage.restoration import denoise_tv_chambolle

    values = image.astype(np.float32)
    found = denoise_tv_chambolle(values, weight=weight, max_num_iter=steps)
    return as_grey(found)
