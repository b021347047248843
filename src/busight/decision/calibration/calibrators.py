"""Ways to make probabilities mean what they say: fitted on validation cases, applied with NumPy alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from busight.decision.calibration.temperature import apply_temperature, check_can_be_fitted, fit_temperature
from busight.errors import DataError
from busight.metrics.activations import clip_probs, expit, log_softmax, logit, softmax
from busight.metrics.calibration_error import log_losses
from busight.types import FloatArray, IntArray

CalibrationMethod = Literal["none", "temperature", "vector", "isotonic", "beta"]
Numbers = tuple[tuple[float, ...], ...]

_PRIOR_CASES: Final = 2.0
"""Weight of the prior in vector scaling, in cases: it keeps two dozen numbers from being learned off a dozen images."""


@dataclass(frozen=True, slots=True)
class Calibrator:
    """A fitted calibration.

    Attributes:
        method: Its name.
        numbers: What was fitted. ``temperature``: ((T,),). ``vector``: K scales, then K offsets. ``beta``: for each
            class (a, b, c). ``isotonic``: for each class the steps' probabilities, then what they become, so 2 K rows.
    """

    method: CalibrationMethod
    numbers: Numbers = ()

    def fits(self, n_classes: int) -> bool:
        """Say whether the numbers are those of so many classes."""
        lengths = [len(row) for row in self.numbers]
        if self.method == "none":
            return not lengths
        if self.method == "temperature":
            return lengths == [1]
        if self.method == "vector":
            return lengths == [n_classes] * 2
        if self.method == "beta":
            return lengths == [3] * n_classes
        steps = zip(self.numbers[::2], self.numbers[1::2], strict=False)
        rising = all(len(x) == len(y) > 0 and list(x) == sorted(x) for x, y in steps)
        return len(lengths) == 2 * n_classes and rising

    def probs(self, logits: FloatArray) -> FloatArray:
        """Map logits, float64 (N, K), to calibrated probabilities, float64 (N, K), whose rows sum to 1."""
        logits = np.asarray(logits, np.float64)
        if self.method == "none":
            return softmax(logits)
        if self.method == "temperature":
            return apply_temperature(logits, self.numbers[0][0])
        if self.method == "vector":
            scale, offset = (np.array(row) for row in self.numbers)
            return softmax(logits * scale + offset)
        raw = softmax(logits)
        classes = range(raw.shape[1])
        if self.method == "beta":
            each = [_beta_of(raw[:, k], self.numbers[k]) for k in classes]
        else:
            each = [np.interp(raw[:, k], self.numbers[2 * k], self.numbers[2 * k + 1]) for k in classes]
        return _normalised(np.stack(each, axis=1), raw)


def fit_calibrator(method: CalibrationMethod, logits: FloatArray, target: IntArray) -> Calibrator:
    """Fit one way of calibration on validation cases.

    - ``temperature``: one number for all logits (Guo et al., "On calibration of modern neural networks", 2017, eq. 9).
    - ``vector``: a scale and an offset a class (Guo et al., section 4.2), drawn towards one temperature by a normal
      prior that weighs as much as two cases.
    - ``isotonic``: for each class against the rest the best rising step function, then normalised (Zadrozny and Elkan,
      "Transforming classifier scores into accurate multiclass probability estimates", KDD 2002).
    - ``beta``: for each class against the rest p ↦ 1 / (1 + 1 / (e^c p^a / (1 − p)^b)), then normalised (Kull et al.,
      "Beta calibration", AISTATS 2017, eq. 4).

    Args:
        method: Which.
        logits: float64 (N, K), of cases that took no part in training and will take none in testing.
        target: int64 (N,), actual class 0..K-1.

    Raises:
        DataError: The cases cannot determine it; see `busight.decision.calibration.temperature.fit_temperature`.
    """
    logits = np.asarray(logits, np.float64)
    if method == "none":
        return Calibrator("none")
    if method == "temperature":
        return Calibrator("temperature", ((fit_temperature(logits, target),),))
    check_can_be_fitted(logits, target)
    return Calibrator(method, _FITS[method](logits, target))


def choose_calibrator(
    logits: FloatArray, target: IntArray, groups: Sequence[str], methods: Sequence[CalibrationMethod], folds: int = 5
) -> Calibrator:
    """Choose the way with the lowest log-loss on grouped folds of the validation cases, and fit it on all of them.

    Within one standard error of the lowest, the way that comes first in ``methods`` is taken: a more modest one serves
    better where the cases cannot tell.

    Args:
        logits: float64 (N, K).
        target: int64 (N,).
        groups: Of each case; a group stays in one fold.
        methods: The candidates, the most modest first.
        folds: Folds; fewer where there are fewer groups.

    Raises:
        DataError: The cases cannot determine any of them.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    logits = np.asarray(logits, np.float64)
    check_can_be_fitted(logits, target)
    folds = min(folds, len(set(groups)), int(np.bincount(target).min()))
    if folds < 2:
        return fit_calibrator(methods[0], logits, target)
    cut = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    parts = list(cut.split(logits, target, list(groups)))
    losses: dict[CalibrationMethod, FloatArray] = {}
    for method in methods:
        try:
            losses[method] = np.concatenate([_held_out(method, logits, target, fit, held) for fit, held in parts])
        except DataError:
            continue  # a fold that this way cannot be fitted on says that it needs more cases
    if not losses:
        return fit_calibrator(methods[0], logits, target)
    best = min(losses, key=lambda method: float(losses[method].mean()))
    worse = {method: loss - losses[best] for method, loss in losses.items()}
    chosen = next(name for name, more in worse.items() if more.mean() <= more.std(ddof=1) / np.sqrt(len(more)))
    return fit_calibrator(chosen, logits, target)


