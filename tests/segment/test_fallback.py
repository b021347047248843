from __future__ import annotations

import numpy as np

from busight.data.sources.catalogue import load_data
from busight.segment.fallback import SURE, fallback_to_proposal
from busight.segment.proposal import propose_lesion
from busight.types import Mask

DATA = load_data("phantom:8,size=128,seed=2")
IMAGE = next(DATA.reader.image(one) for one in DATA.samples if str(one.label) != "normal")
PROPOSAL = propose_lesion(IMAGE).mask
CORNER = np.zeros(IMAGE.shape, dtype=np.bool_)
CORNER[:20, :20] = True


def probs(level: float) -> np.ndarray:
    return np.where(CORNER, level, 0.0).astype(np.float32)


def proposal() -> Mask:
    return PROPOSAL


def unasked() -> Mask:
    raise AssertionError("a sure mask needs no search for the likeliest region")


def test_a_sure_mask_is_kept() -> None:
    assert fallback_to_proposal(CORNER, probs(SURE + 0.01), unasked) is CORNER


def test_an_unsure_or_an_empty_mask_gives_way_to_the_proposal() -> None:
    assert PROPOSAL.any()
    np.testing.assert_array_equal(fallback_to_proposal(CORNER, probs(SURE - 0.01), proposal), PROPOSAL)
    np.testing.assert_array_equal(fallback_to_proposal(CORNER & False, probs(0), proposal), PROPOSAL)


def test_where_nothing_is_like_a_lesion_the_mask_stays() -> None:
    flat = np.full(IMAGE.shape, 90, np.uint8)

    def of_flat() -> Mask:
        return propose_lesion(flat).mask

    assert fallback_to_proposal(CORNER, probs(0.5), of_flat) is CORNER
    assert not fallback_to_proposal(CORNER & False, probs(0), of_flat).any()
