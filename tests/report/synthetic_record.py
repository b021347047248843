"""A plausible run record made from a seed: what the tests of the report and its authors look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from scipy.ndimage import gaussian_filter

from busight.audit.checked_dataset import DataSummary
from busight.decision.settings import AssessSettings
from busight.metrics.mask_scores import MaskScores
from busight.metrics.table import ScoreSheet
from busight.results.run_record import Case, EpochRow, History, RunRecord, SplitSummary, StagePicture
from busight.results.scoring import repeated_sheet
from busight.types import DataWarning, Roi

THREE = ("normal", "benign", "malignant")
NAN = float("nan")


def synthetic_record(
    *,
    seed: int = 0,
    classes: tuple[str, ...] = THREE,
    counts: tuple[int, ...] = (20, 66, 31),
    segmented: bool = True,
    trained: bool = True,
    pictures: int = 9,
    prefix: str = "",
    busi: Path | None = None,
) -> RunRecord:
    """Return a record with ``counts[k]`` test cases of class k; ``busi`` gives real pixels in place of random ones."""
    rng = np.random.default_rng(seed)
    cases = _cases(rng, classes, counts, segmented, prefix)
    walks = tuple(
        _stage_picture(rng, next(case for case in cases if case.actual == name), segmented, busi)
        for name, count in zip(classes, counts, strict=True)
        if count and pictures
    )
    others = rng.permutation(len(cases))[:pictures]
    return RunRecord(
        kind="run" if trained else "evaluate",
        title=prefix + ("default" if trained else "default-bundle"),
        command=f"busight run default --data busi:{prefix}Dataset_BUSI_with_GT --out runs/first",
        started="2025-01-31T09:30:00Z",
        stage_seconds=(("read", 4.2), ("audit", 11.0), ("train segmenter", 913.5), ("train classifier", 1402.1)),
        recipe_toml=f'name = "{prefix}default"\n[train]\nepochs = 12\nlearning_rate = 0.0003\n',
        classes=classes,
        network="ResNet101 with 42.5 million parameters on the region around the predicted lesion (two-stage).",
        weights="ImageNet weights of torchvision; 624 of 626 tensors fitted, the new head (2) did not.",
        calibration="Temperature 1.31, fitted on the 117 validation cases.",
        paper_comparison=set(classes) == set(THREE) and trained,
        data=_data(prefix),
        split=_split(classes) if trained else None,
        digests=(("data", "3f" * 32), ("split", "a1" * 32), ("bundle", "07" * 32)),
        versions=(("busight", "0.1.0"), ("python", "3.11.2"), ("torch", "2.11.0"), ("onnxruntime", "1.23.0")),
        histories=(_history(rng, "segmenter", 8), _history(rng, "classifier", 12)) if trained else (),
        sheet=_sheet(cases, classes),
        cases=cases,
        walks=walks,
        gallery=tuple(_stage_picture(rng, cases[i], segmented, busi) for i in others),
        limits=(
            "One hospital, two devices of one maker: figures for other devices are not known.",
            f"{prefix}BUSI names no patients; groups come from near-duplicate images only.",
        ),
    )


def _cases(
    rng: np.random.Generator, classes: tuple[str, ...], counts: tuple[int, ...], segmented: bool, prefix: str
) -> tuple[Case, ...]:
    cases = []
    for actual, count in enumerate(counts):
        for number in range(count):
            logits = rng.normal(0, 1, len(classes))
            logits[actual] += 2.4
            raw, calibrated = _softmax(logits * 1.8), _softmax(logits)
            lesion = segmented and classes[actual] != "normal"
            dice = float(rng.beta(6, 2)) if lesion else NAN
            cases.append(
                Case(
                    sample_id=f"{prefix}{classes[actual]}/{classes[actual]} ({number + 1})",
                    group=f"{classes[actual]}-{number // 2}",
                    actual=classes[actual],
                    predicted=classes[int(calibrated.argmax())],
                    logits=tuple(logits.tolist()),
                    raw_probs=tuple(raw.tolist()),
                    calibrated_probs=tuple(calibrated.tolist()),
                    mask=_mask_scores(dice, segmented, lesion),
                    flagged=bool(calibrated[-1] >= 0.2),
                    prediction_set=tuple(name for name, value in zip(classes, calibrated, strict=True) if value >= 0.2),
                    second_reader=float(calibrated[-1]) if lesion else None,
                )
            )
    return tuple(cases)


def _mask_scores(dice: float, segmented: bool, lesion: bool) -> MaskScores:
    return MaskScores(
        dice=dice,
        iou=dice / (2 - dice),
        pixel_sensitivity=dice,
        pixel_precision=dice,
        hausdorff_95_px=40 * (1 - dice),
        surface_distance_px=10 * (1 - dice),
        lesions_drawn=1.0 if lesion else NAN,
        lesions_found=float(dice > 2 / 3) if lesion else NAN,
        false_marks=1.0 - float(dice > 2 / 3) if segmented else NAN,
        true_area_share=(0.08 if lesion else 0.0) if segmented else NAN,
        predicted_area_share=0.09 if segmented else NAN,
    )


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def _stage_picture(rng: np.random.Generator, case: Case, segmented: bool, busi: Path | None) -> StagePicture:
    drawn_lesion = case.actual != "normal"
    image, truth = _real_pixels(busi, case) if busi else _random_pixels(rng, drawn_lesion)
    height, width = image.shape
    shifted = np.roll(truth, (4, -6), (0, 1)) if drawn_lesion else np.zeros_like(truth)
    rows, columns = np.nonzero(shifted if shifted.any() else np.ones_like(shifted))
    roi = Roi(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)
    region = np.asarray(PillowImage.fromarray(image[roi.top : roi.bottom, roi.left : roi.right]).resize((224, 224)))
    heat = gaussian_filter(shifted.astype(float) + 0.05 * rng.random(image.shape), min(height, width) / 12)
    return StagePicture(
        case=case,
        image=image,
        enhanced=np.clip(image * 1.3, 0, 255).astype(np.uint8),
        mask=shifted if segmented else None,
        true_mask=truth if segmented and drawn_lesion else None,
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
    return SplitSummary(kind="grouped", seed=7, digest="a1" * 32, counts=counts, crossing_pairs=0)


def _sheet(cases: tuple[Case, ...], classes: tuple[str, ...]) -> ScoreSheet:
    return repeated_sheet([cases], classes, AssessSettings(seed=7, resamples=200))
