"""BI-RADS words of phantoms whose words are known, and what they tell on patients' lesions.

python benchmarks/descriptors.py                       # right words on phantoms that taught nothing
python benchmarks/descriptors.py --data busbra:PATH    # malignant against benign by the words alone, drawn masks
python benchmarks/descriptors.py --crossval runs/folds --data busi:PATH [--external busbra:PATH]
                                                       # likewise by the bundles' own readers, predicted masks
python benchmarks/descriptors.py --fit                 # make src/busight/descriptors/lexicon_model.json anew
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedGroupKFold

from busight.audit.checked_dataset import CheckedDataset, check_dataset
from busight.data.sources.catalogue import load_data
from busight.descriptors import lexicon as descriptors
from busight.descriptors.lexicon import TERMS, descriptors_of, lesion_features
from busight.descriptors.model import descriptor_inputs, fit_descriptor_model
from busight.errors import DataError
from busight.io.progress import Silent
from busight.metrics.bootstrap import clustered_bootstrap
from busight.metrics.ranking import auroc_of_counts, counts_at_thresholds
from busight.model.model import Model
from busight.results.cases_file import read_cases
from busight.results.crossval_folder import fold_folder, plan_of
from busight.results.store import CASES_FILE
from busight.simulate.case import generate_case, patient_of
from busight.types import Image, Sample, prediction_of

TEACHING = ((11, 1400), (21, 3600))
TESTING = ((12, 700),)
GROUPS = {
    "shape": ("shape_features",),
    "orientation": ("shape_features",),
    "margin": ("shape_features", "margin_features"),
    "echo_pattern": ("echo_features",),
    "posterior": ("posterior_features", "echo_features"),
}
"""What each term may look at: a word that is guessed from another word's numbers would only repeat it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--data")
    parser.add_argument("--crossval", type=Path)
    parser.add_argument("--external")
    options = parser.parse_args()
    if options.fit:
        _fit()
    if options.crossval:
        _bundles(options.crossval, options.data, options.against)
    elif options.data:
        _patients(options.data)
    else:
        _phantoms()


def _cases(seeds: tuple[tuple[int, int], ...]) -> Iterator[tuple[dict[str, float], dict[str, str]]]:
    for seed, count in seeds:
        for index in range(count):
            words = patient_of(seed, index).descriptors
            if words is None:
                continue
            case = generate_case(seed, index)
            try:
                yield lesion_features(case.image, case.mask), {term: getattr(words, term) for term in TERMS}
            except DataError:
                continue  # it reaches the picture's border


def _fit() -> None:
    from busight.descriptors.lesion_view import lesion_view

    cases = list(_cases(TEACHING))
    seed, index = next((11, index) for index in range(50) if patient_of(11, index).descriptors is not None)
    example = generate_case(seed, index)
    view = lesion_view(example.image, example.mask)
    terms = {}
    for term in TERMS:
        names = [name for group in GROUPS[term] for name in getattr(descriptors, group)(view)]
        shown = [(numbers, words) for numbers, words in cases if not np.isnan([numbers[name] for name in names]).any()]
        values = np.array([[numbers[name] for name in names] for numbers, _ in shown])
        low, high = np.quantile(values, 0.005, axis=0), np.quantile(values, 0.995, axis=0)
        inside = np.clip(values, low, high)
        mean, deviation = inside.mean(axis=0), np.maximum(inside.std(axis=0), 1e-9)
        fitted = LogisticRegression(max_iter=5000).fit((inside - mean) / deviation, [words[term] for _, words in shown])
        weights, offset = fitted.coef_, fitted.intercept_
        if len(fitted.classes_) == 2:
            weights, offset = np.vstack([-weights, weights]) / 2, np.concatenate([-offset, offset]) / 2
        arrays = {"low": low, "high": high, "mean": mean, "deviation": deviation, "weights": weights, "offset": offset}
        rounded = {
            name: np.vectorize(lambda value: float(f"{value:.6g}"))(array).tolist() for name, array in arrays.items()
        }
        terms[term] = {"words": fitted.classes_.tolist(), "names": names, **rounded}
    seeds = " and ".join(str(seed) for seed, _ in TEACHING)
    made = f"benchmarks/descriptors.py --fit: {len(cases)} phantom masses of seeds {seeds}"
    place = Path(descriptors.__file__).with_name("lexicon_model.json")
    place.write_text(json.dumps({"made_by": made, "terms": terms}, indent=1) + "\n", encoding="utf-8")
    descriptors._model.cache_clear()


