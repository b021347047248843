"""Sentences of a record: library versions, network, calibration, limitations of the metrics."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib import metadata

from busight.audit.checked_dataset import DataSummary
from busight.data.labels import LabelSchema
from busight.decision.calibration.temperature import Temperature
from busight.decision.decision import Decision, Threshold
from busight.metrics.table import MetricTable
from busight.recipes.schema import Recipe
from busight.results.case import Case
from busight.results.records import SplitSummary
from busight.segment.settings import is_learned

_LIBRARIES = (
    "busight", "numpy", "opencv-python-headless", "pillow", "scikit-learn", "scipy", "onnxruntime", "torch",
    "torchvision", "timm", "lightning", "segmentation-models-pytorch", "kornia",
)  # fmt: skip


def versions(*further: str) -> tuple[tuple[str, str], ...]:
    """Return the versions of Python, of the libraries that a metric can depend on, and of further ones.

    Absent ones are left out.
    """
    found = [("python", platform.python_version())]
    for name in (*_LIBRARIES, *further):
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
    of_segmenter = f" ({millions['segmenter']})" if "segmenter" in millions else ("" if not recipe.classifies else ",")
    net = (
        ""
        if not recipe.classifies
        else (f"{settings.backbone} at {settings.size}×{settings.size} ({millions['classifier']}, all trainable)")
    )
    return recipe.strategy.sentence(net, f"{finder}{of_segmenter}")


def calibration_sentence(decision: Decision, labels: LabelSchema, cases: Sequence[Case]) -> str:
    """Return what was fitted on which cases, and the effect of the threshold on the evaluated cases."""
    calibrator, source = decision.calibration.calibrator, decision.calibration.source
    name = f"Temperature {calibrator.temperature:.3f}" if isinstance(calibrator, Temperature) else calibrator.method
    fitted = f"None: {source}." if calibrator.method == "none" else f"{name.capitalize()}, {source}."
    return (
        fitted if decision.threshold is None else f"{fitted} {_threshold_sentence(decision.threshold, labels, cases)}"
    )


def _threshold_sentence(point: Threshold, labels: LabelSchema, cases: Sequence[Case]) -> str:
    positive, place = labels.positive, labels.positive_index
    if point.threshold is None or place is None:
        return f"No threshold for {positive}: {point.source}."
    above = [case.calibrated_probs[place] >= point.threshold for case in cases]
    positives = [hit for hit, case in zip(above, cases, strict=True) if case.target == positive]
    negatives = [hit for hit, case in zip(above, cases, strict=True) if case.target != positive]
    return (
        f"Threshold: {positive} from a probability of {point.threshold:.3f}, chosen for sensitivity "
        f"{point.wanted_sensitivity:.2f} on {point.source}; on the test cases {sum(positives)} of {len(positives)} "
        f"{positive} and {sum(negatives)} of {len(negatives)} other images reach it."
    )


def limitations(
    data: DataSummary, split: SplitSummary | None, metrics: MetricTable, recipe: Recipe | None
) -> tuple[str, ...]:
    """Return the limitations of the metrics."""
    sentences = []
    if split is not None and split.leaking_pairs:
        sentences.append(
            f"{split.leaking_pairs} near-duplicate pairs lie in two different parts of this split: images that chose "
            "or test the network have copies that trained it, and the metrics are too high by an unknown amount. "
            "Use split.kind=grouped."
        )
    if split is not None and not split.leaking_pairs and data.n_patients is None:
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
            "The images are simulated. The metrics show that the chain works and say nothing about patients."
        )
    if metrics.n_images < 200:
        sentences.append(f"{metrics.n_images} test images in {metrics.n_groups} groups: the intervals are wide.")
    if missing := [name for name, count in zip(metrics.classes, metrics.support, strict=True) if not count]:
        sentences.append(f"No case of class {', '.join(missing)}: metrics that need it are undefined.")
    if (
        recipe is not None
        and recipe.classifies
        and recipe.strategy.segments_first
        and is_learned(recipe.segment.method)
    ):
        sentences.append(
            "The classifier was trained on what the segmenter found in its own training images; on new images that "
            "is a little worse."
        )
    if split is not None:
        sentences.append(
            "One split and one seed: another seed gives other metrics, another hospital's images still others."
        )
    return tuple(sentences)
