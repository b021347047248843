"""Do maps of where a network looked point at lesions? On found lesions of the test images of a global_local network.

    python benchmarks/explanation.py runs/folds --data busi:PATH [--limit 150] [--occlusion 20]

First the maps of the first look at the whole image, at the network's input size; then the map that `busight explain`
shows, of all looks, in the image's own pixels. Both by the network that never saw the image, on images drawn at random.
Gradient maps need PyTorch and Captum.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from saliency.faithfulness import deletion, energy_inside, insertion, pointing_hit
from saliency.gradients import METHODS, gradient_map, with_random_head, with_random_network
from saliency.occlusion import occlusion_map

from busight.audit.checked_dataset import check_dataset
from busight.classify.network import build_classifier
from busight.classify.weights import load_weights
from busight.data.sources.catalogue import load_data
from busight.io.progress import Silent
from busight.metrics.activations import softmax
from busight.metrics.bootstrap import clustered_bootstrap
from busight.model.bundle.card import WEIGHTS
from busight.model.model import Model
from busight.preprocess.resize import resize_or_pad, resize_or_pad_mask
from busight.recipes.schema import Recipe
from busight.results.cases_file import read_cases
from busight.results.crossval_folder import fold_folder, plan_of
from busight.results.store import CASES_FILE
from busight.types import Image, prediction_of

FOUND = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--limit", type=int, default=150)
    parser.add_argument("--occlusion", type=int, default=20, help="images on which what is slow is tried")
    options = parser.parse_args()
    torch.set_num_threads(1)
    checked = check_dataset(load_data(options.data), Silent())
    reader = checked.reader
    sample_of = {sample.sample_id: sample for sample in checked.samples}
    folds = plan_of(options.folder).folds
    rows: dict[str, list[tuple[str, list[float]]]] = {}
    shown: dict[str, list[tuple[str, list[float]]]] = {}
    shares = []
    for fold in range(folds):
        place = fold_folder(options.folder, 0, fold)
        model = Model.load(place)
        network, size = _network(place)
        randomised = {"random last layer": with_random_head(network), "random network": with_random_network(network)}
        cases, labels = read_cases(place / CASES_FILE)
        found = [case for case in cases if case.mask_scores.iou >= FOUND and not case.is_error]
        drawn_lots = np.random.default_rng(fold).permutation(len(found))[: options.limit // folds]
        for number, case in enumerate(found[lot] for lot in drawn_lots):
            sample = sample_of[case.sample_id]
            drawn = reader.mask(sample)
            assert drawn is not None
            picture = reader.image(sample)
            shares.append(float(drawn.mean()))
            slow = number < options.occlusion // folds
            for name, one in _page(model, picture).items():
                curves = _curves(picture, one, _answer(model, case.prediction)) if slow else [np.nan, np.nan]
                values = [float(pointing_hit(one, drawn)), energy_inside(one - one.min(), drawn), *curves]
                shown.setdefault(name, []).append((case.group, values))
            image = resize_or_pad(picture, size, keep_aspect=False)
            mask, target = resize_or_pad_mask(drawn, size, keep_aspect=False), labels.index(case.prediction)
            maps = _maps(network, image, target)
            if slow:
                maps["occlusion"] = occlusion_map(image, _score(network, target), steps=8)
            for name, other in randomised.items():
                maps[f"class activation, {name}"] = _activation(other, image, target)
            maps["centre of the image"] = _centre(size)
            for name, one in maps.items():
                curves = _curves(image, one, _score(network, target))
                alike = float(np.corrcoef(one.ravel(), maps["class activation"].ravel())[0, 1])
                values = [float(pointing_hit(one, mask)), energy_inside(one - one.min(), mask), *curves, alike]
                rows.setdefault(name, []).append((case.group, values))
    _print("first look", rows, ["deletion", "insertion", "correlation with class activation"])
    _print("as the page shows it", shown, ["deletion, of few", "insertion, of few"])
    print(
        f"\nlesions take {np.mean(shares):.2f} of the image on average: what a map without knowledge would have inside"
    )


def _print(title: str, rows: dict[str, list[tuple[str, list[float]]]], more: list[str]) -> None:
    columns = [title, "images", "pointing game", "energy inside", *more]
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for name, told in rows.items():
        print(f"| {name} | {len(told)} | {' | '.join(_cells(told))} |")


def _network(place: Path) -> tuple[torch.nn.Module, int]:
    model = Model.load(place)
    recipe = Recipe.model_validate(tomllib.loads(model.card.training.recipe))
    network = build_classifier(recipe.classify, len(model.labels.names), recipe.segment)
    load_weights(network, str(model.folder / WEIGHTS), recipe.classify.backbone)
    return network.eval(), recipe.classify.size


def _page(model: Model, picture: Image) -> dict[str, np.ndarray]:
    """Return the page's map, and maps that know nothing but a place."""
    prediction = prediction_of(model.predict([picture])[0])
    roi, mask = prediction.roi, prediction.mask
    assert prediction.activation is not None
    assert mask is not None
    middle = (picture.shape[0] / 2, picture.shape[1] / 2)
    return {
        "the page's map": prediction.activation,
        "centre of the image": _around(picture, middle),
        "centre of the region that was looked at": _around(
            picture, ((roi.top + roi.bottom) / 2, (roi.left + roi.right) / 2)
        ),
        "centre of the network's own mask": _around(picture, tuple(np.argwhere(mask).mean(axis=0))),
    }