def _phantoms() -> None:
    cases = list(_cases(TESTING))
    print(f"{len(cases)} phantom masses of seeds that taught nothing\n")
    print("| term | right | of the commonest word alone |\n|---|---|---|")
    found = [{word.term: word.word for word in descriptors_of(numbers)} for numbers, _ in cases]
    for term in TERMS:
        true, said = [words[term] for _, words in cases], [words[term] for words in found]
        right = np.mean([one == other for one, other in zip(true, said, strict=True)])
        commonest = max(np.mean([one == word for one in true]) for word in set(true))
        print(f"| {term.replace('_', ' ')} | {right:.3f} | {commonest:.3f} |")
        names = sorted(set(true))
        print(f"  {names}\n{confusion_matrix(true, said, labels=names)}", file=sys.stderr)


def _patients(spec: str) -> None:
    checked = check_dataset(load_data(spec), Silent())
    reader = checked.reader
    inputs, target, groups, birads = [], [], [], []
    for sample, group in zip(checked.samples, checked.groups, strict=True):
        drawn = reader.mask(sample)
        if str(sample.label) not in ("benign", "malignant") or drawn is None:
            continue
        try:
            numbers = lesion_features(reader.image(sample), drawn)
        except DataError:
            continue
        inputs.append(descriptor_inputs(numbers))
        target.append(str(sample.label) == "malignant")
        groups.append(group)
        birads.append(sample.birads)
    names, values = list(inputs[0]), np.array([list(one.values()) for one in inputs])
    positive = np.array(target)
    scores = np.empty(len(positive))
    for fit, held in StratifiedGroupKFold(5, shuffle=True, random_state=0).split(values, positive, groups):
        scores[held] = fit_descriptor_model(names, values[fit], positive[fit]).probs(values[held])

    def auroc(weights: np.ndarray) -> np.ndarray:
        return auroc_of_counts(counts_at_thresholds(scores, positive, weights))[..., None]

    one = clustered_bootstrap(auroc, groups, np.random.default_rng(0), 1000, 0.95)
    print(f"{len(positive)} lesions in {len(set(groups))} groups; malignant against benign by words alone, five folds:")
    print(f"AUROC {one.value[0]:.3f} ({one.low[0]:.3f} to {one.high[0]:.3f})")
    for category in sorted({one for one in birads if one is not None}):
        chosen = np.array([one == category for one in birads])
        print(f"BI-RADS {category}: {chosen.sum()} lesions, mean probability {scores[chosen].mean():.2f}")


def _bundles(folder: Path, spec: str, against: str | None) -> None:
    """Ask each fold's descriptor model about the lesions of its test part, and of another data set."""
    places = [fold_folder(folder, 0, fold) for fold in range(plan_of(folder).folds)]
    models = [Model.load(place) for place in places]
    checked = check_dataset(load_data(spec), Silent())
    tested = {case.sample_id: fold for fold, place in enumerate(places) for case in read_cases(place / CASES_FILE)[0]}
    print(_told(checked, lambda sample: [models[tested[sample.sample_id]]]))
    if against is not None:
        print(_told(check_dataset(load_data(against), Silent()), lambda _: models))


def _told(checked: CheckedDataset, asked: Callable[[Sample], list[Model]]) -> str:
    reader = checked.reader
    rows, positive, groups = [], [], []
    for sample, group in zip(checked.samples, checked.groups, strict=True):
        if str(sample.label) not in ("benign", "malignant"):
            continue
        rows.append([_said(model, reader.image(sample)) for model in asked(sample)])
        positive.append(str(sample.label) == "malignant")
        groups.append(group)
    scores, malignant = np.array(rows), np.array(positive)
    known = ~np.isnan(scores)

    def auroc(weights: np.ndarray) -> np.ndarray:
        told = [
            auroc_of_counts(counts_at_thresholds(column[held], malignant[held], weights[..., held]))
            for column, held in zip(scores.T, known.T, strict=True)
        ]
        return np.mean(told, axis=0)[..., None]

    one = clustered_bootstrap(auroc, groups, np.random.default_rng(0), 1000, 0.95)
    return (
        f"{checked.summary().spec}: {len(rows)} lesions, of {known.mean(axis=0).min():.0%} of which every model says "
        f"something; AUROC of one model {one.value[0]:.3f} ({one.low[0]:.3f} to {one.high[0]:.3f})"
    )


def _said(model: Model, image: Image) -> float:
    evidence = prediction_of(model.predict([image])[0]).descriptors
    return float("nan") if evidence is None else evidence.prob_positive


if __name__ == "__main__":
    main()
