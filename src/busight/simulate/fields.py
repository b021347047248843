"""Smooth random fields and thin sheets in millimetres, the texture of the tissues."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
"""A map over the image, float32 HW."""


def smooth_field(
    rng: np.random.Generator, shape: tuple[int, int], spacing_mm: float, length_mm: tuple[float, float]
) -> Field:
    """Draw a Gaussian random field of mean 0 and standard deviation about 1.

    The noise is drawn on a coarse grid of two nodes per correlation length and enlarged, so that the cost does not grow
    with the length.

    Args:
        rng: Source of randomness.
        shape: Rows and columns.
        spacing_mm: Distance of pixel centres.
        length_mm: Correlation length along depth and across, at least one pixel.

    Returns:
        float32, of the given shape.
    """
    # Three nodes of margin on each side keep the border effect of the blur out of the image.
    nodes = [math.ceil(2 * n * spacing_mm / length) + 6 for n, length in zip(shape, length_mm, strict=True)]
    coarse = rng.standard_normal(nodes, dtype=np.float32)
    # A Gaussian of 0.8 nodes leaves 1 / (4 pi 0.8^2) of the variance of white noise.
    coarse = cv2.GaussianBlur(coarse, (7, 7), 0.8) * np.float32(math.sqrt(4 * math.pi) * 0.8)
    factors = [2 * spacing_mm / length for length in length_mm]
    rows = np.arange(shape[0], dtype=np.float32) * np.float32(factors[0]) + np.float32(2.5)
    columns = np.arange(shape[1], dtype=np.float32) * np.float32(factors[1]) + np.float32(2.5)
    map_y, map_x = np.meshgrid(rows, columns, indexing="ij")
    return np.asarray(cv2.remap(coarse, map_x, map_y, cv2.INTER_CUBIC), dtype=np.float32)


def smooth_curve(rng: np.random.Generator, n: int, spacing_mm: float, length_mm: float) -> Field:
    """Draw one smooth random curve of ``n`` points, mean 0 and standard deviation about 1: float32, shape (n,)."""
    return smooth_field(rng, (n, 8), spacing_mm, (length_mm, 1e3 * spacing_mm))[:, 4]


def sheets(field: Field, spacing_mm: float, thickness_mm: float) -> Field:
    """Turn the zero level of a field into thin sheets, bright where they face the probe.

    A smooth surface sends its echo back only along its normal; the echo of a sheet falls with the square of the cosine
    between its normal and the beam. Cooper's ligaments, fascias and muscle fibres are drawn this way.

    Args:
        field: float32 HW.
        spacing_mm: Distance of pixel centres.
        thickness_mm: Standard deviation of the sheet's profile.

    Returns:
        float32 HW in 0–1.
    """
    along_z = cv2.Sobel(field, cv2.CV_32F, 0, 1, ksize=3, scale=1 / (8 * spacing_mm))
    along_x = cv2.Sobel(field, cv2.CV_32F, 1, 0, ksize=3, scale=1 / (8 * spacing_mm))
    steepness2 = along_z * along_z + along_x * along_x + np.float32(1e-6)
    distance2 = field * field / steepness2
    sheet: Field = np.exp(distance2 * np.float32(-0.5 / thickness_mm**2)) * (along_z * along_z / steepness2)
    return sheet


def step(distance_mm: Field, softness_mm: float) -> Field:
    """Return a soft step: 0 well above 0 mm, 1 well below (positive is inside), float32."""
    inside: Field = np.float32(0.5) + np.float32(0.5) * np.tanh(distance_mm * np.float32(1 / softness_mm))
    return inside
