"""A short description of an image that stays alike under brightness, noise, small crops and overlays."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.types import Image

_KEPT = 8
COEFFICIENTS = _KEPT * _KEPT - 1


def coefficients(small: Image) -> NDArray[np.float32]:
    """Return the lowest 8×8 coefficients of the cosine transform but the mean, float32 (63,).

    Args:
        small: uint8 (96, 96).

    Source: Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010, section 3.2; kept as
        numbers, not as bits.
    """
    coarse = cv2.resize(small, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(cv2.dct(coarse), dtype=np.float32)[:_KEPT, :_KEPT].ravel()[1:]


def fingerprints(found: NDArray[np.float32], like: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Scale coefficients by their spread over the set, then each row to unit norm.

    Every breast ultrasound is bright above and dark below; without the scaling that alone would make all images alike.

    Args:
        found: float32 (N, 63).
        like: float32 (M, 63), the coefficients whose spread is used; None for ``found`` itself.

    Returns:
        float32 (N, 63), unit-norm rows; all zeros for a uniform image, which therefore matches nothing.
    """
    spread = (found if like is None else like).std(axis=0)
    # A coefficient without variance carries no information; with a single image none of them varies.
    scaled = np.where(spread > 0, found / np.where(spread > 0, spread, 1), found)
    norm = np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.asarray(scaled / np.where(norm > 0, norm, 1), dtype=np.float32)


def mirror_signs() -> dict[str, NDArray[np.float32]]:
    """Return what mirroring an image multiplies its fingerprint with, for each kind of mirroring.

    Left and right exchanged changes the sign of every odd horizontal frequency, above and below of every odd vertical
    one, so that mirrored near-duplicates are matched without mirroring any image.
    """
    vertical, horizontal = np.divmod(np.arange(1, _KEPT * _KEPT), _KEPT)
    signs = {
        "upright": np.zeros(COEFFICIENTS),
        "left-right": horizontal,
        "up-down": vertical,
        "half turn": horizontal + vertical,
    }
    return {name: np.where(odd % 2 == 1, -1, 1).astype(np.float32) for name, odd in signs.items()}
