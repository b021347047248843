from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from quick import QUICK, call

from busight.data.sources.catalogue import load_data
from busight.errors import BundleError
from busight.experiments.crossval import crossval
from busight.experiments.pack import pack
from busight.model.bundle.card import CLASSIFIER, WEIGHTS
from busight.model.bundle.half_precision import write_half_precision
from busight.model.model import Model
from busight.recipes.load import load_recipe
from busight.results.crossval_folder import Plan
from busight.types import prediction_of

Quick = Callable[..., Path]
WHOLE = ("classify.strategy=whole",)


def test_a_packed_bundle_is_half_as_large_and_answers_alike(quick_run: Quick, tmp_path: Path) -> None:
    whole = Model.load(quick_run("demo", WHOLE))
    packed, moved = pack(whole, tmp_path / "packed", name="mine")
    assert moved <= 1e-3
    assert WEIGHTS not in packed.card.files
    assert (packed.folder / CLASSIFIER).stat().st_size < 0.7 * (whole.folder / CLASSIFIER).stat().st_size
    data = load_data("phantom:6,size=96,seed=3")
    images = [data.reader.image(sample) for sample in data.samples]
    for before, after in zip(whole.predict(images), Model.load(tmp_path / "packed").predict(images), strict=True):
        difference = prediction_of(before).calibrated_probs - prediction_of(after).calibrated_probs
        assert np.abs(difference).max() < 2e-3
    code, said = call("verify", tmp_path / "packed")
    assert code == 0, said
    assert "of mine" in said


def test_evidence_is_of_the_same_recipe_and_stands_on_the_card(quick_run: Quick, tmp_path: Path) -> None:
    run = quick_run("demo", WHOLE)
    spec = "data.spec='a=phantom:60,size=96 + b=phantom:60,seed=5,size=96'"
    recipe = load_recipe("demo", [*QUICK, *WHOLE, spec])
    crossval(recipe, tmp_path / "sources", Plan(by="source"))
    code, said = call("pack", run, "--out", tmp_path / "packed", "--evidence", tmp_path / "sources")
    assert code == 0, said
    evidence = Model.load(tmp_path / "packed").card.evidence
    assert evidence is not None
    assert {row.source for row in evidence.rows} == {"a", "b"}
    assert {(row.metric, row.of) for row in evidence.rows} >= {
        ("auroc", "malignant vs benign"),
        ("accuracy", "overall"),
    }
    assert any(row.attribute == "lesion size" for row in evidence.rows)
    code, said = call("card", tmp_path / "packed", "--out", tmp_path / "card")
    assert code == 0, said
    page = (tmp_path / "card" / "report.html").read_text()
    for words in (
        "On data sets left out",
        "trained on the others alone, one seed",
        "busight\nrecalibrate",
        "lesion size",
    ):
        assert " ".join(words.split()) in " ".join(page.split())
    other = load_recipe("demo", [*QUICK, *WHOLE, spec, "train.epochs=1"])
    crossval(other, tmp_path / "other", Plan(by="source", left_out=("a",)))
    code, said = call("pack", run, "--out", tmp_path / "no", "--evidence", tmp_path / "other")
    assert (code, "another section train" in said) == (1, True), said
    assert not (tmp_path / "no").exists()


def test_weights_beyond_half_precision_are_refused(tmp_path: Path) -> None:
    weights = numpy_helper.from_array(np.full(300, 1e5, np.float32), "w")
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [300])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [300])
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [value], [out], [weights])
    onnx.save(helper.make_model(graph), tmp_path / "a.onnx")
    with pytest.raises(BundleError, match="w has weights beyond half precision"):
        write_half_precision(tmp_path / "a.onnx", tmp_path / "b.onnx")
