"""The networks of a cross-validation on another data set: each by itself, and all of them together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from busight._version import __version__
from busight.audit.checked_dataset import Material, gather
from busight.data.sources.catalogue import load
from busight.decision.settings import AssessSettings
from busight.errors import DataError
from busight.experiments.scoring import score_samples
from busight.io.atomic import require_free_folder, write_json
from busight.io.digests import sha256_of_file
from busight.io.progress import Progress, Silent
from busight.metrics.table import ScoreSheet
from busight.model.bundle.load import load_bundle
from busight.model.model import Model
from busight.results.cases_file import read_cases, write_cases
from busight.results.ensemble import together
from busight.results.metrics_file import About, write_metrics
from busight.results.plan_file import PLAN_FILE, open_planned_folder, write_plan
from busight.results.run_record import Case
from busight.results.scoring import repeated_sheet
from busight.results.store import CASES_FILE, DONE_FILE

SINGLE_FILE = "single.json"


@dataclass(frozen=True, slots=True)
class FoldsEvaluation:
    """What the networks of a cross-validation say of another set.

    Attributes:
        networks: How many.
        seen: Images of the set that one of them was trained or tuned on.
        single: Scores of one network: the mean over all of them.
        together: Scores of the mean of their calibrated probabilities.
    """

    networks: int
    seen: int
    single: ScoreSheet
    together: ScoreSheet


def is_crossval(folder: Path) -> bool:
    """Say whether a folder is one that ``busight crossval`` left."""
    return any(folder.glob("repeat-*/fold-*/bundle/card.json"))


def evaluate_folds(
    folder: Path,
    spec: str,
    out: Path,
    *,
    settings: AssessSettings | None = None,
    progress: Progress | None = None,
) -> FoldsEvaluation:
    """Score every network of a cross-validation on a data set, and all of them together. Nothing is fitted.

    Args:
        folder: Of the cross-validation.
        spec: The data set.
        out: A new folder: ``networks/`` with the cases of each network, ``single.json`` with the mean of their scores,
            ``cases.csv`` and ``metrics.json`` with those of all together.
        settings: Resampling of the intervals.
        progress: Told what happens.

    Raises:
        BusightError: One line that names what is wrong.
    """
    progress, settings = progress or Silent(), settings or AssessSettings()
    require_free_folder(out)
    bundles = sorted(folder.glob("repeat-*/fold-*/bundle"), key=_place)
    image_spec = load_bundle(bundles[0]).card.preprocess.image
    material = gather(load(spec).read_as(image_spec), progress)
    found, classes = score_networks(bundles, material, out / "networks", progress)
    both = together(found, classes)
    single, joint = (repeated_sheet(cases, classes, settings) for cases in (found, [both]))
    write_json(out / SINGLE_FILE, _document(single, spec, len(bundles)))
    write_cases(out / CASES_FILE, both, classes)
    about = About(
        created_by=f"busight {__version__}",
        data=spec,
        data_digest=material.digest,
        split_digest=None,
        bundle_digest=None,
        cases_digest=sha256_of_file(out / CASES_FILE),
    )
    write_metrics(out / DONE_FILE, joint, about)
    known = {digest for bundle in bundles for digest in load_bundle(bundle).card.training.digests}
    seen = sum(not known.isdisjoint(entry.known_as) for entry in material.entries)
    return FoldsEvaluation(len(bundles), seen, single, joint)


def score_networks(
    bundles: Sequence[Path], material: Material, out: Path, progress: Progress
) -> tuple[list[tuple[Case, ...]], tuple[str, ...]]:
    """Score a data set with each network; what is there already from an interrupted call is read.

    Args:
        bundles: ``repeat-R/fold-F/bundle`` of a cross-validation.
        material: The data set.
        out: Receives ``repeat-R-fold-F.csv``.
        progress: Told what happens.

    Returns:
        The cases of each network, in one order, and the classes.

    Raises:
        DataError: The networks do not tell the same classes apart.
        OutputError: What is there already was made with other data.
    """
    plan = {"data_digest": material.digest}
    open_planned_folder(out, plan, "evaluation", resume=(out / PLAN_FILE).is_file())
    write_plan(out, plan)
    found: list[tuple[Case, ...]] = []
    classes: set[tuple[str, ...]] = set()
    for number, bundle in enumerate(bundles, start=1):
        path = out / f"{bundle.parent.parent.name}-{bundle.parent.name}.csv"
        if not path.is_file():
            progress.stage(f"{material.dataset.spec}: network {number} of {len(bundles)}")
            model = Model.load(bundle)
            reader = material.reader
            part = score_samples(material.samples, material.group_of(), reader, model, progress)
            write_cases(path, part.cases, model.labels.names)
        cases, of = read_cases(path)
        found.append(cases)
        classes.add(of)
    if len(classes) != 1:
        raise DataError(f"{out}: the networks do not tell the same classes apart; begin anew in another --out")
    return found, classes.pop()


def _document(sheet: ScoreSheet, spec: str, networks: int) -> dict[str, Any]:
    return {
        "format": 1,
        "created_by": f"busight {__version__}",
        "data": spec,
        "networks": networks,
        "classes": list(sheet.classes),
        "n_images": sheet.n_images,
        "n_groups": sheet.n_groups,
        "scores": [score.document() for score in sheet.scores],
    }


def _place(bundle: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", f"{bundle.parent.parent.name}/{bundle.parent.name}"))
