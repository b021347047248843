from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from quick import QUICK

from busight.data.sources.catalogue import load_data
from busight.decision.settings import AssessSettings
from busight.errors import DataError
from busight.experiments.audit import audit, write_audit
from busight.experiments.crossval import crossval
from busight.recipes.load import load_recipe
from busight.report.pages.audit import write_audit_page
from busight.report.text.audit import audit_lines
from busight.results.case import Case
from busight.results.crossval_folder import Plan, fold_folder
from busight.results.scoring import case_metrics
from busight.results.store import finished_cases, write_result

SPEC = "phantom:80,size=96,seed=2,duplicates=0.1,flips=0.05,overlays=0.2"


def test_the_audit_tells_what_was_planted(tmp_path: Path) -> None:
    data, other = load_data(SPEC), load_data("phantom:20,size=96,seed=2")
    record = audit(data, external=other)
    planted = {
        frozenset((sample.sample_id, tag.removeprefix("duplicate-of:")))
        for sample in data.samples
        for tag in sample.tags
        if tag.startswith("duplicate-of:")
    }
    assert planted <= {frozenset((pair.first, pair.second)) for pair in record.near_duplicates.pairs}
    assert record.patients_with_several_images
    # The other set holds the first twenty phantoms of the same seed, without any injected fault: every one of ours that
    # is no duplicate of another phantom is in both, mirrored or written on as it may be.
    own = {sample.sample_id for sample in data.samples if not any("duplicate-of:" in tag for tag in sample.tags)}
    in_both = {sample.sample_id for sample in other.samples} & own
    assert len(in_both) > 10
    assert {(name, name) for name in in_both} <= {
        (pair.first, pair.second) for pair in record.near_duplicates.external_pairs
    }
    assert {one.feature for one in record.shortcuts} >= {"height", "all together"}
    document = json.loads(write_audit(record, tmp_path).read_text())
    assert document["data"]["n_images"] == 80
    assert len(document["near_duplicates"]["pairs"]) == len(record.near_duplicates.pairs)
    page = write_audit_page(record, data, tmp_path, other).read_text()
    for heading in ("Near-duplicates", "Marks, colour, borders", "Shortcuts: classes predicted without tissue"):
        assert heading in page
    assert (tmp_path / "report.pdf").read_bytes()[:5] == b"%PDF-"
    assert any("near-duplicates:" in line for line in audit_lines(record))


def test_labels_are_held_against_a_cross_validation(tmp_path: Path) -> None:
    spec = "phantom:60,size=96"
    recipe = load_recipe("demo", [f"data.spec='{spec}'", *QUICK, "classify.strategy=whole", "train.epochs=1"])
    crossval(recipe, tmp_path / "cv", Plan(folds=2))
    doubted = _write_confident_probabilities(tmp_path / "cv")
    (issue,) = audit(load_data(spec), crossval=tmp_path / "cv").label_issues
    assert (issue.sample, issue.label, issue.suggested) == (doubted.sample_id, doubted.target, "normal")
    assert (issue.prob_label, issue.prob_suggested) == pytest.approx((0.05, 0.9))
    with pytest.raises(DataError, match="a cross-validation of other data than phantom:12"):
        audit(load_data("phantom:12,size=96"), crossval=tmp_path / "cv")


def _write_confident_probabilities(folder: Path) -> Case:
    """Write cases with 0.9 for every label but that of one malignant image, which is called normal; return that."""
    labels = finished_cases(fold_folder(folder, 0, 0))[1]
    cases_of_folds = [finished_cases(fold_folder(folder, 0, fold))[0] for fold in range(2)]
    doubted = next(case for cases in cases_of_folds for case in cases if case.target == "malignant")
    for fold, cases in enumerate(cases_of_folds):
        confident = [
            replace(case, calibrated_probs=tuple(0.9 if name == likely else 0.05 for name in labels.names))
            for case in cases
            for likely in ("normal" if case.sample_id == doubted.sample_id else case.target,)
        ]
        place = fold_folder(folder, 0, fold)
        metrics = case_metrics([confident], labels, AssessSettings(resamples=100))
        write_result(place, confident, labels, metrics, data="phantom", data_digest="0" * 64)
    return doubted


def test_one_class_and_two_images(tmp_path: Path) -> None:
    record = audit(load_data("phantom:2,size=96"))
    assert record.shortcuts == ()
    write_audit_page(record, load_data("phantom:2,size=96"), tmp_path)
