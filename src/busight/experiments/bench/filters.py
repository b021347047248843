"""Benchmark of filters on a data set, and filter chains on image files."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import cv2
import numpy as np

from busight.audit.checked_dataset import check_dataset
from busight.data.dataset import DataSet
from busight.data.image_spec import GREY
from busight.errors import DataError
from busight.experiments.bench.measured import Measured, chosen_at_random, one_opencv_thread
from busight.io.atomic import write_bytes
from busight.io.csv_text import csv_number, csv_text
from busight.io.progress import Progress, Silent
from busight.metrics.bootstrap import clustered_bootstrap
from busight.metrics.image_quality import (
    contrast_to_noise,
    edge_preservation,
    generalised_cnr,
    psnr,
    speckle_snr,
    ssim,
    surroundings,
)
from busight.metrics.intervals import Measurand
from busight.metrics.ratio import ratio
from busight.preprocess.enhance.chain import Step, apply_chain, crop_box_of, parse_chain
from busight.simulate.case import PhantomCase
from busight.types import FloatArray, Image, Sample

MEASURES = {
    "psnr": "PSNR, dB",
    "ssim": "SSIM",
    "edges": "edge preservation",
    "cnr": "CNR",
    "gcnr": "gCNR",
    "snr": "speckle SNR",
}
"""The metrics of a filter: key and name. The first three need a clean image, which only phantoms have."""

UNTOUCHED = "(as it is)"


@dataclass(frozen=True, slots=True)
class FilterRow:
    """The metrics of one chain over the images of a set.

    Attributes:
        chain: As text; `UNTOUCHED` for none.
        measures: Metrics by the keys of `MEASURES`.
        milliseconds: Median time per image, on one thread.
    """

    chain: str
    measures: dict[str, Measured]
    milliseconds: float


@dataclass(frozen=True, slots=True, eq=False)
class FilterComparison:
    """Chains compared on the images of a set.

    Attributes:
        spec: The data set.
        images: Images that were measured.
        groups: Number of groups of these images.
        rows: The chains, untouched images first.
        example: The example image of the figures.
        shown: The example image after each chain.
    """

    spec: str
    images: int
    groups: int
    rows: tuple[FilterRow, ...]
    example: Sample
    shown: tuple[Image, ...]


@runtime_checkable
class _KnowsClean(Protocol):
    """A reader that also returns the image without speckle."""

    def case(self, sample: Sample) -> PhantomCase: ...


def compare_filters(
    dataset: DataSet, chains: Sequence[str], *, limit: int = 0, seed: int = 0, progress: Progress | None = None
) -> FilterComparison:
    """Compute the metrics of each chain on the images of a set; nothing is trained or written.

    Args:
        dataset: The set. Contrasts need annotated lesions, similarity to the clean image needs phantoms.
        chains: Enhancement chains as text.
        limit: Measure a random choice of this many images; 0 takes all.
        seed: Seed of the choice and of the intervals.
        progress: Receives stages, ticks and lines.

    Raises:
        ConfigError: A text is not a chain.
        DataError: No usable image.
    """
    progress = progress or Silent()
    steps = [(), *map(parse_chain, chains)]
    checked = check_dataset(dataset.read_as(GREY), progress)
    chosen = chosen_at_random(range(len(checked.samples)), limit, seed)
    reader = checked.reader
    found = np.full((len(steps), len(chosen), len(MEASURES)), np.nan)
    seconds = np.zeros((len(steps), len(chosen)))
    example, largest = chosen[0], -1
    progress.stage("filters")
    with one_opencv_thread():
        for place, index in enumerate(chosen):
            sample = checked.samples[index]
            image, mask = reader.image(sample), reader.mask(sample)
            clean = reader.case(sample).clean if isinstance(reader, _KnowsClean) else None
            lesion = np.zeros(image.shape, dtype=np.bool_) if mask is None else mask
            ring = surroundings(lesion)
            if min(int(lesion.sum()), int(ring.sum())) > largest:
                example, largest = index, min(int(lesion.sum()), int(ring.sum()))
            for row, chain in enumerate(steps):
                begun = time.perf_counter()
                field = crop_box_of(image, chain)
                enhanced = apply_chain(field.cut(image), chain)
                seconds[row, place] = time.perf_counter() - begun
                inside, around = field.cut(lesion), field.cut(ring)
                against = (psnr, ssim, edge_preservation)
                found[row, place, :3] = [
                    of(enhanced, field.cut(clean)) if clean is not None else np.nan for of in against
                ]
                found[row, place, 3] = contrast_to_noise(enhanced, inside, around)
                found[row, place, 4] = generalised_cnr(enhanced, inside, around)
                found[row, place, 5] = speckle_snr(enhanced, around)
            progress.tick(place + 1, len(chosen))
    groups = [checked.groups[index] for index in chosen]
    names = (UNTOUCHED, *(" | ".join(map(str, chain)) for chain in steps[1:]))
    rows = tuple(
        FilterRow(name, _measured(values, groups, seed), 1000 * float(np.median(of)))
        for name, values, of in zip(names, found, seconds, strict=True)
    )
    picture = reader.image(checked.samples[example])
    shown = tuple(apply_chain(crop_box_of(picture, chain).cut(picture), chain) for chain in steps)
    return FilterComparison(dataset.spec, len(chosen), len(set(groups)), rows, checked.samples[example], shown)


def comparison_csv(found: FilterComparison) -> str:
    """Return the comparison as CSV: one line per chain, each metric with its interval; empty where undefined."""
    header = ["chain", *(f"{key}{end}" for key in MEASURES for end in ("", "_low", "_high")), "milliseconds"]
    lines: list[list[object]] = [list(header)]
    for row in found.rows:
        cells = [
            csv_number(value)
            for key in MEASURES
            for value in (row.measures[key].value, row.measures[key].low, row.measures[key].high)
        ]
        lines.append([row.chain, *cells, f"{row.milliseconds:.3f}"])
    return csv_text(lines)


def write_enhanced(image: Image, chain: tuple[Step, ...], path: Path) -> tuple[Image, Image]:
    """Enhance one image and write it as PNG, whole or not at all.

    Returns:
        The crop box of the image, before and after the chain.

    Raises:
        OutputError: The file cannot be written.
    """
    before = crop_box_of(image, chain).cut(image)
    enhanced = apply_chain(before, chain)
    _, encoded = cv2.imencode(".png", enhanced)
    write_bytes(path, encoded.tobytes())
    return before, enhanced


def _measured(values: FloatArray, groups: Sequence[str], seed: int) -> dict[str, Measured]:
    """Return mean and interval of each column of (N, K) values; infinite ones count as undefined."""
    defined = np.isfinite(values)
    if not len(values):
        raise DataError("no image to measure")
    filled = np.where(defined, values, 0.0)

    def means(weights: FloatArray) -> FloatArray:
        return ratio(weights @ filled, weights @ defined)

    measurands = [Measurand(sides=(column,)) for column in defined.T]
    intervals = clustered_bootstrap(means, groups, np.random.default_rng(seed), 1000, measurands=measurands)
    return {
        key: Measured(
            float(intervals.value[k]), float(intervals.low[k]), float(intervals.high[k]), int(defined[:, k].sum())
        )
        for k, key in enumerate(MEASURES)
    }
