"""What makes a classifier travel: one change at a time, inside BUSI and, unchanged, on BUS-BRA.

    python benchmarks/travel.py --data busi:PATH --against busbra:PATH --weights FILE --out runs/travel [--seeds 2]

The test part of the default split is set aside. The rest is cut into three grouped folds; each variant trains on two
and predicts the third, which gives its figures inside the set. The three networks predict the other set too, half of
whose patients are for choosing: only their figures are printed. ``--report`` prints the other half's, once the choice
is made. Differences from the base are paired; intervals are drawn over groups, and the luck of the training seed is
not in them. Every variant's predictions are saved; a second call goes on with those that are missing.

A variant marked as a leak is fed drawn outlines at test time: an upper bound, not a method.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from default_recipe import _development
from sklearn.model_selection import StratifiedGroupKFold

from busight.audit.checked_dataset import Material, gather
from busight.classify.network import Network, build_classifier
from busight.classify.settings import ClassifySettings
from busight.classify.weights import load_weights
from busight.data.labels import TASKS
from busight.data.sources.catalogue import load
from busight.experiments.prepare import Region, prepare, whole_image
from busight.io.atomic import written_beside
from busight.io.progress import Silent
from busight.metrics.activations import softmax
from busight.metrics.bootstrap import clustered_bootstrap
from busight.metrics.ranking import auroc
from busight.preprocess.enhance.chain import apply_chain, parse_chain
from busight.preprocess.resize import from_input, to_input
from busight.recipes.load import load_recipe
from busight.recipes.schema import Recipe
from busight.segment.postprocess import to_mask
from busight.segment.roi import region_of_interest
from busight.train.fit import fit
from busight.train.prepared import PreparedSet, concat
from busight.types import Mask, Roi, Sample

FOLDS = 3
BASE = (
    "classify.lesion=whole",
    "train.keep=last",
    "train.augment.brightness=0",
    "train.augment.contrast=0",
    "train.augment.gamma=0",
)
"""The default recipe as it was before: flips only, the whole image (its mask decoder is a variant here)."""

GREY = ("train.augment.brightness=0.3", "train.augment.contrast=0.3", "train.augment.gamma=0.4")
SPACE = ("train.augment.scale=0.25", "train.augment.translate=0.1", "train.augment.rotate_deg=8")
ASPECT = ("train.augment.aspect=0.35",)
SCANNER = ("train.augment.blur=1.5", "train.augment.speckle=0.2", "train.augment.gain=0.2")
PAD = ("classify.keep_aspect=true",)


@dataclass(frozen=True, slots=True)
class Variant:
    """One change of the base: overrides of the recipe, and the region that is seen.

    Attributes:
        overrides: Of the recipe.
        drawn_margin: See the drawn lesion with this margin, in training and at test time: a leak.
        zoom: A joint network that looks twice: at the whole image, then at the region of the mask that it found there.
            It trains on whole images, on regions of drawn lesions, and on random regions of normal images.
    """

    overrides: tuple[str, ...] = ()
    drawn_margin: float | None = None
    zoom: bool = False


VARIANTS: dict[str, Variant] = {
    "base": Variant(),
    "kept aspect": Variant(PAD),
    "grey values": Variant(GREY),
    "size and place": Variant(SPACE),
    "aspect": Variant(ASPECT),
    "blur, speckle and gain": Variant(SCANNER),
    "CLAHE": Variant(("enhance.chain=clahe(2.0)",)),
    "equalised": Variant(("enhance.chain=equalize",)),
    "joint mask": Variant(("classify.lesion=joint",)),
    "drawn lesion, margin 0.25 (a leak)": Variant(drawn_margin=0.25),
    "zoom": Variant(("classify.lesion=joint", "train.epochs=6"), zoom=True),
    "zoom, grey values": Variant(("classify.lesion=joint", "train.epochs=6", *GREY), zoom=True),
    "zoom, grey values, blur, speckle, gain": Variant(
        ("classify.lesion=joint", "train.epochs=6", *GREY, *SCANNER), zoom=True
    ),
    "zoom, grey values, kept aspect": Variant(("classify.lesion=joint", "train.epochs=6", *GREY, *PAD), zoom=True),
    "zoom, grey values, kept aspect, equalised": Variant(
        ("classify.lesion=joint", "train.epochs=6", *GREY, *PAD, "enhance.chain=equalize"), zoom=True
    ),
    "zoom, all augmentation, kept aspect": Variant(
        ("classify.lesion=joint", "train.epochs=6", *GREY, *SPACE, *ASPECT, *SCANNER, *PAD), zoom=True
    ),
    "all augmentation": Variant((*GREY, *SPACE, *ASPECT, *SCANNER)),
    "all augmentation, kept aspect": Variant((*GREY, *SPACE, *ASPECT, *SCANNER, *PAD)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--against", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], help="applies to every variant")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--report", action="store_true", help="print the half of the patients that chose nothing")
    options = parser.parse_args()
    inside, outside = (gather(load(spec), Silent()) for spec in (options.data, options.against))
    shared = [
        f"classify.weights={options.weights}",
        f"classify.size={options.size}",
        f"train.epochs={options.epochs}",
        *BASE,
        *options.set,
    ]
    development = _development(inside, load_recipe("default", shared))
    for seed, (name, variant) in itertools.product(range(options.seeds), VARIANTS.items()):
        path = _path(options.out, name, seed)
        if path.exists() or (options.only and name not in options.only):
            continue
        recipe = load_recipe("default", [*shared, *variant.overrides, f"train.seed={seed}"])
        work = _zoom if variant.zoom else _train_and_predict
        own, other = work(recipe, variant, inside, development, outside)
        with written_beside(path) as beside:
            np.savez(beside, own=own, other=other)
        print(f"{name}, seed {seed}: done", flush=True)
    _table(options, inside, development, outside)


def _path(out: Path, name: str, seed: int) -> Path:
    return out / f"{''.join(c if c.isalnum() else '-' for c in name)}-seed{seed}.npz"


def _chosen_half(material: Material) -> np.ndarray:
    """Return True for the images of half of the groups, drawn once: those that may choose between variants."""
    names = sorted(set(material.groups))
    half = set(np.random.default_rng(2026).permutation(names)[: len(names) // 2].tolist())
    return np.array([group in half for group in material.groups])


def _train_and_predict(
    recipe: Recipe, variant: Variant, inside: Material, development: Sequence[int], outside: Material
) -> tuple[np.ndarray, np.ndarray]:
    """Return logits: of each image of the set by the network that did not see it, of the other set by all three."""
    settings, task = recipe.classify, TASKS[recipe.classify.task]
    with tempfile.TemporaryDirectory() as work:
        ours = _prepared(recipe, variant, inside, development, Path(work) / "inside")
        theirs = _prepared(recipe, variant, outside, range(len(outside.samples)), Path(work) / "outside")
        own = np.zeros((len(development), len(task.classes)))
        other = np.zeros((FOLDS, len(outside.samples), len(task.classes)))
        groups = [inside.groups[i] for i in development]
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
        for fold, (train, held_out) in enumerate(folds.split(groups, ours.targets, groups)):
            torch.manual_seed(recipe.train.seed)
            network = build_classifier(settings, len(task.classes), recipe.segment)
            load_weights(network, settings.weights, settings.backbone)
            # keep = "last": the held-out fold is watched and chooses nothing.
            folder = Path(work) / str(fold)
            fit(network, "classifier", ours.select(train), ours.select(held_out), recipe.train, folder)
            own[held_out] = _predict(network, ours.images[held_out])
            other[fold] = _predict(network, theirs.images[range(len(theirs))])
    return own, other


def _zoom(
    recipe: Recipe, variant: Variant, inside: Material, development: Sequence[int], outside: Material
) -> tuple[np.ndarray, np.ndarray]:
    """Return logits as `_train_and_predict`, but of three readings: (3, ...) whole image, region, their mean."""
    settings, task = recipe.classify, TASKS[recipe.classify.task]
    with tempfile.TemporaryDirectory() as work:
        whole = _prepared(recipe, variant, inside, development, Path(work) / "whole")
        rng = np.random.default_rng(recipe.train.seed)
        near = _prepared(recipe, variant, inside, development, Path(work) / "near", lambda m: _some_region(m, rng))
        own = np.zeros((3, len(development), len(task.classes)))
        other = np.zeros((3, FOLDS, len(outside.samples), len(task.classes)))
        groups = [inside.groups[i] for i in development]
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
        ours = [inside.samples[i] for i in development]
        for fold, (train, held_out) in enumerate(folds.split(groups, whole.targets, groups)):
            torch.manual_seed(recipe.train.seed)
            network = build_classifier(settings, len(task.classes), recipe.segment)
            load_weights(network, settings.weights, settings.backbone)
            both = concat(whole.select(train), near.select(train))
            fit(network, "classifier", both, whole.select(held_out), recipe.train, Path(work) / str(fold))
            own[:, held_out] = _look_twice(network, recipe, inside, [ours[i] for i in held_out])
            other[:, fold] = _look_twice(network, recipe, outside, outside.samples)
    return own, other


def _some_region(mask: Mask, rng: np.random.Generator) -> Roi:
    """Choose a region for training: around a drawn lesion, more or less widened; anywhere where there is none."""
    height, width = mask.shape
    if mask.any():
        shift = rng.uniform(-0.1, 0.1, 2)
        box = region_of_interest(mask, float(rng.uniform(0.15, 0.6)))
        down, right = round(shift[0] * box.height), round(shift[1] * box.width)
        top, left = (
            int(np.clip(box.top + down, 0, height - box.height)),
            int(np.clip(box.left + right, 0, width - box.width)),
        )
        return Roi(top, left, top + box.height, left + box.width)
    side = round(float(rng.uniform(0.3, 0.8)) * min(height, width))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    return Roi(top, left, top + side, left + side)


@torch.no_grad()
def _look_twice(network: Network, recipe: Recipe, material: Material, samples: Sequence[Sample]) -> np.ndarray:
    network.eval()
    steps, settings = parse_chain(recipe.enhance.chain), recipe.classify
    found = []
    for sample in samples:
        image = apply_chain(material.inspection.dataset.reader.image(sample), steps)
        whole, probs = _look(network, image, settings)
        height, width = image.shape[:2]
        probs = from_input(probs, height, width, settings.keep_aspect, settings.size)
        mask = to_mask(probs, recipe.segment.postprocess)
        near = whole
        if mask.any():
            near, _ = _look(network, region_of_interest(mask, recipe.segment.roi.margin).cut(image), settings)
        found.append([whole, near, (whole + near) / 2])
    return np.array(found, dtype=np.float64).transpose(1, 0, 2)


def _look(network: Network, image: np.ndarray, settings: ClassifySettings) -> tuple[np.ndarray, np.ndarray]:
    given = torch.from_numpy(to_input(image, settings.size, settings.keep_aspect))[None, None].float() / 255
    seen = network(torch.cat([given, given.flip(-1)]))
    probs = torch.sigmoid(seen.mask_logits)
    return seen.logits.mean(dim=0).numpy(), ((probs[0, 0] + probs[1, 0].flip(-1)) / 2).numpy()


def _prepared(
    recipe: Recipe,
    variant: Variant,
    material: Material,
    indices: Sequence[int],
    folder: Path,
    of_mask: Callable[[Mask], Roi] | None = None,
) -> PreparedSet:
    samples = [material.samples[i] for i in indices]
    reader = material.inspection.dataset.reader
    region: Region = whole_image
    if variant.drawn_margin is not None:
        of_mask = partial(region_of_interest, margin=variant.drawn_margin)
    if of_mask is not None:
        choose = of_mask

        def region(image: np.ndarray, drawn: Mask | None = None) -> Roi:
            return whole_image(image) if drawn is None else choose(drawn)

    settings = recipe.classify
    task = TASKS[settings.task]
    return prepare(
        samples, reader, recipe.enhance.parsed(), region, settings.size, settings.keep_aspect, task, folder, Silent()
    )


@torch.no_grad()
def _predict(network: Network, images: np.ndarray) -> np.ndarray:
    """Return the logits, the mean over the picture and its mirror image, float64 (N, classes)."""
    network.eval()
    found = []
    for start in range(0, len(images), 32):
        batch = torch.from_numpy(images[start : start + 32])[:, None].float() / 255
        views = [network(view).logits for view in (batch, batch.flip(-1))]
        found.append(((views[0] + views[1]) / 2).numpy())  # type: ignore[operator]
    return np.concatenate(found).astype(np.float64)


def _table(options: argparse.Namespace, inside: Material, development: Sequence[int], outside: Material) -> None:
    task = TASKS["finding"]
    own_target = np.array([task.target(inside.samples[i].finding) for i in development])
    own_groups = [inside.groups[i] for i in development]
    half = _chosen_half(outside) ^ options.report
    other_positive = np.array([task.target(sample.finding) == 2 for sample in outside.samples])[half]
    other_groups = [group for group, kept in zip(outside.groups, half, strict=True) if kept]
    rows = {name: _saved(options.out, name, options.seeds) for name in VARIANTS}
    rows = {read: views for name, found in rows.items() for read, views in _readings(name, found).items()}

    def own_figures(views: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
        found = []
        for probs in map(softmax, views):
            accuracy = weights @ (probs.argmax(axis=1) == own_target) / weights.sum(axis=1)
            ranking = np.mean([auroc(probs[:, k], own_target == k, weights) for k in range(3)], axis=0)
            found.append(np.stack([accuracy, ranking], axis=1))
        return np.mean(found, axis=0)

    def other_figures(views: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
        # Malignant against benign: the three networks together, and each by itself.
        together = [auroc(_score(view.mean(axis=0))[half], other_positive, weights) for view in views]
        single = [auroc(_score(one)[half], other_positive, weights) for view in views for one in view]
        return np.stack([np.mean(single, axis=0), np.mean(together, axis=0)], axis=1)

    print(f"inside: {len(development)} images; outside: {int(half.sum())} images, {len(set(other_groups))} groups")
    print("| variant | seeds | accuracy | macro AUROC | outside, one network | three networks |")
    print("|---|---|---|---|---|---|")
    base = rows["base"]
    for name, found in rows.items():
        if not found:
            continue
        reference = base[: len(found)]
        own = _changes(own_figures, [f[0] for f in found], [f[0] for f in reference], own_groups)
        other = _changes(other_figures, [f[1] for f in found], [f[1] for f in reference], other_groups)
        print(f"| {name} | {len(found)} | {' | '.join([*own, *other])} |")


def _readings(name: str, found: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """Take the readings of a zoom apart; every other variant has one."""
    if not found or found[0][0].ndim == 2:
        return {name: found}
    reads = ("the whole image only", "the region only", "both")
    return {f"{name}: {read}": [(own[k], other[k]) for own, other in found] for k, read in enumerate(reads)}


def _score(logits: np.ndarray) -> np.ndarray:
    return logits[:, 2] - logits[:, 1]


def _changes(figures: Callable, views: list, reference: list, groups: Sequence[str]) -> list[str]:
    def both(weights: np.ndarray) -> np.ndarray:
        own = figures(views, weights)
        return np.concatenate([own, own - figures(reference, weights)], axis=1)

    found = clustered_bootstrap(both, groups, np.random.default_rng(0), resamples=1000)
    count = len(found.value) // 2
    return [
        f"{found.value[i]:.3f} ({found.value[j]:+.3f}, {found.low[j]:+.3f} to {found.high[j]:+.3f})"
        for i, j in zip(range(count), range(count, 2 * count), strict=True)
    ]


def _saved(out: Path, name: str, seeds: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the logits of a variant's first seeds, as far as they are there."""
    found = []
    for path in itertools.takewhile(Path.exists, (_path(out, name, seed) for seed in range(seeds))):
        with np.load(path) as saved:
            found.append((saved["own"], saved["other"]))
    return found


if __name__ == "__main__":
    main()