def _around(picture: Image, place: tuple[float, ...]) -> np.ndarray:
    """Return a bell on one place, as wide as a quarter of the image: float32 HW."""
    rows, columns = np.indices(picture.shape)
    away = ((rows - place[0]) / picture.shape[0]) ** 2 + ((columns - place[1]) / picture.shape[1]) ** 2
    return np.exp(-16 * away).astype(np.float32)


def _answer(model: Model, label: str) -> Callable[[Image], float]:
    where = model.labels.index(label)
    return lambda image: float(prediction_of(model.predict([image])[0]).calibrated_probs[where])


def _curves(image: Image, one: np.ndarray, score: Callable[[Image], float]) -> list[float]:
    return [curve(image, one, score, 8).area for curve in (deletion, insertion)]


def _output(network: torch.nn.Module, image: Image):
    with torch.no_grad():
        return network(torch.from_numpy(image).float()[None, None] / 255)


def _score(network: torch.nn.Module, target: int) -> Callable[[Image], float]:
    return lambda image: float(softmax(_output(network, image).logits.numpy().astype(np.float64))[0, target])


def _activation(network: torch.nn.Module, image: Image, target: int) -> np.ndarray:
    small = _output(network, image).activation[:, target : target + 1]
    grown = torch.nn.functional.interpolate(small, image.shape, mode="bilinear")
    return grown[0, 0].numpy()


def _maps(network: torch.nn.Module, image: Image, target: int) -> dict[str, np.ndarray]:
    encoder = network.segmenter.encoder.model
    layer = list(encoder.blocks)[-1] if hasattr(encoder, "blocks") else list(encoder.children())[-1]
    found = {"class activation": _activation(network, image, target)}
    return found | {method: gradient_map(network, layer, image, target, method) for method in METHODS}


def _centre(size: int) -> np.ndarray:
    away = np.linspace(-1, 1, size)
    return np.exp(-4 * (away[:, None] ** 2 + away[None] ** 2)).astype(np.float32)


def _cells(told: list[tuple[str, list[float]]]) -> list[str]:
    values = np.array([one for _, one in told])

    def means(weights: np.ndarray) -> np.ndarray:
        known = ~np.isnan(values)
        return (weights @ np.where(known, values, 0)) / np.maximum(weights @ known, 1e-9)

    groups = [group for group, _ in told]
    found = clustered_bootstrap(means, groups, np.random.default_rng(0), 1000, 0.95)
    return [f"{found.value[k]:.2f} ({found.low[k]:.2f}–{found.high[k]:.2f})" for k in range(values.shape[1])]


if __name__ == "__main__":
    main()
