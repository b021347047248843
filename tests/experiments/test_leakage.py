from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest
from picture_files import picture, save
from quick import QUICK

from busight.data.manifest import build_manifest
from busight.data.resize import write_shrunk
from busight.data.sources.catalogue import load_data
from busight.errors import DataError, OutputError
from busight.experiments.leakage import leakage_study
from busight.io.atomic import write_text
from busight.io.csv_text import csv_text
from busight.metrics.paired import Difference
from busight.metrics.table import MetricRows, MetricTable
from busight.recipes.load import load_recipe
from busight.report.figures.leakage import points_text
from busight.report.pages.leakage import leakage_lines, write_leakage_page
from busight.results.crossval_folder import Plan
from busight.results.leakage_record import ProtocolResult

SPEC = "phantom:70,size=96,duplicates=0.2"


def overrides(*more: str) -> list[str]:
    return [f"data.spec='{SPEC}'", *QUICK, "classify.strategy=whole", "train.epochs=1", *more]


def with_one_conflict(folder: Path) -> str:
    """Write the phantoms as a folder in which one copy carries another label; return its spec."""
    before = build_manifest(load_data(SPEC))
    write_shrunk(before, folder, 96)
    copied = next(s for s in before.dataset.samples if any(tag.startswith("duplicate-of:") for tag in s.tags))
    rows = list(csv.DictReader((folder / "samples.csv").read_text().splitlines()))
    for row in rows:
        if row["id"] == copied.sample_id:
            row["label"] = "malignant" if row["label"] != "malignant" else "benign"
    write_text(folder / "samples.csv", csv_text([list(rows[0]), *(list(row.values()) for row in rows)]))
    return f"folder:{folder}"


def test_without_conflicting_labels_there_is_no_third_protocol(tmp_path: Path) -> None:
    record = leakage_study(load_recipe("demo", overrides()), tmp_path / "out", Plan(2))
    assert [protocol.name for protocol in record.protocols] == ["image", "group"]
    assert not (tmp_path / "out" / "without_label_conflicts").exists()
    assert len(leakage_lines(record)) == 4 * 2 + 1
    write_leakage_page(record, tmp_path / "out")


def test_one_recipe_under_every_protocol(tmp_path: Path) -> None:
    recipe, out = load_recipe("demo", overrides(), with_one_conflict(tmp_path / "data")), tmp_path / "out"
    record = leakage_study(recipe, out, Plan(2), external="phantom:20,seed=7,size=96")
    assert [protocol.name for protocol in record.protocols] == ["image", "group", "without_label_conflicts", "external"]
    image, group, _, external = record.protocols
    assert (image.metrics.n_images, group.metrics.n_images, external.metrics.n_images) == (70, 70, 20)
    assert record.protocols[2].metrics.n_images == 68
    found = image.difference_to_grouped.find("accuracy")
    assert found is not None
    assert found.value == pytest.approx(image.metrics.get("accuracy").value - group.metrics.get("accuracy").value)
    assert points_text(group, "accuracy", "overall") == points_text(external, "accuracy", "overall") == ""
    page = write_leakage_page(record, out).read_text()
    assert "Effect of a leaking split" in page
    assert (out / "figures" / "leakage.svg").is_file()
    assert (out / "report.pdf").read_bytes()[:5] == b"%PDF-"
    assert len(leakage_lines(record)) == 4 * 4 + 1
    document = json.loads((out / "leakage.json").read_text())
    assert [protocol["name"] for protocol in document["protocols"]] == [
        "image",
        "group",
        "without_label_conflicts",
        "external",
    ]
    # Everything is there already: going on trains nothing and tells the same.
    again = leakage_study(recipe, out, Plan(2), external="phantom:20,seed=7,size=96", resume=True)
    assert again.protocols == record.protocols or _equal_but_nan(again, record)
    finished = (out / "leakage.json").read_text()
    # Other data under the same folder would keep the old figures under a new name.
    with pytest.raises(OutputError, match="out: was begun with another recipe, data or plan"):
        leakage_study(recipe, out, Plan(2), external="phantom:20,seed=8,size=96", resume=True)
    assert (out / "leakage.json").read_text() == finished


def _equal_but_nan(one: object, other: object) -> bool:
    return str(one).split("protocols=")[1] == str(other).split("protocols=")[1]


def test_a_wrong_second_set_is_noticed_before_any_training(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        leakage_study(load_recipe("demo", overrides()), tmp_path / "out", Plan(2), external="busbra:/nowhere")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("against", "message"),
    [
        (SPEC, "70 of its 70 images are in phantom:70.* too; name a set that the networks have not seen"),
        ("folder:{}", "no image has a label of the task multiclass"),
    ],
)
def test_a_useless_second_set_is_noticed_before_any_training(tmp_path: Path, against: str, message: str) -> None:
    save(tmp_path / "unlabelled" / "a.png", picture(1))
    (tmp_path / "unlabelled" / "samples.csv").write_text("path,label\na.png,\n")
    with pytest.raises(DataError, match=message):
        leakage_study(
            load_recipe("demo", overrides()),
            tmp_path / "out",
            Plan(2),
            external=against.format(tmp_path / "unlabelled"),
        )
    assert not (tmp_path / "out").exists()


def test_going_on_needs_something_begun(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no interrupted leakage study to resume; leave --resume away"):
        leakage_study(load_recipe("demo", overrides()), tmp_path / "out", Plan(2), resume=True)


def test_nothing_is_said_of_a_difference_that_is_undefined() -> None:
    nan = math.nan

    def protocol(difference: Difference) -> ProtocolResult:
        table = MetricTable(("a", "b"), "b", None, 2, 2, (1, 1), ((1, 0), (0, 1)), MetricRows(), 10, 0.95, 0)
        return ProtocolResult("image", "", "", table, MetricRows([difference]))

    undefined = protocol(Difference("auroc", "macro", nan, nan, nan, nan, nan))
    assert points_text(undefined, "auroc", "macro") == ""
    defined = protocol(Difference("accuracy", "overall", 0.8, 0.85, 0.05, 0.01, 0.09))
    assert points_text(defined, "accuracy", "overall") == "+5.0 points (+1.0 to +9.0)"
