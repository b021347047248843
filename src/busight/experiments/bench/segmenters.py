"""Benchmark of segmenters on a data set."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from busight.audit.checked_dataset import CheckedDataset, check_dataset
from busight.data.dataset import DataSet
from busight.data.image_spec import GREY
from busight.decision.settings import AssessSettings
from busight.errors import BundleError, DataError
from busight.experiments.bench.measured import Measured, chosen_at_random, one_opencv_thread
from busight.io.csv_text import csv_number, csv_text
from busight.io.progress import Progress, Silent
from busight.metrics.bootstrap import Intervals, clustered_bootstrap
from busight.metrics.intervals import Measurand, of_difference
from busight.metrics.mask_scores import MaskScores, score_mask, stack_mask_scores
from busight.metrics.segmentation import mask_measurands, mask_metrics
from busight.model.bundle.load import load_bundle
from busight.model.model import Model
from busight.model.segmenters import ModelSegmenter, Segmentation, Segmenter
from busight.results.crossval_folder import fold_folder, plan_of
from busight.results.store import finished_cases
from busight.types import FloatArray, Image, ImageRef, InputImage, Mask, Sample

MetricName = tuple[str, str]
"""(metric, of), as in a metric table."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmenterRow:
    """One segmenter on all images.

    Attributes:
        name: Name of the segmenter.
        metrics: By (metric, of).
        against_best: Its Dice less that of the segmenter with the highest, on the same images; None for that one.
        milliseconds: Median time per image, on one thread; ONNX Runtime chooses its own number of threads.
        n_trained_on: Images that it was trained on: its metrics on them are too high.
        shown: Its best, median and worst image by Dice.
    """

    name: str
    metrics: dict[MetricName, Measured]
    against_best: Measured | None
    milliseconds: float
    n_trained_on: int
    shown: tuple[Shown, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One image with the mask of one segmenter.

    Attributes:
        rank: ``"best"``, ``"median"`` or ``"worst"``.
        sample: The image's sample.
        image: uint8 HW.
        outlined: The predicted mask.
        drawn: bool HW: the annotated mask.
        dice: Dice between the two.
    """

    rank: str
    sample: Sample
    image: Image
    outlined: Segmentation
    drawn: Mask
    dice: float


@dataclass(frozen=True, slots=True, eq=False)
class SegmenterComparison:
    """Segmenters compared on the images of a set.

    Attributes:
        spec: The data set.
        images: Images that were measured.
        groups: Number of groups of these images.
        rows: The segmenters, the highest Dice first.
        level: Coverage of the intervals.
    """

    spec: str
    images: int
    groups: int
    rows: tuple[SegmenterRow, ...]
    level: float


class CrossvalSegmenter:
    """The networks of a cross-validation (repeat 1) on its own data: each image by the fold that held out its group."""

    def __init__(self, folder: Path) -> None:
        """Read the test subset of each fold.

        Raises:
            DataError: Not a finished cross-validation.
            BundleError: Its networks draw no masks.
        """
        plan = plan_of(folder)
        self._bundle_of: dict[str, Path] = {}
        for fold in range(plan.folds):
            place = fold_folder(folder, 0, fold)
            self._bundle_of |= {case.sample_id: place / "bundle" for case in finished_cases(place)[0]}
        card = load_bundle(next(iter(self._bundle_of.values()))).card
        if card.segment is None:
            raise BundleError(f"{folder}: its networks draw no masks; cross-validate a recipe that segments")
        self.name = f"{card.name}, {plan.folds} folds ({folder.resolve().name})"
        self._open: dict[Path, ModelSegmenter] = {}

    def segment(self, given: InputImage) -> Segmentation:
        """Segment an image by the network of the fold that tested it.

        Raises:
            KeyError: No network of the cross-validation tested this image; see `knows`.
        """
        return self._network(given.ref.path).segment(given)

    def knows(self, sample_id: str) -> bool:
        """Return whether a network tested this image."""
        return sample_id in self._bundle_of

    def trained_on(self, sample_id: str) -> frozenset[str]:
        """Return the short digests of the images that the network for this image was trained on."""
        return self._network(sample_id).trained_on(sample_id)

    def _network(self, sample_id: str) -> ModelSegmenter:
        folder = self._bundle_of[sample_id]
        if folder not in self._open:
            self._open[folder] = ModelSegmenter(self.name, Model.load(folder))
        return self._open[folder]


def compare_segmenters(
    dataset: DataSet,
    segmenters: Sequence[Segmenter],
    *,
    limit: int = 0,
    seed: int = 0,
    progress: Progress | None = None,
) -> SegmenterComparison:
    """Compute the metrics of each segmenter on the images of a set; nothing is trained or written.

    Args:
        dataset: The set; images without a known mask, and those that a segmenter does not know, are left out.
        segmenters: The segmenters.
        limit: Measure a random choice of this many images; 0 takes all.
        seed: Seed of the choice and of the intervals.
        progress: Receives stages, ticks and lines.

    Raises:
        DataError: There is no image with a known mask that every segmenter knows.
    """
    progress = progress or Silent()
    checked = check_dataset(dataset.read_as(GREY), progress)
    reader = checked.reader
    known = [index for index, entry in enumerate(checked.rows) if entry.mask_digest]
    if not known:
        raise DataError(f"{dataset.spec}: no image has a drawn mask; name a set with masks, e.g. busi:PATH")
    drawn_images = len(known)
    known = [index for index in known if all(way.knows(checked.samples[index].sample_id) for way in segmenters)]
    if not known:
        raise DataError(f"{dataset.spec}: the cross-validation tested none of its images; compare on its own data")
    if len(known) < drawn_images:
        progress.line(f"{drawn_images - len(known)} images left out, which the cross-validation did not test")
    known = chosen_at_random(known, limit, seed)
    scores: list[list[MaskScores]] = [[] for _ in segmenters]
    seconds = np.empty((len(segmenters), len(known)))
    progress.stage("outlines")
    with one_opencv_thread():
        for place, index in enumerate(known):
            sample = checked.samples[index]
            image, drawn = reader.image(sample), reader.mask(sample)
            for row, segmenter in enumerate(segmenters):
                begun = time.perf_counter()
                segmentation = segmenter.segment(InputImage(image, ImageRef(sample.sample_id)))
                seconds[row, place] = time.perf_counter() - begun
                scores[row].append(score_mask(segmentation.mask, drawn, sample.pixel_spacing_mm))
            progress.tick(place + 1, len(known))
    groups = [checked.groups[index] for index in known]
    return _comparison(checked, known, groups, segmenters, list(map(stack_mask_scores, scores)), seconds, seed)


def comparison_csv(found: SegmenterComparison) -> str:
    """Return the comparison as CSV: one line per segmenter, each metric with its interval and its images."""
    names = list(dict.fromkeys(name for row in found.rows for name in row.metrics))
    titles = [f"{metric} ({of})" for metric, of in names]
    header = [f"{title}{end}" for title in titles for end in ("", " low", " high", " images")]
    lines: list[list[object]] = [
        ["segmenter", *header, "dice less best", "low", "high", "milliseconds", "images trained on"]
    ]
    for row in found.rows:
        cells: list[object] = [row.name]
        for name in names:
            measured = row.metrics[name]
            cells += [csv_number(measured.value), csv_number(measured.low), csv_number(measured.high), measured.images]
        less = row.against_best
        cells += ["", "", ""] if less is None else [csv_number(less.value), csv_number(less.low), csv_number(less.high)]
        lines.append([*cells, f"{row.milliseconds:.2f}", row.n_trained_on])
    return csv_text(lines)


def _comparison(
    checked: CheckedDataset,
    known: list[int],
    groups: list[str],
    segmenters: Sequence[Segmenter],
    scores: Sequence[Mapping[str, FloatArray]],
    seconds: FloatArray,
    seed: int,
) -> SegmenterComparison:
    settings = AssessSettings()
    names = list(mask_metrics(scores[0], np.ones(len(known))))
    dice = names.index(("dice", "lesion images"))

    once = [mask_metrics(scores_of_method, np.ones(len(known)))["dice", "lesion images"] for scores_of_method in scores]
    best = int(np.nan_to_num(once, nan=-1.0).argmax())

    def statistic(weights: FloatArray) -> FloatArray:
        """Return the metrics of all segmenters, and each Dice less the best: all on the same resamples, paired."""
        own = [np.stack(list(mask_metrics(scores_of_method, weights).values()), axis=-1) for scores_of_method in scores]
        less = np.stack([metrics[..., dice] - own[best][..., dice] for metrics in own], axis=-1)
        return np.concatenate([*own, less], axis=-1)

    measurands = [mask_measurands(scores_of_method) for scores_of_method in scores]
    kinds: list[Measurand] = [of_method[name] for of_method in measurands for name in names]
    kinds += [of_difference(of_method[names[dice]]) for of_method in measurands]
    rng = np.random.default_rng(seed)
    intervals = clustered_bootstrap(statistic, groups, rng, settings.resamples, settings.level, kinds)
    n_metrics = len(segmenters) * len(names)
    rows = []
    for place, segmenter in enumerate(segmenters):
        metrics = {name: _measured(intervals, place * len(names) + column) for column, name in enumerate(names)}
        rows.append(
            SegmenterRow(
                name=segmenter.name,
                metrics=metrics,
                against_best=None if place == best else _measured(intervals, n_metrics + place),
                milliseconds=1000 * float(np.median(seconds[place])),
                n_trained_on=_n_trained_on(segmenter, checked, known),
                shown=_shown(segmenter, checked, known, scores[place]),
            )
        )
    rows.sort(key=lambda row: -np.nan_to_num(row.metrics[names[dice]].value, nan=-1.0))
    spec = checked.dataset.spec
    return SegmenterComparison(spec, len(known), len(set(groups)), tuple(rows), settings.level)


def _measured(intervals: Intervals, index: int) -> Measured:
    return Measured(
        float(intervals.value[index]),
        float(intervals.low[index]),
        float(intervals.high[index]),
        intervals.observed[index].cases,
    )


def _n_trained_on(segmenter: Segmenter, checked: CheckedDataset, known: Sequence[int]) -> int:
    entries = [checked.rows[index] for index in known]
    return sum(entry.is_among(segmenter.trained_on(entry.sample.sample_id)) for entry in entries)


def _shown(
    segmenter: Segmenter, checked: CheckedDataset, known: list[int], scores: Mapping[str, FloatArray]
) -> tuple[Shown, ...]:
    dice = scores["dice"]
    ranked = [place for place in np.argsort(-dice, kind="stable").tolist() if dice[place] == dice[place]]
    if not ranked:
        return ()
    reader = checked.reader
    shown = []
    for rank, place in (("best", ranked[0]), ("median", ranked[len(ranked) // 2]), ("worst", ranked[-1])):
        sample = checked.samples[known[place]]
        image, drawn = reader.image(sample), reader.mask(sample)
        assert drawn is not None  # Dice was defined
        segmentation = segmenter.segment(InputImage(image, ImageRef(sample.sample_id)))
        shown.append(Shown(rank, sample, image, segmentation, drawn, float(dice[place])))
    return tuple(shown)
