from __future__ import annotations

import json
from pathlib import Path

import pytest
from quick import QUICK

from busight.data.sources.catalogue import load
from busight.errors import DataError
from busight.experiments.audit import audit, write_audit
from busight.experiments.crossval import crossval
from busight.recipes.load import load_recipe
from busight.report.pages.audit import audit_lines, write_audit_page
from busight.results.crossval_folder import Plan

SPEC = "phantom:80,size=96,seed=2,duplicates=0.1,flips=0.05,overlays=0.2"


def test_the_audit_tells_what_was_planted(tmp_path: Path) -> None:
    data, other = load(SPEC), load("phantom:20,size=96,seed=2")
    record = audit(data, against=other)
    planted = {
        frozenset((sample.sample_id, tag.removeprefix("duplicate-of:")))
        for sample in data.samples
        for tag in sample.tags
        if tag.startswith("duplicate-of:")
    }
    assert planted <= {frozenset((pair.first, pair.second)) for pair in record.copies}
    assert record.patients_with_several
    # The other set holds the first twenty phantoms of the same seed, without anything planted.
    assert {pair.second for pair in record.copies_between} >= {sample.sample_id for sample in other.samples[:1]}
    assert {one.feature for one in record.shortcuts} >= {"height", "all together"}
    document = json.loads(write_audit(record, tmp_path).read_text())
    assert document["n_images"] == 80
    assert len(document["copies"]) == len(record.copies)
    page = write_audit_page(record, data, tmp_path, other).read_text()
    for heading in ("Copies", "Marks, colour, borders", "What can be told without tissue"):
        assert heading in page
    assert (tmp_path / "report.pdf").read_bytes()[:5] == b"%PDF-"
    assert any("copies:" in line for line in audit_lines(record))


def test_labels_are_held_against_a_cross_validation(tmp_path: Path) -> None:
    spec = "phantom:60,size=96"
    recipe = load_recipe("demo", [f"data.spec='{spec}'", *QUICK, "classify.strategy=whole", "train.epochs=1"])
    crossval(recipe, tmp_path / "cv", Plan(folds=2))
    record = audit(load(spec), crossval=tmp_path / "cv")
    assert all(one.label != one.suggested for one in record.likely_wrong)
    assert all(one.probability_of_label < one.probability_of_suggested for one in record.likely_wrong)
    with pytest.raises(DataError, match="a cross-validation of other data than phantom:12"):
        audit(load("phantom:12,size=96"), crossval=tmp_path / "cv")


def test_one_class_and_two_images(tmp_path: Path) -> None:
    record = audit(load("phantom:2,size=96"))
    assert record.shortcuts == ()
    write_audit_page(record, load("phantom:2,size=96"), tmp_path)
