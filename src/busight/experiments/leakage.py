"""How much a split that leaks flatters: one recipe under four protocols, from the most flattering to the hardest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from busight._version import __version__
from busight.audit.checked_dataset import DataSummary, Material, gather
from busight.data.labels import TaskName
from busight.data.sources.catalogue import load
from busight.errors import DataError
from busight.experiments.checks import check_data_is_named
from busight.experiments.compare import compare_runs
from busight.experiments.crossval import crossval, plan_folds
from busight.experiments.evaluate_folds import score_networks
from busight.experiments.facts import versions
from busight.io.atomic import write_json
from busight.io.progress import Progress, Silent
from busight.metrics.paired import Difference
from busight.metrics.table import ScoreSheet
from busight.recipes.load import recipe_toml
from busight.recipes.schema import Recipe
from busight.results.crossval_folder import By, Plan, fold_folders
from busight.results.plan_file import PLAN_FILE, open_planned_folder, write_plan
from busight.results.run_record import RunRecord
from busight.results.scoring import repeated_sheet

INFLATION_FILE = "inflation.json"


@dataclass(frozen=True, slots=True)
class Protocol:
    """One way to test, and what it gave.

    Attributes:
        name: ``image``, ``group``, ``clean`` or ``external``.
        about: The protocol in a few words.
        data: The data that were tested on.
        sheet: The scores, means over repeats (for ``external``: over the networks of the folds).
        against_group: Differences from the grouped folds on the images that both tested; empty for ``group`` itself and
            for ``external``, which shares no image with it.
    """

    name: str
    about: str
    data: str
    sheet: ScoreSheet
    against_group: tuple[Difference, ...]

    def difference(self, metric: str, of: str) -> Difference | None:
        """Return one difference from the grouped folds, where there is one."""
        return next((one for one in self.against_group if (one.metric, one.of) == (metric, of)), None)


@dataclass(frozen=True, slots=True)
class InflationRecord:
    """The outcome: everything that the page, the picture and ``inflation.json`` tell.

    Attributes:
        recipe: The recipe's name.
        command: The command line as typed.
        started: UTC, ISO 8601.
        folds: Folds of each cross-validation.
        repeats: Repeats of each cross-validation.
        data: What went in.
        weights: A sentence: where the initial weights came from.
        protocols: From the most flattering to the hardest.
        recipe_toml: The recipe in full.
        versions: (library, version).
    """

    recipe: str
    command: str
    started: str
    folds: int
    repeats: int
    data: DataSummary
    weights: str
    protocols: tuple[Protocol, ...]
    recipe_toml: str
    versions: tuple[tuple[str, str], ...]

    def document(self) -> dict[str, Any]:
        """Return the content of ``inflation.json``; NaN is null there."""
        return {"format": 1, "created_by": f"busight {__version__}", **asdict(self)}


def inflation(
    recipe: Recipe,
    out: Path,
    plan: Plan,
    *,
    against: str = "",
    resume: bool = False,
    command: str = "",
    progress: Progress | None = None,
) -> InflationRecord:
    """Run one recipe under image folds, grouped folds, grouped folds without conflicting labels, and on other data.

    The folds are as large under every protocol, and each image is tested once a repeat, so that nothing differs but
    what may lie on both sides of a split.

    Args:
        recipe: What to do.
        out: A new folder: ``image/``, ``group/`` and ``clean/`` are cross-validations, ``external/`` the other data.
            Where no labels conflict there is no ``clean/``.
        plan: Folds and repeats; its ``by`` is not used.
        against: Another data set for the fourth protocol, tested with every network of the grouped folds; may be empty.
        resume: Go on in a folder that an interrupted call of the same plan left.
        command: The command line, for the record.
        progress: Told what happens.

    Raises:
        BusightError: One line that names what is wrong; whatever can be wrong is noticed before any training.
    """
    progress = progress or Silent()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    check_data_is_named(recipe)
    begun = {"folds": plan.folds, "repeats": plan.repeats, "against": against, "recipe": recipe_toml(recipe)}
    open_planned_folder(out, begun, "inflation", resume)
    dataset = load(recipe.data.spec)
    listed = [load(spec).read_as(dataset.image_spec) for spec in (against,) if spec]
    material, *others = [gather(one, progress) for one in (dataset, *listed)]
    material.require_classes(recipe.classify.task)
    for other in others:
        _require_another_set(material, other, recipe.classify.task)
    protocols_of = {
        name: _prepared(recipe, out / name, plan, by, drop, material)
        for name, by, drop in _CROSSVALS
        if not drop or material.in_conflict()  # without a conflicting label it would be the grouped folds again
    }
    write_plan(out, begun)
    records = {name: _crossval(one, out / name, command, progress) for name, one in protocols_of.items()}
    protocols = [
        Protocol(name, ABOUT[name], recipe.data.spec, record.sheet, _against_group(name, out, recipe))
        for name, record in records.items()
    ]
    bundles = [folder / "bundle" for folder in fold_folders(out / "group", plan)]
    for other in others:
        cases, classes = score_networks(bundles, other, out / "external", progress)
        sheet = repeated_sheet(cases, classes, recipe.assess)
        protocols.append(Protocol("external", ABOUT["external"], against, sheet, ()))
    found = InflationRecord(
        recipe=recipe.name,
        command=command,
        started=started,
        folds=plan.folds,
        repeats=plan.repeats,
        data=records["group"].data,
        weights=records["group"].weights,
        protocols=tuple(protocols),
        recipe_toml=recipe_toml(recipe),
        versions=versions(),
    )
    write_json(out / INFLATION_FILE, found.document())
    return found


ABOUT = {
    "image": "folds by image, as often published",
    "group": "folds by patient and near-copy",
    "clean": "likewise, conflicting labels left out",
    "external": "another data set, unchanged networks",
}
"""What each protocol is, in a few words."""

_CROSSVALS: tuple[tuple[str, By, bool], ...] = (
    ("image", "image", False),
    ("group", "group", False),
    ("clean", "group", True),
)


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """A cross-validation whose splits are known to be possible."""

    recipe: Recipe
    plan: Plan
    material: Material


def _prepared(recipe: Recipe, out: Path, plan: Plan, by: By, drop: bool, material: Material) -> _Prepared:
    conflicts = "drop" if drop else "keep"
    chosen = recipe.model_copy(update={"data": recipe.data.model_copy(update={"label_conflicts": conflicts})})
    found = _Prepared(chosen, Plan(plan.folds, plan.repeats, by), material.without_conflicts() if drop else material)
    plan_folds(found.recipe, out, found.plan, found.material)
    return found


def _crossval(one: _Prepared, out: Path, command: str, progress: Progress) -> RunRecord:
    progress.stage(f"protocol: {ABOUT[out.name]}")
    resume = (out / PLAN_FILE).is_file()
    return crossval(one.recipe, out, one.plan, resume=resume, command=command, progress=progress, material=one.material)


def _require_another_set(material: Material, other: Material, task: TaskName) -> None:
    spec = other.dataset.spec
    known = {entry.image_digest for entry in material.entries}
    again = sum(entry.image_digest in known for entry in other.entries)
    if again:
        raise DataError(
            f"--against {spec}: {again} of its {len(other.samples)} images are in {material.dataset.spec} "
            "too; name a set that the networks have not seen"
        )
    labels = material.labels.for_task(task)
    if all(labels.class_of(sample.label) is None for sample in other.samples):
        raise DataError(f"--against {spec}: no image has a label of the task {task}; name a labelled set")


def _against_group(name: str, out: Path, recipe: Recipe) -> tuple[Difference, ...]:
    if name == "group":
        return ()
    return compare_runs(out / "group", out / name, recipe.assess).comparison.differences
