"""Plausible records made from a seed: what the tests of the report and its authors look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from scipy.ndimage import gaussian_filter

from busight.audit.checked_dataset import DataSummary
from busight.data.labels import LabelSchema
from busight.decision.settings import AssessSettings
from busight.metrics.mask_scores import MaskScores
from busight.metrics.table import MetricTable
from busight.results.case import Case, StageImages
from busight.results.ensemble import ensemble_cases
from busight.results.history import EpochRow, History
from busight.results.records import (
    CrossValidationRecord,
    EvaluationRecord,
    FoldMetrics,
    ModelRecord,
    SplitSummary,
    TrainingRunRecord,
)
from busight.results.scoring import case_metrics
from busight.types import DataWarning, Roi

THREE = ("normal", "benign", "malignant")
NAN = float("nan")


def labels_of(classes: tuple[str, ...]) -> LabelSchema:
    """Return the labels of classes in their order: malignant is positive, normal without a lesion."""
    without_lesion = tuple(name for name in classes if name == "normal")
    return LabelSchema(classes, "malignant" if "malignant" in classes else None, without_lesion)


def synthetic_record(
    *,
    seed: int = 0,
    classes: tuple[str, ...] = THREE,
    counts: tuple[int, ...] = (20, 66, 31),
    segmented: bool = True,
    trained: bool = True,
    images: int = 9,
    prefix: str = "",
    busi: Path | None = None,
) -> ModelRecord:
    """Return a record with ``counts[k]`` test cases of class k; ``busi`` gives real pixels in place of random ones."""
    rng = np.random.default_rng(seed)
    cases = _cases(rng, classes, counts, segmented, prefix)
    example_cases = tuple(
        _stage_images(rng, next(case for case in cases if case.target == name), segmented, busi)
        for name, count in zip(classes, counts, strict=True)
        if count and images
    )
    others = rng.permutation(len(cases))[:images]
    histories = (_history(rng, "segmenter", 8), _history(rng, "classifier", 12)) if trained else ()
    fields: dict[str, Any] = {
        "title": prefix + ("default" if trained else "default-bundle"),
        "command": f"busight run default --data busi:{prefix}Dataset_BUSI_with_GT --out runs/first",
        "started": "2025-01-31T09:30:00Z",
        "stage_seconds": (("read", 4.2), ("audit", 11.0), ("train segmenter", 913.5), ("train classifier", 1402.1)),
        "recipe_toml": f'name = "{prefix}default"\n[train]\nepochs = 12\nlearning_rate = 0.0003\n',
        "classes": classes,
        "network": "ResNet101 with 42.5 million parameters on the region around the predicted lesion (two-stage).",
        "weights": "ImageNet weights of torchvision; 624 of 626 tensors fitted, the new head (2) did not.",
        "calibration": "Temperature 1.31, fitted on the 117 validation cases.",
        "data": _data(prefix),
        "digests": (("data", "3f" * 32), ("split", "a1" * 32), ("bundle", "07" * 32)),
        "versions": (("busight", "0.1.0"), ("python", "3.11.2"), ("torch", "2.11.0"), ("onnxruntime", "1.23.0")),
        "metrics": _metrics(cases, classes),
        "cases": cases,
        "example_cases": example_cases,
        "explanations": (),
        "more_cases": tuple(_stage_images(rng, cases[i], segmented, busi) for i in others),
        "limitations": (
            "One hospital, two devices of one maker: metrics on other devices are not known.",
            f"{prefix}BUSI names no patients; groups come from near-duplicate images only.",
        ),
    }
    if not trained:
        return EvaluationRecord(**fields)
    comparable = set(classes) == set(THREE)
    return TrainingRunRecord(**fields, split=_split(classes), histories=histories, comparable_with_paper=comparable)


def synthetic_crossval(folds: int = 2, seeds: tuple[int, ...] = (1, 2)) -> CrossValidationRecord:
    """Return a record with a repeat for each seed, of THREE classes, its folds alternating over the cases."""
    run = synthetic_record(images=0)
    repeats = [synthetic_record(seed=seed, images=0).cases for seed in seeds]
    settings = AssessSettings(seed=7, resamples=100)
    return CrossValidationRecord(
        title="default",
        command="busight crossval default --folds 2 --repeats 2",
        started=run.started,
        stage_seconds=(("cross-validation", 4000.0),),
        recipe_toml=run.recipe_toml,
        classes=THREE,
        network="2 × 2 networks by the recipe default, one a fold and repeat.",
        weights=run.weights,
        calibration=run.calibration,
        data=run.data,
        digests=run.digests[:1],
        versions=run.versions,
        metrics=case_metrics(repeats, labels_of(THREE), settings),
        cases=tuple(case for cases in repeats for case in cases),
        limitations=("One hospital.",),
        folds=tuple(
            FoldMetrics(repeat, fold + 1, case_metrics([cases[fold::folds]], labels_of(THREE), settings))
            for repeat, cases in enumerate(repeats, start=1)
            for fold in range(folds)
        ),
        ensemble=case_metrics([ensemble_cases(repeats, THREE)], labels_of(THREE), settings),
        comparable_with_paper=True,
    )


def _cases(
    rng: np.random.Generator, classes: tuple[str, ...], counts: tuple[int, ...], segmented: bool, prefix: str
) -> tuple[Case, ...]:
    cases = []
    for target, count in enumerate(counts):
        for number in range(count):
            logits = rng.normal(0, 1, len(classes))
            logits[target] += 2.4
            raw, calibrated = _softmax(logits * 1.8), _softmax(logits)
            lesion = segmented and classes[target] != "normal"
            dice = float(rng.beta(6, 2)) if lesion else NAN
            cases.append(
                Case(
                    sample_id=f"{prefix}{classes[target]}/{classes[target]} ({number + 1})",
                    group=f"{classes[target]}-{number // 2}",
                    target=classes[target],
                    prediction=classes[int(calibrated.argmax())],
                    logits=tuple(logits.tolist()),
                    raw_probs=tuple(raw.tolist()),
                    calibrated_probs=tuple(calibrated.tolist()),
                    mask_scores=_mask_scores(dice, segmented, lesion),
                    above_threshold=bool(calibrated[-1] >= 0.2),
                    prediction_set=tuple(name for name, value in zip(classes, calibrated, strict=True) if value >= 0.2),
                    descriptor_prob_positive=float(calibrated[-1]) if lesion else None,
                )
            )
    return tuple(cases)


def _mask_scores(dice: float, segmented: bool, lesion: bool) -> MaskScores:
    return MaskScores(
        dice=dice,
        iou=dice / (2 - dice),
        pixel_recall=dice,
        pixel_precision=dice,
        hd95_px=40 * (1 - dice),
        assd_px=10 * (1 - dice),
        lesions_annotated=1.0 if lesion else NAN,
        lesion_true_positives=float(dice > 2 / 3) if lesion else NAN,
        lesion_false_positives=1.0 - float(dice > 2 / 3) if segmented else NAN,
        annotated_area_fraction=(0.08 if lesion else 0.0) if segmented else NAN,
        predicted_area_fraction=0.09 if segmented else NAN,
    )


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def _stage_images(rng: np.random.Generator, case: Case, segmented: bool, busi: Path | None) -> StageImages:
    has_lesion = case.target != "normal"
    image, truth = _real_pixels(busi, case) if busi else _random_pixels(rng, has_lesion)
    height, width = image.shape
    shifted = np.roll(truth, (4, -6), (0, 1)) if has_lesion else np.zeros_like(truth)
    rows, columns = np.nonzero(shifted if shifted.any() else np.ones_like(shifted))
    roi = Roi(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)
    region = np.asarray(PillowImage.fromarray(image[roi.top : roi.bottom, roi.left : roi.right]).resize((224, 224)))
    heat = gaussian_filter(shifted.astype(float) + 0.05 * rng.random(image.shape), min(height, width) / 12)
    return StageImages(
        case=case,
        image=image,
        enhanced=np.clip(image * 1.3, 0, 255).astype(np.uint8),
        mask=shifted if segmented else None,
        annotated_mask=truth if segmented and has_lesion else None,
        roi=roi,
        region=region,
        activation=heat.astype(np.float32),
    )


def _random_pixels(rng: np.random.Generator, lesion: bool) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    speckle = gaussian_filter(rng.rayleigh(60, (120, 150)), 1)
    y, x = np.mgrid[:120, :150]
    mask = ((y - 60) / 22) ** 2 + ((x - 80) / 34) ** 2 < (1 if lesion else 0)
    return np.clip(np.where(mask, 0.45, 1.0) * speckle, 0, 255).astype(np.uint8), mask


def _real_pixels(busi: Path, case: Case) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    path = busi / f"{case.sample_id}.png"
    image = np.asarray(PillowImage.open(path).convert("L"))
    mask = np.asarray(PillowImage.open(path.with_name(f"{path.stem}_mask.png")).convert("L")) > 127
    return image, mask


def _history(rng: np.random.Generator, network: str, epochs: int) -> History:
    fall = np.exp(-np.arange(epochs) / 3)
    rows = [
        EpochRow(
            epoch=i + 1,
            train_loss=float(0.15 + 0.8 * fall[i]),
            train_accuracy=NAN if network == "segmenter" else float(0.95 - 0.3 * fall[i]),
            val_loss=float(0.35 + 0.5 * fall[i] + rng.normal(0, 0.02) + 0.01 * i),
            val_accuracy=NAN if network == "segmenter" else float(0.85 - 0.25 * fall[i] + rng.normal(0, 0.01)),
            val_dice=float(0.74 - 0.3 * fall[i]) if network == "segmenter" else NAN,
            learning_rate=3e-4,
            seconds=101.0,
        )
        for i in range(epochs)
    ]
    best = min(rows, key=lambda row: row.val_loss).epoch
    return History(network=network, rows=tuple(rows), best_epoch=best, monitor="val_loss")


def _data(prefix: str) -> DataSummary:
    return DataSummary(
        spec=f"busi:{prefix}Dataset_BUSI_with_GT",
        digest="3f" * 32,
        n_images=780,
        n_masks=798,
        class_counts=(("benign", 437), ("malignant", 210), ("normal", 133)),
        n_patients=None,
        n_groups=621,
        near_duplicate_pairs=212,
        cross_label_pairs=((f"{prefix}benign/benign (131)", "malignant/malignant (51)"), ("benign (2)", "normal (1)")),
        problems=(DataWarning(f"{prefix}benign/benign (25).png", "has 2 masks; joined by logical or"),) * 3,
    )


def _split(classes: tuple[str, ...]) -> SplitSummary:
    parts = (("train", 546), ("val", 117), ("test", 117))
    counts = tuple((part, name, total // len(classes)) for part, total in parts for name in classes)
    return SplitSummary(kind="grouped", seed=7, digest="a1" * 32, counts=counts, leaking_pairs=0)


def _metrics(cases: tuple[Case, ...], classes: tuple[str, ...]) -> MetricTable:
    return case_metrics([cases], labels_of(classes), AssessSettings(seed=7, resamples=200))
