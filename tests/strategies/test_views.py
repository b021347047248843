"""Several looks joined: what is shown is what was added up."""

import numpy as np
import pytest

from busight.errors import BundleError
from busight.strategies.views import Seen, from_mask, mean_of_looks


def _look(rows: slice, columns: slice, seed: int) -> Seen:
    """A look at a region of an image of 40 × 60 pixels: its logits are the means of its map over the region."""
    inside = np.random.default_rng(seed).normal(size=(3, 40, 60))[:, rows, columns].astype(np.float32)
    whole = np.zeros((3, 40, 60), dtype=np.float32)
    whole[:, rows, columns] = inside
    return Seen(inside.mean(axis=(1, 2)).astype(np.float64), inside[0].size / 2400, whole)


def test_the_mean_of_the_joined_map_is_the_joined_logit() -> None:
    whole = _look(slice(0, 40), slice(0, 60), 0)
    near = [_look(slice(5, 20), slice(10, 40), 1), _look(slice(12, 30), slice(3, 13), 2)]

    joined = mean_of_looks(whole, near)

    assert joined.activation is not None
    assert joined.activation.mean(axis=(1, 2)) == pytest.approx(joined.logits, abs=1e-5)
    assert joined.logits == pytest.approx(whole.logits / 2 + (near[0].logits + near[1].logits) / 4)


def test_one_look_without_a_map_leaves_the_logits_joined() -> None:
    whole = Seen(np.array([1.0, 3.0]))

    joined = mean_of_looks(whole, [Seen(np.array([3.0, 1.0]), 0.25)])

    assert joined.activation is None
    assert joined.logits.tolist() == [2.0, 2.0]


def test_a_bundle_that_draws_nothing_has_no_finding() -> None:
    with pytest.raises(BundleError, match="neither a classifier nor a segmentation"):
        from_mask(None)
