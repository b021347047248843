"""Temperature scaling: calibration by one parameter, fitted on validation cases only."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from busight.errors import DataError
from busight.metrics.activations import log_softmax, softmax
from busight.metrics.checks import check_target
from busight.types import FloatArray, IntArray

MIN_CASES = 20
"""With fewer cases than this even one parameter is uncertain by a factor of about two."""

# Wide enough for any trained network; the bounds keep the search finite.
_LOWEST, _HIGHEST = 0.05, 20.0


@dataclass(frozen=True, slots=True)
class Temperature:
    """Temperature scaling: logits divided by one parameter.

    Attributes:
        temperature: Above 0; above 1 it lowers a model's confidence, below 1 it raises it.

    Source: Guo et al., "On calibration of modern neural networks", 2017, eq. 9.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    method: Literal["temperature"] = "temperature"

    @classmethod
    def fit(cls, logits: FloatArray, target: IntArray) -> Self:
        """Fit on validation cases; see `fit_temperature`."""
        return cls(fit_temperature(logits, target))

    def apply(self, logits: FloatArray) -> FloatArray:
        """Map logits, float64 (N, K), to calibrated probabilities, float64 (N, K)."""
        return apply_temperature(logits, self.temperature)

    def fits(self, n_classes: int) -> bool:
        """Return whether it was fitted on this number of classes: it fits any."""
        return True

    def to_dict(self) -> dict[str, Any]:
        """Return its entry in a card."""
        return asdict(self)


def apply_temperature(logits: FloatArray, temperature: float) -> FloatArray:
    """Return calibrated probabilities, softmax(logits / T). The predicted class stays the same.

    Args:
        logits: float64 (..., K).
        temperature: T above 0; above 1 it lowers a model's confidence, below 1 it raises it.

    Returns:
        float64 (..., K), the last axis sums to 1.

    Raises:
        DataError: The temperature is not a finite number above 0.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise DataError(f"temperature {temperature}: it is a finite number above 0; fit it with fit_temperature")
    return softmax(np.asarray(logits, np.float64) / temperature)


def fit_temperature(logits: FloatArray, target: IntArray) -> float:
    """Return the temperature with the lowest log-loss on validation cases.

    Args:
        logits: float64 (N, K), of cases that took no part in training and will take none in testing.
        target: int64 (N,), actual class 0..K-1.

    Returns:
        T within 0.05–20. A value at the upper end means that the logits carry no information on the target.

    Raises:
        DataError: The cases cannot determine a temperature: fewer than 20 of them, all of one class, or all of them
            predicted right (the log-loss then falls all the way to T = 0, unbounded confidence). The model is then
            uncalibrated. Classes without a case are left out of the log-loss: nothing is known of them.

    Source: Guo et al., "On calibration of modern neural networks", 2017, eq. 9.
    """
    from scipy.optimize import minimize_scalar

    logits = np.asarray(logits, np.float64)
    check_can_be_fitted(logits, target, every_class=False)
    present, target = np.unique(target, return_inverse=True)
    logits = logits[:, present]
    cases = np.arange(len(target))

    def mean_negative_log_likelihood(log_temperature: float) -> float:
        return -float(log_softmax(logits / np.exp(log_temperature))[cases, target].mean())

    # The loss is convex in 1/T, hence has one minimum in log T too, where the search is evenly spaced.
    optimum = minimize_scalar(
        mean_negative_log_likelihood,
        bounds=(np.log(_LOWEST), np.log(_HIGHEST)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(optimum.x))


def check_can_be_fitted(logits: FloatArray, target: IntArray, *, every_class: bool = True) -> None:
    """Raise for cases that cannot determine a calibration.

    Args:
        logits: float64 (N, K).
        target: int64 (N,).
        every_class: Whether each class needs a case; otherwise two of them do.

    Raises:
        DataError: The cases cannot determine it; see `fit_temperature`.
    """
    if logits.ndim != 2 or not np.isfinite(logits).all():
        raise DataError(f"logits of shape {logits.shape}: they are (cases, classes) and finite; check the network")
    check_target(target, *logits.shape)
    n_cases, n_classes = logits.shape
    if n_cases < MIN_CASES:
        raise DataError(f"{n_cases} validation cases: a calibration needs at least {MIN_CASES}; add cases")
    counts = np.bincount(target, minlength=n_classes)
    empty = np.flatnonzero(counts == 0)
    if every_class and empty.size:
        raise DataError(f"class {empty[0]} has no validation case: a calibration needs every class; add cases")
    if (counts > 0).sum() < 2:
        raise DataError(f"all {n_cases} validation cases are of class {target[0]}; add cases of another")
    own = logits[np.arange(n_cases), target]
    if (own == logits[:, counts > 0].max(1)).all():
        raise DataError(f"all {n_cases} validation cases are predicted right: a calibration needs errors; add cases")
