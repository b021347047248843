"""Evaluation of the networks of a cross-validation on another data set: each alone, and as an ensemble."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from busight._version import __version__
from busight.audit.checked_dataset import CheckedDataset, check_dataset
from busight.data.labels import LabelSchema
from busight.data.manifest_file import write_manifest
from busight.data.sources.catalogue import load_data
from busight.decision.settings import AssessSettings
from busight.errors import DataError
from busight.experiments.scoring import score_samples
from busight.io.atomic import require_free_folder, write_json
from busight.io.progress import Progress, Silent
from busight.metrics.table import MetricTable
from busight.model.bundle.load import load_bundle
from busight.model.model import Model
from busight.results.case import Case
from busight.results.cases_file import read_cases, write_cases
from busight.results.ensemble import ensemble_cases
from busight.results.plan_file import PLAN_FILE, open_planned_folder, write_plan
from busight.results.scoring import case_metrics
from busight.results.store import MANIFEST_FILE, write_result

PER_NETWORK_FILE = "per_network_mean.json"


@dataclass(frozen=True, slots=True)
class FoldsEvaluation:
    """Metrics of the networks of a cross-validation on another set.

    Attributes:
        n_networks: Number of networks.
        n_trained_on: Images of the set that one of them was trained or tuned on.
        per_network_mean: Metrics of one network: the mean over all of them.
        ensemble: Metrics of the mean of their calibrated probabilities.
    """

    n_networks: int
    n_trained_on: int
    per_network_mean: MetricTable
    ensemble: MetricTable


def is_crossval(folder: Path) -> bool:
    """Return whether a folder is that of a cross-validation."""
    return any(folder.glob("repeat-*/fold-*/bundle/card.json"))


def evaluate_folds(
    folder: Path,
    spec: str,
    out: Path,
    *,
    settings: AssessSettings | None = None,
    progress: Progress | None = None,
) -> FoldsEvaluation:
    """Evaluate every network of a cross-validation on a data set, and their ensemble. Nothing is fitted.

    Args:
        folder: The folder of the cross-validation.
        spec: The data set.
        out: A new folder: ``networks/`` with the cases of each network, ``per_network_mean.json`` with the mean of
            their metrics, ``cases.csv`` and ``metrics.json`` of the ensemble.
        settings: Resampling of the intervals.
        progress: Receives stages, ticks and lines.

    Raises:
        BusightError: One line that names the fault.
    """
    progress, settings = progress or Silent(), settings or AssessSettings()
    require_free_folder(out)
    bundles = sorted(folder.glob("repeat-*/fold-*/bundle"), key=_place)
    if not bundles:
        raise DataError(f"{folder}: holds no network; name the folder of a finished cross-validation")
    image_spec = load_bundle(bundles[0]).card.preprocess.image
    checked = check_dataset(load_data(spec).read_as(image_spec), progress)
    cases_by_network, labels = score_networks(bundles, checked, out / "networks", progress)
    cases_of_ensemble = ensemble_cases(cases_by_network, labels.names)
    per_network_mean = case_metrics(cases_by_network, labels, settings)
    ensemble = case_metrics([cases_of_ensemble], labels, settings)
    write_json(out / PER_NETWORK_FILE, _document(per_network_mean, spec, len(bundles)))
    write_manifest(out / MANIFEST_FILE, checked.manifest, checked.groups)
    write_result(out, cases_of_ensemble, labels, ensemble, data=spec, data_digest=checked.digest)
    known = {digest for bundle in bundles for digest in load_bundle(bundle).card.training.digests}
    seen = sum(entry.is_among(known) for entry in checked.rows)
    return FoldsEvaluation(len(bundles), seen, per_network_mean, ensemble)


def score_networks(
    bundles: Sequence[Path], checked: CheckedDataset, out: Path, progress: Progress
) -> tuple[list[tuple[Case, ...]], LabelSchema]:
    """Evaluate each network on a data set; cases that an interrupted call has finished are read.

    Args:
        bundles: ``repeat-R/fold-F/bundle`` of a cross-validation.
        checked: The data set.
        out: Receives ``repeat-R-fold-F.csv``.
        progress: Receives stages, ticks and lines.

    Returns:
        The cases of each network, in one order, and the labels.

    Raises:
        DataError: The networks have different classes.
        OutputError: Finished cases were computed on other data.
    """
    plan = {"data_digest": checked.digest}
    open_planned_folder(out, plan, "evaluation", resume=(out / PLAN_FILE).is_file())
    write_plan(out, plan)
    cases_of_networks: list[tuple[Case, ...]] = []
    labels: set[LabelSchema] = set()
    for number, bundle in enumerate(bundles, start=1):
        path = out / f"{bundle.parent.parent.name}-{bundle.parent.name}.csv"
        if not path.is_file():
            progress.stage(f"{checked.dataset.spec}: network {number} of {len(bundles)}")
            model = Model.load(bundle)
            reader = checked.reader
            scored = score_samples(checked.samples, checked.group_of(), reader, model, progress)
            write_cases(path, scored.cases, model.labels)
        cases, of = read_cases(path)
        cases_of_networks.append(cases)
        labels.add(of)
    if len(labels) != 1:
        raise DataError(f"{out}: the networks do not have the same classes; begin anew in another --out")
    return cases_of_networks, labels.pop()


def _document(metrics: MetricTable, spec: str, n_networks: int) -> dict[str, Any]:
    return {
        "format": 1,
        "created_by": f"busight {__version__}",
        "data": spec,
        "n_networks": n_networks,
        "classes": list(metrics.classes),
        "n_images": metrics.n_images,
        "n_groups": metrics.n_groups,
        "metrics": [row.document() for row in metrics.rows],
    }


def _place(bundle: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", f"{bundle.parent.parent.name}/{bundle.parent.name}"))
