"""Non-local means (NLM)."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np

from busight.preprocess.enhance.parameters import Odd, Within, validate_params
from busight.types import Image


@validate_params
def nlm(
    image: Image,
    strength: Annotated[float, Within(1, 100)] = 12.0,
    patch: Annotated[int, Odd(3, 15)] = 5,
    search: Annotated[int, Odd(5, 41)] = 15,
) -> Image:
    """Return means over nearby pixels weighted by the similarity of their patches, for additive noise.

    Args:
        image: uint8 HW.
        strength: Grey difference at which the weight of a patch falls off, in grey values.
        patch: Side of the compared patches in pixels.
        search: Side of the search window in pixels.

    Returns:
        uint8 HW.

    Raises:
        ConfigError: A value out of range.

    Source:
        Buades, Coll and Morel, A non-local algorithm for image denoising, CVPR 2005.
    """
    denoised = cv2.fastNlMeansDenoising(image, None, strength, patch, search)
    return denoised.astype(np.uint8, copy=False)
