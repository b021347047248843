"""What an assessment yields: scores with intervals."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Score:
    """One figure with its interval.

    Attributes:
        metric: ``"accuracy"``, ``"sensitivity"``, ``"auroc"``, ``"dice"`` ...
        of: What it speaks of: ``"overall"``, ``"macro"``, ``"weighted"``, a class name, ``"lesion images"`` ...
        value: The figure on all cases; NaN where undefined.
        low: Lower end of the interval; NaN where undefined.
        high: Upper end of the interval; NaN where undefined.
        n: Images the figure is taken over.
        undefined_resamples: Bootstrap resamples in which the figure was undefined (and which were left out).
    """

    metric: str
    of: str
    value: float
    low: float
    high: float
    n: int
    undefined_resamples: int = 0

    def document(self) -> dict[str, object]:
        """Return the figure and its interval as JSON; NaN is null there."""
        names = ("metric", "of", "value", "low", "high", "n")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class ScoreSheet:
    """Every score of one model on one set of cases.

    Attributes:
        classes: Class names, in the order of the confusion matrix.
        n_images: Cases scored.
        n_groups: Independent groups among them (patients and near-duplicate components): what was resampled.
        support: Cases per class.
        confusion: Rows actual, columns predicted; over repeats of one experiment, their sum.
        scores: The figures.
        resamples: Bootstrap resamples.
        level: Coverage of the intervals.
        seed: Seed of the resampling.
    """

    classes: tuple[str, ...]
    n_images: int
    n_groups: int
    support: tuple[int, ...]
    confusion: tuple[tuple[int, ...], ...]
    scores: tuple[Score, ...]
    resamples: int
    level: float
    seed: int

    def get(self, metric: str, of: str = "overall") -> Score:
        """Return one score.

        Raises:
            KeyError: The sheet does not hold it.
        """
        for score in self.scores:
            if score.metric == metric and score.of == of:
                return score
        raise KeyError(f"no score {metric!r} of {of!r}")
