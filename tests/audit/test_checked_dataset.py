from __future__ import annotations

from pathlib import Path

import pytest
from picture_files import picture, save
from quick import QUICK

from busight.audit.checked_dataset import check_dataset
from busight.data.sources.catalogue import load_data
from busight.errors import DataError
from busight.experiments.crossval import crossval
from busight.experiments.leakage import leakage_study
from busight.experiments.repeat import repeat_seeds
from busight.experiments.run import run
from busight.io.progress import Silent
from busight.recipes.load import load_recipe
from busight.recipes.schema import Recipe
from busight.results.crossval_folder import Plan


@pytest.fixture
def one_class(tmp_path: Path) -> Recipe:
    for index in range(8):
        save(tmp_path / "data" / "benign" / f"{index}.png", picture(index))
    return load_recipe("demo", QUICK, data=f"folder:{tmp_path / 'data'}")


@pytest.mark.parametrize("command", ["run", "crossval", "seeds", "leakage"])
def test_one_class_teaches_nothing_and_is_one_line(one_class: Recipe, command: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    calls = {
        "run": lambda: run(one_class, out),
        "crossval": lambda: crossval(one_class, out, Plan(folds=2)),
        "seeds": lambda: repeat_seeds(one_class, out, 2),
        "leakage": lambda: leakage_study(one_class, out, Plan(folds=2)),
    }
    with pytest.raises(DataError, match="every labelled image is benign, but the task multiclass tells normal, benign"):
        calls[command]()
    assert not out.exists()


def test_what_is_one_class_depends_on_the_task(tmp_path: Path) -> None:
    for name in ("normal", "benign"):
        save(tmp_path / name / "a.png", picture(len(name)))
    checked = check_dataset(load_data(f"folder:{tmp_path}"), Silent())
    checked.require_classes("multiclass")
    checked.require_classes("lesion")
    checked.require_classes("segmentation")
    with pytest.raises(
        DataError, match="task binary: the classes normal, benign have no positive one; name it in labels"
    ):
        checked.require_classes("binary")
    (tmp_path / "labels.json").write_text('{"names": ["normal", "benign", "malignant"], "positive": "malignant"}')
    named = check_dataset(load_data(f"folder:{tmp_path}"), Silent())
    named.require_classes("multiclass")
    with pytest.raises(DataError, match="every labelled image is not malignant"):
        named.require_classes("binary")


def test_all_equal_images_are_left_out_when_one_has_another_label(tmp_path: Path) -> None:
    for name in ("benign/a", "benign/b", "malignant/a", "benign/c"):
        save(tmp_path / f"{name}.png", picture(1))
    near = picture(1)
    near[:4, :4] += 1
    save(tmp_path / "benign" / "near.png", near)
    save(tmp_path / "normal" / "other.png", picture(2))
    checked = check_dataset(load_data(f"folder:{tmp_path}"), Silent())
    assert len(checked.near_duplicates) == 4
    assert [sample.sample_id for sample in checked.without_conflicts().samples] == ["normal/other.png"]


def test_a_missing_label_contradicts_none(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / f"{name}.png", picture(1))
    (tmp_path / "samples.csv").write_text("path,label\na.png,benign\nb.png,\n")
    checked = check_dataset(load_data(f"folder:{tmp_path}"), Silent())
    assert len(checked.near_duplicates) == 1
    assert checked.conflicting() == ()
    assert checked.in_conflict() == frozenset()


def test_copies_of_what_is_kept_are_kept(tmp_path: Path) -> None:
    for name in ("benign/a", "malignant/a", "benign/b", "benign/c"):
        save(tmp_path / f"{name}.png", picture(1 if name.endswith("/a") else 2))
    checked = check_dataset(load_data(f"folder:{tmp_path}"), Silent())
    assert len(checked.near_duplicates) == 2
    clean = checked.without_conflicts()
    assert [sample.sample_id for sample in clean.samples] == ["benign/b.png", "benign/c.png"]
    assert [(copy.first, copy.second) for copy in clean.near_duplicates] == [(0, 1)]
    assert len(set(clean.groups)) == 1
