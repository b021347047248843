"""Which parts of `default.toml` earn their place: one change at a time, on grouped folds that never see the test part.

    python benchmarks/default_recipe.py --data busi:PATH --weights FILE --out runs/ablation [--seeds 2] [--epochs 10]

The test part of the default split is set aside. The rest is cut into three grouped folds; each variant trains on two
and predicts the third, and its pooled predictions are compared with the base's by a paired bootstrap over groups; with
several seeds (of training, not of the folds) the figures are means over them. Each variant's predictions are saved; a
second call goes on with those that are missing and prints the table. The base classifies the whole image without a mask
decoder, which is cheap enough to compare many variants on two CPU cores.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sklearn.model_selection import StratifiedGroupKFold

from busight.audit.checked_dataset import Material, gather
from busight.classify.network import Network, build_classifier
from busight.classify.weights import load_weights
from busight.data.labels import TASKS
from busight.data.sources.catalogue import load
from busight.data.split import make_split
from busight.experiments.prepare import prepare, whole_image
from busight.io.atomic import written_beside
from busight.io.progress import Silent
from busight.metrics.activations import softmax
from busight.metrics.bootstrap import clustered_bootstrap
from busight.metrics.ranking import auroc
from busight.recipes.load import load_recipe
from busight.recipes.schema import Recipe
from busight.train.fit import fit

FOLDS = 3
BASE = (
    "classify.lesion=whole",
    "train.class_weights=true",
    "train.label_smoothing=0",
    "train.warmup_epochs=1",
    "train.augment.rotate_deg=8",
    "train.augment.translate=0.06",
    "train.augment.scale=0.12",
    "train.augment.brightness=0.15",
    "train.augment.contrast=0.15",
    "train.augment.gamma=0",
)
"""What every variant starts from: common practice, before anything was measured."""

FLIPS_ONLY = tuple(f"train.augment.{name}=0" for name in ("rotate_deg", "translate", "scale", "brightness", "contrast"))
VARIANTS: dict[str, tuple[str, ...]] = {
    "base": (),
    "no augmentation": (*FLIPS_ONLY, "train.augment.flip=false"),
    "flips only": FLIPS_ONLY,
    "no class weights": ("train.class_weights=false",),
    "label smoothing 0.1": ("train.label_smoothing=0.1",),
    "joint mask": ("classify.lesion=joint",),
    "no warm-up": ("train.warmup_epochs=0",),
    "Adam, constant 1e-4": ("train.optimizer=adam", "train.schedule=constant", "train.learning_rate=1e-4"),
    "learning rate 5e-4": ("train.learning_rate=5e-4",),
    "dropout 0.3": ("classify.dropout=0.3",),
    "CLAHE": ("enhance.chain=clahe(2.0)",),
    "median and CLAHE": ("enhance.chain=median(3) | clahe(2.0)",),
    "kept aspect": ("classify.keep_aspect=true",),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], help="applies to every variant")
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args()
    material = gather(load(options.data), Silent())
    shared = [
        f"data.spec='{options.data}'",
        f"classify.weights={options.weights}",
        f"classify.size={options.size}",
        f"train.epochs={options.epochs}",
        "train.keep=last",
        *BASE,
        *options.set,
    ]
    development = _development(material, load_recipe("default", shared))
    for seed, (name, overrides) in itertools.product(range(options.seeds), VARIANTS.items()):
        path = _path(options.out, name, seed)
        if path.exists() or (options.only and name not in options.only):
            continue
        recipe = load_recipe("default", [*shared, *overrides, f"train.seed={seed}"])
        plain, flipped = _cross_validate(recipe, material, development)
        with written_beside(path) as beside:
            np.savez(beside, plain=plain, flipped=flipped)
        print(f"{name}, seed {seed}: done", flush=True)
    _table(options.out, options.seeds, material, development)


def _path(out: Path, name: str, seed: int) -> Path:
    return out / f"{name.replace(' ', '-')}-seed{seed}.npz"


def _development(material: Material, recipe: Recipe) -> list[int]:
    split = make_split(material.samples, material.groups, recipe.split)
    kept = {*split.train, *split.val}
    return [index for index, sample in enumerate(material.samples) if sample.sample_id in kept]


def _cross_validate(recipe: Recipe, material: Material, development: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    task, settings = TASKS[recipe.classify.task], recipe.classify
    with tempfile.TemporaryDirectory() as work:
        prepared = prepare(
            [material.samples[i] for i in development],
            material.inspection.dataset.reader,
            recipe.enhance.parsed(),
            whole_image,
            settings.size,
            settings.keep_aspect,
            task,
            Path(work),
            Silent(),
        )
        plain = np.zeros((len(development), len(task.classes)))
        flipped = np.zeros_like(plain)
        groups = [material.groups[i] for i in development]
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
        for fold, (train, held_out) in enumerate(folds.split(groups, prepared.targets, groups)):
            torch.manual_seed(recipe.train.seed)
            network = build_classifier(settings, len(task.classes), recipe.segment)
            load_weights(network, settings.weights, settings.backbone)
            # keep = "last": the held-out fold is watched and chooses nothing.
            folder = Path(work) / str(fold)
            fit(
                network,
                "classifier",
                prepared.select(train),
                prepared.select(held_out),
                recipe.train,
                folder,
            )
            plain[held_out], flipped[held_out] = _predict(network, prepared.images[held_out])
    return plain, flipped


@torch.no_grad()
def _predict(network: Network, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    network.eval()
    found: list[list[np.ndarray]] = [[], []]
    for start in range(0, len(images), 32):
        batch = torch.from_numpy(images[start : start + 32])[:, None].float() / 255
        views = [network(view).logits for view in (batch, batch.flip(-1))]
        found[0].append(views[0].numpy())  # type: ignore[union-attr]
        found[1].append(((views[0] + views[1]) / 2).numpy())  # type: ignore[operator]
    return np.concatenate(found[0]), np.concatenate(found[1])


def _table(out: Path, seeds: int, material: Material, development: Sequence[int]) -> None:
    target = np.array([TASKS["finding"].target(material.samples[i].finding) for i in development])
    groups = [material.groups[i] for i in development]

    def figures(views: np.ndarray, weights: np.ndarray) -> np.ndarray:
        found = []
        for probs in views:
            right = probs.argmax(axis=1) == target
            accuracy = weights @ right / weights.sum(axis=1)
            ranking = np.mean([auroc(probs[:, k], target == k, weights) for k in range(probs.shape[1])], axis=0)
            loss = weights @ -np.log(probs[np.arange(len(target)), target]) / weights.sum(axis=1)
            found.append(np.stack([accuracy, ranking, loss], axis=1))
        return np.mean(found, axis=0)

    rows = {name: _views(out, name, seeds, "plain") for name in VARIANTS}
    base = rows["base"]
    rows = {"base": base, "base, test-time flips": _views(out, "base", seeds, "flipped"), **rows}
    print("| variant | seeds | accuracy | macro AUROC | log-loss | change of accuracy | of macro AUROC | of log-loss |")
    print("|---|---|---|---|---|---|---|---|")
    for name, views in rows.items():
        if not len(views):
            continue
        # A variant with fewer seeds than the base is compared with the base's same seeds.
        reference = base[: len(views)]

        def both(weights: np.ndarray, views: np.ndarray = views, reference: np.ndarray = reference) -> np.ndarray:
            own = figures(views, weights)
            return np.concatenate([own, own - figures(reference, weights)], axis=1)

        found = clustered_bootstrap(both, groups, np.random.default_rng(0), resamples=1000)
        values = " | ".join(f"{value:.3f}" for value in found.value[:3])
        change = " | ".join(f"{found.value[i]:+.3f} ({found.low[i]:+.3f} to {found.high[i]:+.3f})" for i in (3, 4, 5))
        print(f"| {name} | {len(views)} | {values} | {change} |")


def _views(out: Path, name: str, seeds: int, view: str) -> np.ndarray:
    """Return the probabilities of a variant's first seeds, as far as they are there: float64 (seeds, N, classes)."""
    found = []
    for path in itertools.takewhile(Path.exists, (_path(out, name, seed) for seed in range(seeds))):
        with np.load(path) as saved:
            found.append(softmax(saved[view]))
    return np.array(found)


if __name__ == "__main__":
    main()
