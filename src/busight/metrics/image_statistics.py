"""Nineteen statistics of an image's appearance, cheap enough for every input image."""

from __future__ import annotations

import cv2
import numpy as np

from busight.types import FloatArray, Image

SIDE = 128

STATISTICS_VERSION = "2"
"""To be changed with any change of a statistic, here or in `busight.metrics.layout`.

Bundles that reject images by their appearance depend on it.
"""

NAMES = (
    "mean grey",
    "deviation of grey",
    "dark share",
    "bright share",
    "grey entropy",
    "fall with depth",
    "layering",
    "layering of fine detail",
    "fine detail",
    "fine over coarse detail",
    "near correlation across",
    "near correlation in depth",
    "far correlation across",
    "far correlation in depth",
    "tails of fine detail",
    "fine detail where it is bright",
    "patchiness of fine detail",
    "slow change in depth over across",
    "mirror symmetry",
)
"""Names of the statistics, in order."""


def image_statistics(image: Image) -> FloatArray:
    """Return the statistics of an image, shrunk or stretched to 128×128.

    Ultrasound is dark, lies in layers (grey changes faster in depth than across), fades with depth and is covered with
    speckle that is wider than deep and grows with brightness. Photographs, text, X-rays and noise differ from it in
    some of these numbers.

    Args:
        image: uint8 HW.

    Returns:
        float64 (19,), finite; see `NAMES`.
    """
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    smooth = np.asarray(cv2.GaussianBlur(small, (0, 0), 4.0), np.float64)
    fine = small - cv2.GaussianBlur(small, (0, 0), 1.5)
    local = np.sqrt(cv2.GaussianBlur(fine**2, (0, 0), 4.0))
    return np.array([*_grey(small, smooth), *_texture(small, smooth, fine, local), *_slow(small)])


def _grey(small: FloatArray, smooth: FloatArray) -> list[float]:
    counts = np.bincount(np.clip(small, 0, 255).astype(np.uint8).ravel() // 8, minlength=32)
    share = counts[counts > 0] / counts.sum()
    rows = smooth.mean(axis=1)
    return [
        float(small.mean()) / 255,
        float(small.std()) / 255,
        float((small < 16).mean()),
        float((small > 230).mean()),
        float(-(share * np.log2(share)).sum()),
        float(rows[: SIDE // 2].mean() - rows[SIDE // 2 :].mean()) / 255,
    ]


def _texture(small: FloatArray, smooth: FloatArray, fine: FloatArray, local: FloatArray) -> list[float]:
    spread = float(fine.std())
    return [
        _log_ratio(_step(smooth, 0), _step(smooth, 1)),
        _log_ratio(_step(fine, 0), _step(fine, 1)),
        float(np.log(spread + 0.5)),
        _log_ratio(spread, float(smooth.std())),
        _correlation(small[:, :-2], small[:, 2:]),
        _correlation(small[:-2], small[2:]),
        _correlation(small[:, :-10], small[:, 10:]),
        _correlation(small[:-10], small[10:]),
        float(np.log(np.square(fine * fine).mean() / (spread + 0.5) ** 4 + 0.1)),
        _correlation(local, smooth),
        _log_ratio(float(local.std()), float(local.mean())),
    ]


def _slow(small: FloatArray) -> list[float]:
    """Return the low-frequency variation in depth against across, and the left-right correlation."""
    depth, across = (float(_low_waves(small.mean(axis=axis)).sum()) for axis in (1, 0))
    return [float(np.log((depth + 1) / (across + 1))), _correlation(small, small[:, ::-1])]


def _low_waves(profile: FloatArray) -> FloatArray:
    """Return the amplitudes of a profile's first seven frequencies."""
    return np.asarray(np.abs(np.fft.rfft(profile - profile.mean()))[1:8])


def _step(values: FloatArray, axis: int) -> float:
    return float(np.abs(np.diff(values, axis=axis)).mean())


def _log_ratio(first: float, second: float) -> float:
    """Return the logarithm of a ratio of grey-value differences, each plus half a grey level."""
    return float(np.log((first + 0.5) / (second + 0.5)))


def _correlation(first: FloatArray, second: FloatArray) -> float:
    """Return the correlation of two halves of an image; 1 where one of them is flat."""
    first, second = first - first.mean(), second - second.mean()
    norm = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / norm if norm > 1e-9 else 1.0
