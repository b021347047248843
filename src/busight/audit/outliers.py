"""Outliers of a set: photographs, screenshots, other modalities among ultrasound images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from busight.metrics.mahalanobis import fit_gaussian
from busight.types import FloatArray

FAR = 2.8
"""Distance, in medians of the set's own distances, from which an image counts as an outlier. Measured with 28
photographs, drawings and noise images among BUSI, BUS-BRA and BUS_UC (docs/log/2026-11-rebuild.md)."""

FEWEST = 60
"""Fewer images than this give no scores: too few to estimate the distribution."""


def outlier_scores(statistics: Sequence[FloatArray]) -> FloatArray:
    """Return the outlier score of each image: its distance in medians of this distance over the set, float64 (N,).

    The statistics and the distance are those by which a model rejects images out of its training distribution; here the
    distribution is fitted on the nearest four fifths of the set, so that outliers do not shift it.

    Args:
        statistics: Those of `busight.metrics.image_statistics.image_statistics`, for each image.

    Returns:
        About 1 for a usual image; NaN for all where there are fewer than 60 or they do not differ.
    """
    nothing: NDArray[np.float64] = np.full(len(statistics), np.nan)
    if len(statistics) < FEWEST:
        return nothing
    vectors = np.stack(statistics)
    distance = fit_gaussian(vectors).distance(vectors)
    distance = fit_gaussian(vectors[distance <= np.quantile(distance, 0.8)]).distance(vectors)
    middle = float(np.median(distance))
    return np.asarray(distance / middle) if middle > 0 else nothing
