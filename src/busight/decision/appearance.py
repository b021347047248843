"""Rejection of images by their appearance: what is no B-mode image of one breast."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from busight.errors import DataError
from busight.io.arrays import read_arrays
from busight.metrics.image_statistics import NAMES, image_statistics
from busight.metrics.layout import black_share, seam_strength
from busight.metrics.mahalanobis import Gaussian, fit_gaussian
from busight.types import FloatArray, Image

MIN_IMAGES = 40
"""Fewer images than this do not determine the covariance of nineteen statistics."""

REJECTED = 0.005
"""Share of the training images that lie beyond each limit."""

_SEAM, _BLACK, _COLOURED = 2.0, 0.8, 0.02
"""Limits below which none is set, whatever the training images: see docs/log/2026-11-ready-model.md."""


@dataclass(frozen=True, slots=True)
class AppearanceDetector:
    """Out-of-distribution detector by appearance: a logistic regression on image statistics, and limits of the layout.

    It tells the training images from other pictures (`other_pictures`), of which it was fitted on statistics alone. Its
    inputs are the standardised statistics, their squares and their Mahalanobis distance from the training images.

    Attributes:
        mean: Means of the training images' statistics, (D,).
        deviation: Standard deviations of these statistics, (D,), above 0.
        precision: Inverse covariance of the standardised statistics, (D, D), row by row.
        weights: Weights of the statistics, their squares and the distance, (2 D + 1,).
        limit: Score above which an image is rejected.
        seam: Seam strength (`busight.metrics.layout`) above which a picture counts as two images side by side.
        black: Share of black pixels above which it counts as an empty field, 0–1.
        coloured: Share of coloured pixels above which it counts as no grey image, 0–1.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "allow_inf_nan": False}

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    precision: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    limit: float
    seam: float
    black: float
    coloured: float

    def __post_init__(self) -> None:
        """Raise for parameters that define no score."""
        count = len(self.mean)
        square = len(self.precision) == count and all(len(row) == count for row in self.precision)
        if not (square and len(self.deviation) == count and min(self.deviation, default=0) > 0):
            raise ValueError("a detector has as many means as deviations above 0, and a square precision")
        if len(self.weights) != 2 * count + 1:
            raise ValueError("a detector has two weights for each statistic, and one for the distance")
        precision = np.array(self.precision)
        if not np.allclose(precision, precision.T) or np.linalg.eigvalsh(precision).min() <= 0:
            raise ValueError("the precision of a detector is symmetric and positive definite")
        if not (self.seam > 0 and 0 < self.black <= 1 and 0 < self.coloured <= 1):
            raise ValueError("the limits of a detector's layout are above 0, its shares at most 1")

    def score(self, statistics: FloatArray) -> FloatArray:
        """Return the log-odds, but for a constant, of being another picture: float64 (N,), of statistics (N, D)."""
        known = Gaussian(np.array(self.mean), np.array(self.deviation), np.array(self.precision))
        return np.asarray(_inputs(known, statistics) @ np.array(self.weights))

    def rejection(self, image: Image, coloured: float = 0.0) -> str | None:
        """Return why an image is rejected, in one line; None where it is not.

        Args:
            image: uint8 HW.
            coloured: Share of its file's pixels that are clearly coloured, 0–1.
        """
        if coloured > self.coloured:
            return f"coloured in {100 * coloured:.0f} % of its pixels: a photograph, Doppler or elastography"
        if (black := black_share(image)) > self.black:
            return f"nearly without echoes: {100 * black:.0f} % of it are black"
        score = float(self.score(image_statistics(image)[None])[0])
        # NaN, which compares as False, must not count as known.
        if not score <= self.limit:
            return "unlike the images that this model learned from: more like a photograph, an X-ray or an empty field"
        if seam_strength(image) > self.seam:
            return "two images side by side; cut it to one of them"
        return None


def fit_appearance_detector(
    statistics: FloatArray,
    seams: FloatArray | None = None,
    blacks: FloatArray | None = None,
    *,
    others: FloatArray | None = None,
) -> AppearanceDetector:
    """Fit a detector by appearance on training and validation images.

    Args:
        statistics: float64 (N, D), of these images; see `busight.metrics.image_statistics`.
        seams: float64 (N,), their seam strengths; None sets the common limit.
        blacks: float64 (N,), their shares of black pixels; None sets the common limit.
        others: float64 (M, D), statistics of other pictures; None for `other_pictures`.

    Raises:
        DataError: Fewer than 40 images.

    Source: Hendrycks, Mazeika, Dietterich, "Deep anomaly detection with outlier exposure", ICLR 2019, here on
        statistics of the image. Lee et al., NeurIPS 2018 (Mahalanobis distance) for one of its inputs.
    """
    from sklearn.linear_model import LogisticRegression

    if len(statistics) < MIN_IMAGES:
        raise DataError(f"{len(statistics)} images: at least {MIN_IMAGES} are needed to say what images look like")
    known = fit_gaussian(statistics)
    others = other_pictures() if others is None else others
    inputs = np.concatenate([_inputs(known, statistics), _inputs(known, others)])
    scale = inputs.std(axis=0)
    is_other = np.arange(len(inputs)) >= len(statistics)
    fitted = LogisticRegression(C=0.01, class_weight="balanced", max_iter=5000).fit(inputs / scale, is_other)
    weights = fitted.coef_[0] / scale
    return AppearanceDetector(
        mean=tuple(map(float, known.mean)),
        deviation=tuple(map(float, known.deviation)),
        precision=tuple(tuple(map(float, row)) for row in known.precision),
        weights=tuple(map(float, weights)),
        limit=float(np.quantile(inputs[: len(statistics)] @ weights, 1 - REJECTED)),
        seam=_limit(seams, _SEAM),
        black=min(1.0, _limit(blacks, _BLACK)),
        coloured=_COLOURED,
    )


def other_pictures() -> NDArray[np.float64]:
    """Return the statistics, float64 (M, D), of pictures that are no breast ultrasound.

    Photographs, pages, drawings, mammograms, histology and simulated fields without contact: the numbers alone, no
    picture can be made from them. `benchmarks/other_pictures.py` makes the file and names the sources.
    """
    saved = read_arrays(Path(str(resources.files("busight.decision") / "other_pictures.npz")))
    if saved["names"].tolist() != list(NAMES):
        raise DataError("other_pictures.npz is of other statistics; run benchmarks/other_pictures.py")
    return saved["statistics"].astype(np.float64)


def _inputs(known: Gaussian, statistics: FloatArray) -> FloatArray:
    away = (statistics - known.mean) / known.deviation
    return np.concatenate([away, away**2, known.distance(statistics)[:, None]], axis=1)


def _limit(values: FloatArray | None, least: float) -> float:
    return least if values is None else max(least, float(np.quantile(values, 1 - REJECTED)))