def _held_out(
    method: CalibrationMethod, logits: FloatArray, target: IntArray, fit: IntArray, held: IntArray
) -> FloatArray:
    """Return the log-loss of each case that the calibration was not fitted on."""
    probs = fit_calibrator(method, logits[fit], target[fit]).probs(logits[held])
    return log_losses(target[held], probs)


def _fit_vector(logits: FloatArray, target: IntArray) -> Numbers:
    from scipy.optimize import minimize

    n, k = logits.shape
    start = np.concatenate([np.full(k, 1 / fit_temperature(logits, target)), np.zeros(k)])
    truth = np.eye(k)[target]

    def loss(numbers: FloatArray) -> tuple[float, FloatArray]:
        scale, offset = numbers[:k], numbers[k:]
        probs = softmax(logits * scale + offset)
        away = np.concatenate([scale / start[:k] - 1, offset])
        log_likelihood = log_softmax(logits * scale + offset)[np.arange(n), target].sum()
        slope = probs - truth
        steep = np.concatenate([(slope * logits).sum(0), slope.sum(0)])
        return float(_PRIOR_CASES / 2 * away @ away - log_likelihood), steep + _PRIOR_CASES * away / np.concatenate(
            [start[:k], np.ones(k)]
        )

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * k + [(None, None)] * k).x
    return tuple(map(float, found[:k])), tuple(map(float, found[k:]))


def _fit_isotonic(logits: FloatArray, target: IntArray) -> Numbers:
    from sklearn.isotonic import IsotonicRegression

    raw = softmax(logits)
    rows: list[tuple[float, ...]] = []
    for k in range(raw.shape[1]):
        fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(raw[:, k], target == k)
        rows += [tuple(map(float, fitted.X_thresholds_)), tuple(map(float, fitted.y_thresholds_))]
    return tuple(rows)


def _fit_beta(logits: FloatArray, target: IntArray) -> Numbers:
    raw = softmax(logits)
    return tuple(_beta(raw[:, k], target == k) for k in range(raw.shape[1]))


def _beta(probs: FloatArray, positive: FloatArray) -> tuple[float, float, float]:
    """Fit (a, b, c); an exponent that would be negative is set to 0 and the rest fitted again, as the source does.

    Where the one that is left would be negative too, the scores speak against the class, and only its share remains.
    """
    from sklearn.linear_model import LogisticRegression

    inside = clip_probs(probs)
    features = np.stack([np.log(inside), -np.log1p(-inside)], axis=1)

    def fit(used: list[int]) -> tuple[list[float], float]:
        # Almost no penalty: the source has none, but separable cases need an end.
        fitted = LogisticRegression(C=1e3, max_iter=1000).fit(features[:, used], positive)
        return fitted.coef_[0].tolist(), float(fitted.intercept_[0])

    (a, b), c = fit([0, 1])
    if a >= 0 and b >= 0:
        return a, b, c
    left = 1 if a < 0 <= b else 0
    (exponent,), c = fit([left])
    if exponent >= 0:
        return (0.0, exponent, c) if left else (exponent, 0.0, c)
    share = float(np.mean(positive))
    return 0.0, 0.0, float(logit(share))


def _beta_of(probs: FloatArray, numbers: tuple[float, ...]) -> FloatArray:
    a, b, c = numbers
    inside = clip_probs(probs)
    return np.asarray(expit(a * np.log(inside) - b * np.log1p(-inside) + c))


def _normalised(each: FloatArray, raw: FloatArray) -> FloatArray:
    """Make one-against-rest probabilities sum to 1; where all are 0 the steps say nothing, and the raw ones stay."""
    total = each.sum(axis=1, keepdims=True)
    return np.where(total > 0, each / np.where(total > 0, total, 1), raw)


_FITS: Final[dict[CalibrationMethod, Callable[[FloatArray, IntArray], Numbers]]] = {
    "vector": _fit_vector,
    "isotonic": _fit_isotonic,
    "beta": _fit_beta,
}
