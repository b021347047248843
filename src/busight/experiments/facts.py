"""Sentences of a record: library versions, network, calibration, limitations of the metrics."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib import metadata

from busight.audit.checked_dataset import DataSummary
from busight.metrics.table import MetricTable
from busight.model.bundle.card import CalibrationPart, OperatingPointPart
from busight.recipes.schema import Recipe
from busight.results.case import Case
from busight.results.records import SplitSummary
from busight.segment.settings import is_learned

_LIBRARIES = (
    "busight", "numpy", "opencv-python-headless", "pillow", "scikit-learn", "scipy", "onnxruntime", "torch",
    "torchvision", "timm", "lightning", "segmentation-models-pytorch", "kornia",
)  # fmt: skip


def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions of Python and of the libraries that a metric can depend on; absent ones are left out."""
    found = [("python", platform.python_version())]
    for name in _LIBRARIES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return tuple(found)


def network_sentence(recipe: Recipe, parameters: dict[str, int]) -> str:
    """Return in a sentence which networks were trained and how the lesion is used."""
    settings, segment = recipe.classify, recipe.segment
    learned = is_learned(segment.method)
    finder = f"the method {segment.method}, without training"
    if learned:
        finder = f"{segment.method} over {segment.encoder} at {segment.size}×{segment.size}"
    millions = {name: f"{count / 1e6:.1f} M parameters" for name, count in parameters.items()}
    if settings.task == "segmentation":
        told = f" ({millions['segmenter']})" if learned else ""
        return f"{finder[0].upper()}{finder[1:]}{told}; no classifier."
    net = f"{settings.backbone} at {settings.size}×{settings.size} ({millions['classifier']}, all trainable)"
    if settings.lesion == "joint":
        return f"Joint: one {net} with a mask decoder and a class head."
    if settings.lesion == "zoom":
        return (
            f"Zoom: one {net} with a mask decoder and a class head, which looks at the whole image and then at the "
            f"region that it found{' and at the darkest, most compact one' if settings.guess else ''}."
        )
    if settings.lesion == "whole":
        return f"Whole image: {net}, no segmentation."
    finder = f"{finder} ({millions['segmenter']})" if learned else f"{finder},"
    if settings.lesion == "masked":
        return f"Masked: {finder} finds the lesion, all around it is blacked out, and the image goes to {net}."
    if settings.lesion == "mask-channel":
        return f"Mask as a channel: {finder} finds the lesion; image and mask go to {net}."
    return f"Two-stage: {finder} finds the lesion, its region goes to {net}."


def calibration_sentence(part: CalibrationPart, points: Sequence[OperatingPointPart], cases: Sequence[Case]) -> str:
    """Return what was fitted on which cases, and the effect of the operating point on the cases at hand."""
    name = f"Temperature {part.numbers[0][0]:.3f}" if part.method == "temperature" else part.method.capitalize()
    fitted = f"None: {part.source}." if part.method == "none" else f"{name}, {part.source}."
    return " ".join([fitted, *(_operating_sentence(point, cases) for point in points)])


def _operating_sentence(point: OperatingPointPart, cases: Sequence[Case]) -> str:
    if point.threshold is None:
        return f"No operating point for {point.of}: {point.source}."
    # The operating point is the last class's.
    above = [case.calibrated_probs[-1] >= point.threshold for case in cases]
    positives = [hit for hit, case in zip(above, cases, strict=True) if case.target == point.of]
    negatives = [hit for hit, case in zip(above, cases, strict=True) if case.target != point.of]
    return (
        f"Operating point: {point.of} from a probability of {point.threshold:.3f}, chosen for sensitivity "
        f"{point.wanted_sensitivity:.2f} on {point.source}; on the test cases {sum(positives)} of {len(positives)} "
        f"{point.of} and {sum(negatives)} of {len(negatives)} other images are above it."
    )


def limitations(
    data: DataSummary, split: SplitSummary | None, metrics: MetricTable, recipe: Recipe | None
) -> tuple[str, ...]:
    """Return what a reader must know before believing a metric."""
    sentences = []
    if split is not None and split.crossing_pairs:
        sentences.append(
            f"{split.crossing_pairs} near-duplicate pairs lie in two different parts of this split: images that chose "
            "or test the network have copies that trained it, and the scores are too high by an unknown amount. "
            "Use split.kind=grouped."
        )
    if split is not None and not split.crossing_pairs and data.n_patients is None:
        sentences.append(
            "The source names no patients. Near-duplicates are kept together, but two different views of one patient "
            "can still lie on both sides of the split."
        )
    if data.cross_label_pairs:
        sentences.append(
            f"{len(data.cross_label_pairs)} near-duplicate pairs carry two different labels; "
            "at least one label of each is wrong."
        )
    if data.spec.startswith("phantom:"):
        sentences.append(
            "The images are simulated. The scores show that the chain works and say nothing about patients."
        )
    if metrics.n_images < 200:
        sentences.append(f"{metrics.n_images} test images in {metrics.n_groups} groups: the intervals are wide.")
    if missing := [name for name, count in zip(metrics.classes, metrics.support, strict=True) if not count]:
        sentences.append(f"No case of class {', '.join(missing)}: metrics that need it are undefined.")
    sentences.append(
        "Intervals are percentile bootstrap over groups. Where every case was right they shrink to a point, which "
        "means too few cases and not certainty."
    )
    if recipe is not None and recipe.classify.needs_mask and is_learned(recipe.segment.method):
        sentences.append(
            "The classifier was trained on what the segmenter found in its own training images; on new images that "
            "is a little worse."
        )
    if split is not None:
        sentences.append(
            "One split and one seed: another seed gives other metrics, another hospital's images still others."
        )
    return tuple(sentences)
