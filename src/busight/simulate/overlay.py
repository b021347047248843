"""Overlays that an operator burns into an image: text, a body mark, calipers. Injected to test the audit."""

from __future__ import annotations

import cv2
import numpy as np

from busight.types import Image, Mask

_TEXTS = ("RT BREAST", "LT BREAST", "LT LIQ", "RT UOQ", "AXILLA", "SCAN 2")
_INK = 255


def burn_overlay(rng: np.random.Generator, image: Image, mask: Mask) -> Image:
    """Return the image with text burned in and, where there is a lesion, calipers across it.

    Args:
        rng: Source of randomness.
        image: uint8 HW; left as it is.
        mask: bool HW; the calipers measure its width and height.

    Returns:
        uint8 HW.
    """
    marked = image.copy()
    size = image.shape[0]
    scale = size / 256
    place = (int(size * rng.uniform(0.05, 0.55)), int(size * rng.uniform(0.1, 0.95)))
    text = _TEXTS[int(rng.integers(len(_TEXTS)))]
    cv2.putText(marked, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42 * scale, _INK, 1, cv2.LINE_8)
    if mask.any():
        rows, columns = np.nonzero(mask)
        middle = (int(columns.mean()), int(rows.mean()))
        _caliper(marked, (int(columns.min()), middle[1]), (int(columns.max()), middle[1]), scale)
        _caliper(marked, (middle[0], int(rows.min())), (middle[0], int(rows.max())), scale)
    return marked


def _caliper(image: Image, start: tuple[int, int], end: tuple[int, int], scale: float) -> None:
    """Draw two crosses and the dotted line between them, in place."""
    for point in (start, end):
        cv2.drawMarker(image, point, _INK, cv2.MARKER_CROSS, max(5, round(9 * scale)), 1)
    dots = max(2, max(abs(end[0] - start[0]), abs(end[1] - start[1])) // 5)
    for share in np.linspace(0, 1, dots):
        x, y = (round(a + float(share) * (b - a)) for a, b in zip(start, end, strict=True))
        image[y, x] = _INK
