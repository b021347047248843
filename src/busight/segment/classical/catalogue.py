"""The segmentation methods without training, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.data.shrink import shrink
from busight.segment.classical.active_contours import chan_vese, geodesic
from busight.segment.classical.adaptive import adaptive
from busight.segment.classical.canny import canny
from busight.segment.classical.clusters import fuzzy_cmeans, kmeans
from busight.segment.classical.grabcut import grabcut
from busight.segment.classical.gvf_snake import gvf_snake
from busight.segment.classical.otsu import multi_otsu, otsu
from busight.segment.classical.region_growing import region_growing
from busight.segment.classical.watershed import watershed
from busight.segment.proposal import LesionProposal
from busight.segment.settings import ClassicalName
from busight.types import Image


class PromptedMethod(Protocol):
    """A method that starts from a lesion proposal, its own or a user's prompt."""

    def __call__(self, image: Image, *, proposal: LesionProposal | None = None) -> NDArray[np.float32]:
        """Map an image, uint8 HW, to scores, float32 HW in 0–1."""
        ...


Method = Callable[[Image], NDArray[np.float32]]
"""From an image, uint8 HW, to a score of each pixel, float32 HW in 0–1: 0.5 and more inside the predicted lesion."""

METHODS: dict[ClassicalName, Method] = {
    "otsu": otsu,
    "multi_otsu": multi_otsu,
    "adaptive": adaptive,
    "canny": canny,
    "watershed": watershed,
    "region_growing": region_growing,
    "kmeans": kmeans,
    "fuzzy_cmeans": fuzzy_cmeans,
    "chan_vese": chan_vese,
    "geodesic": geodesic,
    "gvf_snake": gvf_snake,
    "grabcut": grabcut,
}

PROMPTED: dict[ClassicalName, PromptedMethod] = {
    "watershed": watershed,
    "region_growing": region_growing,
    "chan_vese": chan_vese,
    "geodesic": geodesic,
    "gvf_snake": gvf_snake,
    "grabcut": grabcut,
}
"""The methods that take a box or a click as prompt."""

_LONGEST = 1024
"""Pixels on the longer side; the methods' time grows with the area and the discs in it, and lesions need no more."""


def scores_of(name: ClassicalName, image: Image, proposal: LesionProposal | None = None) -> NDArray[np.float32]:
    """Return the scores of a method on an image of any size.

    Args:
        name: Name of the method; with ``proposal`` one of `PROMPTED`.
        image: uint8 HW; one of more than 1,024 pixels on its longer side is shrunk first.
        proposal: The lesion proposal of a prompt; None where the method computes its own.

    Returns:
        float32 HW in 0–1.
    """
    small = shrink(image, _LONGEST)
    if proposal is None:
        scores = METHODS[name](small)
    else:
        mask = cv2.resize(proposal.mask.astype(np.uint8), small.shape[::-1], interpolation=cv2.INTER_NEAREST)
        scores = PROMPTED[name](small, proposal=LesionProposal(mask.astype(np.bool_), proposal.score))
    if scores.shape == image.shape:
        return scores
    wide = cv2.resize(scores, image.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(wide, dtype=np.float32).reshape(image.shape)
