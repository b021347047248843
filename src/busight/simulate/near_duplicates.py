"""Near-duplicates of an image, of the kinds in public archives. Injected to test the audit."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from busight.simulate.overlay import burn_overlay
from busight.types import Image, Mask

NearDuplicateKind = Literal["brightness", "crop", "overlay", "noise", "flip"]
SIMPLE_KINDS: tuple[NearDuplicateKind, ...] = ("brightness", "crop", "overlay", "noise")
"""Kinds of near-duplicates that correlate pixel by pixel; a flipped one does not."""


def make_near_duplicate(
    rng: np.random.Generator, kind: NearDuplicateKind, image: Image, mask: Mask
) -> tuple[Image, Mask]:
    """Return a near-duplicate of an image and its mask.

    Args:
        rng: Source of randomness.
        kind: ``"brightness"`` (gain and contrast), ``"crop"`` (1–2.4 % of the width lost, scaled back),
            ``"overlay"`` (text and calipers), ``"noise"`` (fresh grey noise) or ``"flip"`` (left and right exchanged).
        image: uint8 HW.
        mask: bool HW.

    Returns:
        uint8 HW and bool HW.
    """
    if kind == "flip":
        return np.ascontiguousarray(image[:, ::-1]), np.ascontiguousarray(mask[:, ::-1])
    if kind == "overlay":
        return burn_overlay(rng, image, mask), mask
    if kind == "crop":
        return _cropped(rng, image, mask)
    grey = image.astype(np.float32)
    if kind == "brightness":
        grey = grey * np.float32(rng.uniform(0.88, 1.12)) + np.float32(rng.uniform(-10, 10))
    else:
        grey = grey + rng.standard_normal(image.shape, dtype=np.float32) * np.float32(8)
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8), mask


def _cropped(rng: np.random.Generator, image: Image, mask: Mask) -> tuple[Image, Mask]:
    height, width = image.shape
    # Layers are thin along depth and wide across: an image stays similar only while little of its height is cropped.
    left, right = (max(1, round(width * rng.uniform(0.004, 0.012))) for _ in range(2))
    window = (slice(1, height - max(1, round(height * rng.uniform(0.002, 0.006)))), slice(left, width - right))
    picture = cv2.resize(image[window], (width, height), interpolation=cv2.INTER_LINEAR)
    inside = cv2.resize(mask[window].astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(picture, dtype=np.uint8), np.asarray(inside) >= 0.5
