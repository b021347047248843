"""B-mode images from radio-frequency lines of a linear array: envelope, square pixels, log compression."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.types import Image, Mask

SPEED_OF_SOUND_MM = 1_540_000
"""In mm/s: the value that every scanner assumes for soft tissue."""

DYNAMIC_RANGE_DB = 50
"""Echoes this much weaker than the strongest are black."""


def axial_spacing_mm(sampling_hz: float) -> float:
    """Return the depth between two samples of a line in mm; the pulse travels there and back.

    Example:
        >>> axial_spacing_mm(40e6)
        0.01925
    """
    return SPEED_OF_SOUND_MM / (2 * sampling_hz)


def b_mode(rf: NDArray[Any], axial_mm: float, lateral_mm: float, dynamic_range_db: float = DYNAMIC_RANGE_DB) -> Image:
    """Compute a B-mode image with square pixels of ``lateral_mm``.

    The envelope is the magnitude of the analytic signal of each line, that is along depth. It is averaged over the area
    of a pixel before the logarithm, so that speckle is not aliased.

    Args:
        rf: RF samples, real, shape (samples, lines): a column is a line, its first sample nearest to the probe.
        axial_mm: Distance between samples.
        lateral_mm: Distance between lines.
        dynamic_range_db: Range from black to white.

    Returns:
        uint8 HW: 255 for the strongest echo, 0 for ``dynamic_range_db`` below it and less.

    Raises:
        ImportError: SciPy is not installed.
    """
    from scipy.signal import hilbert

    echoes = np.asarray(rf, dtype=np.float64)
    echoes = (echoes / np.abs(echoes).max()).astype(np.float32)
    envelope = np.abs(hilbert(echoes, axis=0)).astype(np.float32)
    pixels = square_pixels(envelope, axial_mm, lateral_mm)
    weakest = 10 ** (-dynamic_range_db / 20)
    decibels = 20 * np.log10(np.maximum(pixels / pixels.max(), weakest))
    image: Image = np.rint(255 * (1 + decibels / dynamic_range_db)).astype(np.uint8)
    return image


def square_mask(roi: NDArray[Any], axial_mm: float, lateral_mm: float) -> Mask:
    """Return a region given on the samples (all but 0 is inside) on the square pixels of ``b_mode``, bool HW."""
    return square_pixels((roi > 0).astype(np.float32), axial_mm, lateral_mm) >= 0.5


def square_pixels(samples: NDArray[np.float32], axial_mm: float, lateral_mm: float) -> NDArray[np.float32]:
    """Resample depth so that pixels are as high as they are wide, by area averaging where pixels become larger."""
    rows = max(1, round(samples.shape[0] * axial_mm / lateral_mm))
    method = cv2.INTER_AREA if rows < samples.shape[0] else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(samples), (samples.shape[1], rows), interpolation=method)
    return np.asarray(resized, dtype=np.float32).reshape(rows, samples.shape[1])
