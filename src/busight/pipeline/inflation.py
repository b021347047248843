"""How much a split that leaks flatters: one recipe under four protocols, from the most flattering to the hardest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from busight._version import __version__
from busight.assess.compare import Difference
from busight.assess.records import ScoreSheet
from busight.data.sources import load
from busight.files import require_free_folder, write_json
from busight.pipeline.compare import compare_runs
from busight.pipeline.crossval import By, Plan, crossval, fold_folder
from busight.pipeline.evaluate_folds import score_networks
from busight.pipeline.facts import versions
from busight.pipeline.material import Material, gather
from busight.pipeline.progress import Progress, Silent
from busight.pipeline.record import DataSummary, RunRecord
from busight.pipeline.run import check_data_is_named
from busight.pipeline.scoring import repeated_sheet
from busight.recipes.load import recipe_toml
from busight.recipes.schema import Recipe

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
        plan: Folds and repeats; its ``by`` is not used.
        against: Another data set for the fourth protocol, tested with every network of the grouped folds; may be empty.
        resume: Go on in a folder that an interrupted call of the same plan left.
        command: The command line, for the record.
        progress: Told what happens.

    Raises:
        BusightError: One line that names what is wrong.
    """
    progress = progress or Silent()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    check_data_is_named(recipe)
    if not resume:
        require_free_folder(out)
    # Both are read before anything is trained: a wrong path shall not be noticed after hours.
    listed = [load(spec) for spec in (recipe.data.spec, against) if spec]
    material, *others = [gather(dataset, progress) for dataset in listed]
    material.require_classes(recipe.classify.task)
    records = {
        name: _crossval(
            recipe, out / name, Plan(plan.folds, plan.repeats, by), material, drop, resume, command, progress
        )
        for name, by, drop in _CROSSVALS
    }
    protocols = [
        Protocol(name, ABOUT[name], recipe.data.spec, record.sheet, _against_group(name, out, recipe))
        for name, record in records.items()
    ]
    bundles = [fold_folder(out / "group", r, f) / "bundle" for r in range(plan.repeats) for f in range(plan.folds)]
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
    "image": "folds by image, as published",
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


def _crossval(
    recipe: Recipe,
    out: Path,
    plan: Plan,
    material: Material,
    drop: bool,
    resume: bool,
    command: str,
    progress: Progress,
) -> RunRecord:
    progress.stage(f"protocol: {ABOUT[out.name]}")
    conflicts = "drop" if drop else "keep"
    chosen = recipe.model_copy(update={"data": recipe.data.model_copy(update={"conflicts": conflicts})})
    data = material.without_conflicts() if drop else material
    begun = resume and (out / "plan.json").is_file()
    return crossval(chosen, out, plan, resume=begun, command=command, progress=progress, material=data)


def _against_group(name: str, out: Path, recipe: Recipe) -> tuple[Difference, ...]:
    if name == "group":
        return ()
    return compare_runs(out / "group", out / name, recipe.assess).comparison.differences
