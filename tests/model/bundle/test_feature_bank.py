from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from busight.decision.ood import unit_vectors
from busight.errors import BundleError
from busight.model.bundle.feature_bank import read_features, write_features

NAMES = ["a", "b", "ć", "d"], ["normal", "benign", "benign", "malignant"]


@pytest.mark.parametrize("scale", [1, 1e-9, 1e6, 1e30])
def test_directions_come_back_at_half_precision(tmp_path: Path, scale: float) -> None:
    """Of any magnitude: half precision ends at 65,504 and at 6e-8. Zeros stay zeros."""
    features = np.random.default_rng(0).normal(size=(4, 7)).astype(np.float32)
    features[3] = 0
    write_features(tmp_path / "m.npz", features * np.float32(scale), *NAMES)
    found = read_features(tmp_path / "m.npz")
    np.testing.assert_allclose(found.directions, unit_vectors(features), rtol=1e-3)
    assert found.features.dtype == np.float32
    assert (found.sample_ids[2], found.labels[3]) == ("ć", "malignant")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_no_finite_numbers_are_not_written(tmp_path: Path, value: float) -> None:
    features = np.ones((4, 7), np.float32)
    features[1, 2] = value
    with pytest.raises(BundleError, match=r"features of b are no finite numbers; train it again"):
        write_features(tmp_path / "m.npz", features, *NAMES)
    assert list(tmp_path.iterdir()) == []


def test_anything_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "junk.npz").write_bytes(b"junk")
    np.savez(tmp_path / "other.npz", features=np.zeros((2, 3)))
    np.savez(tmp_path / "short.npz", features=np.zeros((2, 3)), sample_ids=np.array(["a"]), labels=np.array(["b"]))
    names = {"sample_ids": np.array(["a", "b"]), "labels": np.array(["c", "d"])}
    np.savez(tmp_path / "nan.npz", features=np.array([[0.0, np.nan], [1.0, 0.0]]), **names)
    nobody = {name: values[:0] for name, values in names.items()}
    np.savez(tmp_path / "none.npz", features=np.zeros((0, 3)), **nobody)
    np.savez(tmp_path / "flat.npz", features=np.float32(1), sample_ids=np.array("a"), labels=np.array("b"))
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "other.npz").read_bytes()[:150])
    for name in ("junk", "other", "short", "nan", "none", "flat", "empty", "cut"):
        with pytest.raises(BundleError, match="copy the whole folder again"):
            read_features(tmp_path / f"{name}.npz")


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    ids = np.array(["a", object()], dtype=object)
    np.savez(tmp_path / "evil.npz", features=np.zeros((2, 3)), sample_ids=ids, labels=np.array(["b", "c"]))
    with pytest.raises(BundleError):
        read_features(tmp_path / "evil.npz")
