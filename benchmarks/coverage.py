"""Coverage of the intervals: how often a 95 % interval holds the true value, by metric, groups and positives.

``python -m benchmarks.coverage --repeats 1000`` simulates data sets whose true metrics are known (from 400,000 further
groups), makes a metric table of each, and prints, for each number of groups, the share of its intervals that hold the
true value, and their mean width. The table stands in ``docs/explanation/intervals.md``.

A group is a patient with 1 to 5 images of one class; a score is the class's mean plus an effect of the group and one
of the image, of equal variance (intraclass correlation 0.5). With ``alone`` each group has one image.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from busight.metrics.compute import ScoredCases, compute_metrics
from busight.metrics.mask_scores import MASK_SCORES
from busight.metrics.metric_table import repeated_metric_table
from busight.metrics.paired import compare
from busight.types import FloatArray, IntArray

SHOWN = (
    ("accuracy", "overall"),
    ("sensitivity", "malignant"),
    ("specificity", "malignant"),
    ("precision", "malignant"),
    ("operating_sensitivity", "malignant"),
    ("balanced_accuracy", "overall"),
    ("f1", "malignant"),
    ("kappa", "overall"),
    ("mcc", "overall"),
    ("auroc", "malignant"),
    ("average_precision", "malignant"),
    ("brier", "overall"),
    ("log_loss", "overall"),
    ("ece", "overall"),
    ("dice", "lesion images"),
    ("hd95_px", "lesion images"),
    ("lesion_sensitivity", "lesion images"),
    ("false_positives_per_image", "images with a known mask"),
)
DIFFERENCES = (("accuracy", "overall"), ("auroc", "malignant"), ("sensitivity", "malignant"), ("dice", "lesion images"))


@dataclass(frozen=True)
class Setting:
    """What is simulated: groups, the share of malignant ones, images of a group, and how well the model does."""

    groups: int
    malignant: float = 0.5
    alone: bool = False
    separation: float = 2.0

    def __str__(self) -> str:
        images = "1 image" if self.alone else "1–5 images"
        positives = round(self.groups * self.malignant)
        return f"{self.groups} groups of {images}, {positives} malignant, d′ {self.separation:g}"


SETTINGS = (
    Setting(10),
    Setting(20),
    Setting(40, 0.25),
    Setting(100, 0.3),
    Setting(20, alone=True),
    Setting(40, 0.25, alone=True),
    Setting(100, 0.3, alone=True),
    Setting(20, separation=4.0),
    Setting(100, 0.1, separation=3.3),
    Setting(20, alone=True, separation=4.0),
    Setting(100, 0.1, alone=True, separation=3.3),
)


def main() -> None:
    """Print one table for each setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of the settings to run")
    chosen = parser.parse_args()
    for place, setting in enumerate(SETTINGS):
        if chosen.only is None or place in chosen.only:
            started = time.monotonic()
            print(f"\n{setting}: {chosen.repeats} data sets")
            print("| metric | true value | coverage | mean width | no interval |\n|---|---|---|---|---|")
            for line in _coverage(setting, chosen.repeats, chosen.resamples, chosen.seed):
                print(line, flush=True)
            print(f"({time.monotonic() - started:.0f} s)", flush=True)


def _coverage(setting: Setting, repeats: int, resamples: int, seed: int) -> Iterator[str]:
    rng = np.random.default_rng(seed)
    (first, second), _ = _simulate(Setting(400_000, setting.malignant, setting.alone, setting.separation), rng)
    once = np.ones(len(first.target))
    of_first, of_second = compute_metrics(first, once), compute_metrics(second, once)
    truth: dict[tuple[str, ...], float] = {name: float(of_first[name]) for name in SHOWN}
    truth |= {("difference", *name): float(of_second[name] - of_first[name]) for name in DIFFERENCES}
    ends: dict[tuple[str, ...], list[tuple[float, float]]] = {name: [] for name in truth}
    for _ in range(repeats):
        (one, other), groups = _simulate(setting, rng)
        table = repeated_metric_table([one], groups.tolist(), rng, seed, resamples)
        for name in SHOWN:
            row = table.get(*name)
            ends[name].append((row.low, row.high))
        compared = compare([one], [other], groups.tolist(), int(rng.integers(2**31)), resamples).differences
        for name in DIFFERENCES:
            difference = compared.get(*name)
            ends["difference", *name].append((difference.low, difference.high))
    for key, of_metric in ends.items():
        low, high = np.array(of_metric).T
        missing = np.isnan(low)
        held = (low <= truth[key]) & (truth[key] <= high)
        covered = f"{held[~missing].mean():.3f}" if not missing.all() else "–"
        width = f"{(high - low)[~missing].mean():.3f}" if not missing.all() else "–"
        yield f"| {' '.join(key)} | {truth[key]:.3f} | {covered} | {width} | {missing.mean():.2f} |"


def _simulate(setting: Setting, rng: np.random.Generator) -> tuple[tuple[ScoredCases, ScoredCases], IntArray]:
    """Return the cases of two models on one simulated data set, and the group of each case."""
    n = setting.groups
    sizes = np.ones(n, int) if setting.alone else rng.integers(1, 6, n)
    group = np.repeat(np.arange(n), sizes)
    target = (np.arange(n) < round(n * setting.malignant)).astype(np.int64)[group]
    difficulty = rng.normal(size=n)[group]
    models = []
    for separation in (setting.separation, setting.separation + 0.3):
        own = rng.normal(size=n)[group]
        effects = 0.5 * difficulty + 0.5 * own + np.sqrt(0.5) * rng.normal(size=len(group))
        models.append(_model(target, effects, separation, group, rng))
    return (models[0], models[1]), group


def _model(
    target: IntArray, effects: FloatArray, separation: float, group: IntArray, rng: np.random.Generator
) -> ScoredCases:
    score = separation * (target - 0.5) + effects
    # Overconfident by half, so that there is a calibration error.
    positive = 1 / (1 + np.exp(-1.5 * separation * score))
    scores = {name: np.full(len(target), np.nan) for name in MASK_SCORES}
    quality = 1.5 + 0.5 * separation + effects + 0.7 * rng.normal(size=len(target))
    missed = quality < 0.5
    scores["dice"] = np.where(missed, 0.0, 1 / (1 + np.exp(-quality)))
    scores["iou"] = scores["dice"] / (2 - scores["dice"])
    scores["hd95_px"] = np.where(missed, np.nan, np.exp(3 - 0.5 * quality))
    scores["lesions_annotated"] = np.ones(len(target))
    scores["lesion_true_positives"] = (~missed & (scores["iou"] >= 0.5)).astype(np.float64)
    scores["lesion_false_positives"] = rng.poisson(0.1 * np.exp(-0.5 * effects)).astype(np.float64)
    scores["annotated_area_fraction"] = np.full(len(target), 0.1)
    scores["predicted_area_fraction"] = np.where(missed, 0.0, 0.1)
    return ScoredCases(
        target,
        np.stack([1 - positive, positive], axis=1),
        ("benign", "malignant"),
        positive=1,
        mask_scores=scores,
        above_threshold=positive >= 0.3,
    )


if __name__ == "__main__":
    main()
