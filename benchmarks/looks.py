"""What each look of a cross-validated zoom is worth on a data set: the whole image, its own mask's region, the guess's.

    python benchmarks/looks.py runs/folds --data busbra:PATH [--half 0]

Every network of the first repeat scores every image of the set; on the set that it was cross-validated on, the images
that it tested. ``--half`` takes the groups whose name has an even (0) or odd (1) checksum: choose on one, report the
other.
"""

from __future__ import annotations

import argparse
import csv
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from busight.audit.checked_dataset import gather
from busight.data.sources.catalogue import load
from busight.io.progress import Silent
from busight.metrics.activations import softmax
from busight.metrics.compute import ScoredCases
from busight.metrics.paired import compare
from busight.model.bundle.load import load_bundle
from busight.model.model import Predictor
from busight.model.opening import open_predictor
from busight.results.crossval_folder import fold_folder, plan_of
from busight.results.store import CASES_FILE
from busight.segment.postprocess import to_mask
from busight.segment.proposal import seed_region
from busight.segment.roi import region_of_interest
from busight.types import Image, Mask, Roi

CLASSES = ("normal", "benign", "malignant")
Looks = dict[str, np.ndarray | None]
WAYS: dict[str, Callable[[Looks], np.ndarray]] = {
    "whole and own mask (zoom)": lambda look: _mean(look["whole"], look["own"]),
    "whole alone": lambda look: look["whole"],
    "whole and guess": lambda look: _mean(look["whole"], look["guess"]),
    "whole and own mask, else guess": lambda look: _mean(
        look["whole"], look["own"] if look["own"] is not None else look["guess"]
    ),
    "whole, and the mean of own mask and guess": lambda look: _mean(look["whole"], _mean(look["own"], look["guess"])),
    "mean of all three": lambda look: _mean(look["whole"], look["own"], look["guess"]),
    "LEAK: whole and drawn mask": lambda look: _mean(look["whole"], look["drawn"]),
    "LEAK: likewise, and an empty drawn mask means normal": lambda look: _told_by_mask(look),
}
"""The last two are what a classifier can read off masks that were drawn: BUSI's are empty where the label is normal."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a cross-validation of a zoom recipe")
    parser.add_argument("--data", required=True)
    parser.add_argument("--half", type=int, choices=(0, 1))
    options = parser.parse_args()
    material = gather(load(options.data), Silent())
    chosen = [
        index
        for index, group in enumerate(material.groups)
        if options.half is None or zlib.crc32(str(group).encode()) % 2 == options.half
    ]
    samples = [material.samples[index] for index in chosen]
    reader = material.inspection.dataset.reader
    guesses = [seed_region(reader.image(sample)).mask for sample in samples]
    drawn = [reader.mask(sample) for sample in samples]
    places = [fold_folder(options.folder, 0, fold) for fold in range(plan_of(options.folder).folds)]
    tested = [{row["sample_id"] for row in csv.DictReader((place / CASES_FILE).open())} for place in places]
    own_set = {sample.sample_id for sample in samples} <= set().union(*tested)
    looks: list[list[Looks]] = []
    for place, ids in zip(places, tested, strict=True):
        predictor = open_predictor(load_bundle(place / "bundle"))
        looks.append(
            [
                _looks(predictor, reader.image(sample), guess, truth) if not own_set or sample.sample_id in ids else {}
                for sample, guess, truth in zip(samples, guesses, drawn, strict=True)
            ]
        )
        print(place, file=sys.stderr)
    target = np.array([CLASSES.index(str(sample.finding)) for sample in samples])
    groups = [material.groups[index] for index in chosen]
    _table(looks, target, groups, own_set)


def _looks(predictor: Predictor, image: Image, guess: Mask, drawn: Mask | None) -> Looks:
    card = predictor.card
    assert card.segment is not None
    layers = predictor.enhancement.layers(predictor.enhancement.enhanced(image))
    whole = predictor._classify(layers, Roi(0, 0, *image.shape))
    assert whole.mask_probs is not None
    found: Looks = {"whole": whole.logits / card.calibration.numbers[0][0]}
    own = to_mask(whole.mask_probs, card.segment.postprocess)
    for name, mask in (("own", own), ("guess", guess), ("drawn", np.zeros_like(own) if drawn is None else drawn)):
        box = region_of_interest(mask, card.segment.roi.margin, card.segment.roi.square)
        near = predictor._classify(layers, box).logits / card.calibration.numbers[0][0] if mask.any() else None
        found[name] = near
    return found


def _told_by_mask(look: Looks) -> np.ndarray:
    if look["drawn"] is None:
        return np.array([9.0, -9.0, -9.0])
    return _mean(look["whole"], look["drawn"]) + np.array([-18.0, 0.0, 0.0])


def _mean(*looks: np.ndarray | None) -> np.ndarray | None:  # type: ignore[return]
    seen = [look for look in looks if look is not None]
    return np.mean(seen, axis=0) if seen else None


def _table(looks: list[list[Looks]], target: np.ndarray, groups: list[str], own_set: bool) -> None:
    def repeats(way: Callable[[Looks], np.ndarray]) -> list[ScoredCases]:
        """Return one set of cases: of its own set the one network's word on each image, else each network's."""
        probs = [np.array([softmax(way(look)[None])[0] if look else np.zeros(3) for look in of]) for of in looks]
        if own_set:
            return [ScoredCases(target, np.sum(probs, axis=0), CLASSES)]
        return [ScoredCases(target, one, CLASSES) for one in probs]

    def together(way: Callable[[Looks], np.ndarray]) -> list[ScoredCases]:
        return [ScoredCases(target, np.mean([one.probs for one in repeats(way)], axis=0), CLASSES)]

    first = next(iter(WAYS.values()))
    blind = np.mean([look["own"] is None for of in looks for look in of if look])
    print(f"{len(target)} images in {len(set(groups))} groups; no lesion found by the first look: {blind:.3f}\n")
    print("| looks | accuracy | against zoom | AUROC among lesions | against zoom | all networks together |")
    print("|---|---|---|---|---|---|")
    for name, way in WAYS.items():
        found = compare(repeats(first), repeats(way), groups)
        joint = compare(together(first), together(way), groups).get("auroc", "malignant among lesions")
        cells = []
        for key in (("accuracy", "overall"), ("auroc", "malignant among lesions")):
            one = found.get(*key)
            cells += [f"{one.second:.3f}", f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})"]
        print(f"| {name} | {' | '.join(cells)} | {joint.second:.3f} |")


if __name__ == "__main__":
    main()
