"""Ways of calibration, prediction sets and gates of a cross-validation, each fold fitted on its own validation images.

    python benchmarks/calibration.py runs/folds --data busi:PATH [--external runs/folds-on-busbra.csv ...]

``--external`` takes tables of cases (cases.csv, or networks/*.csv of ``busight evaluate runs/folds``) of another set:
the calibration error there as it is, and after a fit on 50 random groups' images, which are then left out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from calibration_parts import adaptive_ece, brier_parts
from sklearn.datasets import load_sample_images

from busight.audit.checked_dataset import check_dataset
from busight.data.sources.catalogue import load_data
from busight.decision.calibration.catalogue import CALIBRATORS, choose_calibrator, fit_calibrator
from busight.decision.calibration.temperature import apply_temperature, fit_temperature
from busight.decision.conformal import fit_conformal
from busight.io.progress import Silent
from busight.metrics.calibration_error import brier, ece, log_loss
from busight.metrics.image_statistics import image_statistics
from busight.metrics.risk_coverage import risk_coverage
from busight.model.model import Model
from busight.results.cases_file import read_cases
from busight.results.crossval_folder import fold_folders, plan_of
from busight.results.store import CASES_FILE, SPLIT_FILE
from busight.types import Image, prediction_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--external", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    checked = check_dataset(load_data(options.data), Silent())
    group_of, reader = checked.group_of(), checked.reader
    sample_of = {sample.sample_id: sample for sample in checked.samples}
    told: dict[str, list[np.ndarray]] = {method: [] for method in (*CALIBRATORS, "auto")}
    targets, sets, refused, strangers, chosen = [], {0.9: [], 0.95: []}, [], [], []
    others = np.array([image_statistics(one) for one in no_ultrasound()])
    for place in fold_folders(options.folder, plan_of(options.folder)):
        model = Model.load(place)
        ids = json.loads((place / SPLIT_FILE).read_text())["val"]
        answers = model.predict([reader.image(sample_of[one]) for one in ids])
        val = np.array([prediction_of(answer).logits for answer in answers])
        actual = [model.labels.index(sample_of[one].label) for one in ids]
        target, groups = np.array(actual), [group_of[one] for one in ids]
        cases, labels = read_cases(place / CASES_FILE)
        logits = np.array([case.logits for case in cases])
        targets.append(np.array([labels.index(case.target) for case in cases]))
        for method in CALIBRATORS:
            told[method].append(fit_calibrator(method, val, target).apply(logits))
        auto = choose_calibrator(val, target, groups, tuple(CALIBRATORS))
        chosen.append(auto.method)
        told["auto"].append(auto.apply(logits))
        own = fit_calibrator("temperature", val, target)
        for level, found in sets.items():
            found.append(fit_conformal(own.apply(val), target, level).sets(own.apply(logits)))
        refused.append(np.array([bool(case.rejected) for case in cases]))
        ood = model.decision.ood
        if ood is not None and ood.appearance is not None:
            strangers.append(ood.appearance.score(others) > ood.appearance.limit)
    _print(told, np.concatenate(targets), sets, chosen, labels.names)
    print(f"\nrefused: {np.concatenate(refused).mean():.3f} of the test images, ", end="")
    print(f"{np.mean(strangers):.3f} of {len(others)} pictures that are no ultrasound" if strangers else "no gate")
    for path in options.against:
        _elsewhere(path)


def no_ultrasound() -> Iterator[Image]:
    """Yield photographs, textures, text and medical pictures that come with libraries, parts of them, and noise."""
    rng = np.random.default_rng(0)
    folder = Path(skimage.data.__path__[0])
    pictures = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in sorted(folder.glob("*.[pj]*g"))]
    pictures += [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in load_sample_images().images]
    for picture in pictures:
        if picture is None:
            continue
        yield picture
        for _ in range(12 if min(picture.shape) >= 150 else 0):
            height, width = (int(rng.integers(100, side + 1)) for side in picture.shape)
            top, left = rng.integers(picture.shape[0] - height + 1), rng.integers(picture.shape[1] - width + 1)
            yield np.ascontiguousarray(picture[top : top + height, left : left + width])
    for step in range(10):
        yield np.clip(rng.normal(60 + 10 * step, 20 + 5 * step, (300, 400)), 0, 255).astype(np.uint8)
        yield np.clip(rng.rayleigh(20 + 5 * step, (300, 400)), 0, 255).astype(np.uint8)
        yield np.full((300, 400), 25 * step, np.uint8)
        yield np.tile(np.linspace(0, 25 * step + 5, 400).astype(np.uint8), (300, 1))


def _print(
    told: dict[str, list[np.ndarray]],
    target: np.ndarray,
    sets: dict[float, list[np.ndarray]],
    chosen: list[str],
    classes: tuple[str, ...],
) -> None:
    print(f"{len(target)} test images, all folds together; auto chose {', '.join(chosen)}\n")
    print("| calibration | ECE | adaptive ECE | Brier | log-loss | accuracy |\n|---|---|---|---|---|---|")
    for name, parts in told.items():
        probs = np.concatenate(parts)
        figures = (ece(target, probs), adaptive_ece(target, probs), brier(target, probs), log_loss(target, probs))
        right = (probs.argmax(axis=1) == target).mean()
        print(f"| {name} | {' | '.join(f'{float(one):.3f}' for one in figures)} | {right:.3f} |")
    probs = np.concatenate(told["temperature"])
    last = brier_parts(target == len(classes) - 1, probs[:, -1])
    print(f"\nBrier of {classes[-1]}: reliability {last.reliability:.4f}, resolution {last.resolution:.4f}, ", end="")
    print(f"uncertainty {last.uncertainty:.4f}")
    curve = risk_coverage(target, probs)
    print(f"area under risk and coverage {curve.area:.3f}; ", end="")
    print(", ".join(f"{curve.at(share)[1]:.3f} wrong of the surest {share:.0%}" for share in (0.5, 0.7, 0.9, 1.0)))
    for level, parts in sets.items():
        inside = np.concatenate(parts)
        held = [f"{name} {inside[target == k, k].mean():.3f}" for k, name in enumerate(classes)]
        sizes = inside.sum(axis=1)
        print(f"sets at {level:.0%}: {', '.join(held)}; {sizes.mean():.2f} classes, one in {(sizes == 1).mean():.3f}")


def _elsewhere(path: Path) -> None:
    cases, labels = read_cases(path)
    groups = sorted({case.group for case in cases})
    picked = set(np.random.default_rng(0).permutation(groups)[:50].tolist())
    seen = [case for case in cases if case.group in picked]
    rest = [case for case in cases if case.group not in picked]

    # Sets without normal images: of what is benign or malignant, which?
    names = [name for name in labels.names if any(case.target == name for case in cases)]
    columns = [labels.index(name) for name in names]

    def arrays(part: list) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        logits = np.array([case.logits for case in part])[:, columns]
        probs = np.array([case.calibrated_probs for case in part])[:, columns]
        return (
            logits,
            probs / probs.sum(axis=1, keepdims=True),
            np.array([names.index(case.target) for case in part]),
        )

    known, _, known_target = arrays(seen)
    logits, before, target = arrays(rest)
    after = apply_temperature(logits, fit_temperature(known, known_target))
    vector = fit_calibrator("vector", known, known_target).apply(logits)
    print(f"{path.name}: {' / '.join(names)}, {len(rest)} images: ECE {float(ece(target, before)):.3f}; ", end="")
    print(f"recalibrated on {len(seen)} images of 50 groups: temperature {float(ece(target, after)):.3f}, ", end="")
    refused = np.mean([bool(case.rejected) for case in cases])
    print(f"vector {float(ece(target, vector)):.3f}; refused {refused:.3f}")


if __name__ == "__main__":
    main()
