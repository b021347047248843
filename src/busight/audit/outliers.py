"""Pictures unlike all others of a set: photographs, screenshots, other modalities among ultrasound images."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.types import FloatArray, Image

FAR = 2.8
"""Distance, in medians of the set's own distances, from which a picture counts as unlike the rest. Measured with 28
photographs, drawings and noise images among BUSI and among BUS-BRA (`benchmarks/audit_planted.py`)."""

FEWEST = 60
"""Below this many pictures nothing is said: too few to know what is usual."""

_SIDE = 128


def appearance_features(image: Image) -> FloatArray:
    """Describe how a picture looks as a whole: float64 (9,).

    Ultrasound is brighter above than below, alike on the left and the right, layered (it changes more from row to row
    than from column to column), grained, and seldom white. Each of this is one number: log mean grey, log ratio of
    vertical to horizontal change, log ratios of the upper to the middle and the middle to the lower third, of the left
    to the right half, log grain and log coarse contrast relative to the mean, root of the shares above 200 and below 5.

    Args:
        image: uint8 HW.
    """
    small = cv2.resize(image.astype(np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    mean = float(small.mean())
    down, across = (float(np.abs(np.diff(small, axis=axis)).mean()) for axis in (0, 1))
    upper, middle, lower = (float(part.mean()) for part in np.array_split(small, 3))
    left, right = (float(half.mean()) for half in np.array_split(small, 2, axis=1))
    grain = float(np.abs(small - cv2.GaussianBlur(small, (0, 0), 2)).mean()) / (mean + 5)
    coarse = float(cv2.GaussianBlur(small, (0, 0), 8).std()) / (mean + 5)
    # The small numbers keep the logarithm of a black picture finite; each is below what a usable picture has.
    return np.array(
        [
            np.log(mean + 1),
            np.log((down + 0.5) / (across + 0.5)),
            np.log((upper + 1) / (middle + 1)),
            np.log((middle + 1) / (lower + 1)),
            np.log((left + 5) / (right + 5)),
            np.log(grain + 0.01),
            np.log(coarse + 0.01),
            np.sqrt((small > 200).mean()),
            np.sqrt((small < 5).mean()),
        ],
        dtype=np.float64,
    )


def outlier_scores(looks: Sequence[FloatArray]) -> FloatArray:
    """Return how far each picture lies from the usual, in medians of this distance over the set: float64 (N,).

    The distance is Mahalanobis', with centre and covariance of the most compact four fifths of the set, so that what is
    foreign does not make itself usual.

    Args:
        looks: Of `appearance_features`, one a picture.

    Returns:
        About 1 for a usual picture; NaN for all where there are fewer than 60 or they do not differ.

    Source: Rousseeuw and Van Driessen, "A fast algorithm for the minimum covariance determinant estimator", 1999.
    """
    from sklearn.covariance import MinCovDet

    nothing: NDArray[np.float64] = np.full(len(looks), np.nan)
    if len(looks) < FEWEST:
        return nothing
    found = np.stack(looks)
    # A number that hardly varies (no black at all) would make the covariance singular.
    varies = np.subtract(*np.quantile(found, (0.9, 0.1), axis=0)) > 1e-3
    if not varies.any():
        return nothing
    spread = found[:, varies]
    usual = MinCovDet(support_fraction=0.8, random_state=0).fit(spread)
    distance = np.sqrt(usual.mahalanobis(spread))
    middle = float(np.median(distance))
    return np.asarray(distance / middle) if middle > 0 else nothing
