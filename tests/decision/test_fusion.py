from __future__ import annotations

import numpy as np
import pytest

from busight.decision.fusion import DescriptorFusion
from busight.descriptors.lexicon import lesion_features, lexicon_digest
from busight.descriptors.model import DescriptorModel, descriptor_inputs
from busight.errors import BundleError
from busight.types import DescriptorEvidence, Mask

PAIR = (1, 2)
LESION = np.zeros((96, 96), dtype=bool)
LESION[30:60, 25:70] = True
IMAGE = np.where(LESION, np.uint8(40), np.uint8(120))


def fusion(weight: float, model: DescriptorModel | None = None) -> DescriptorFusion:
    return DescriptorFusion(model=model, weight=weight, lexicon=lexicon_digest(), source="made by hand")


def evidence(prob: float) -> DescriptorEvidence:
    return DescriptorEvidence(prob, (), LESION, from_proposal=False)


def constant(offset: float, names: tuple[str, ...] = ()) -> DescriptorModel:
    """A model that says the same of every lesion."""
    names = names or tuple(descriptor_inputs(lesion_features(IMAGE, LESION)))
    nothing = (0.0,) * len(names)
    return DescriptorModel(names, nothing, (1.0,) * len(names), nothing, offset)


def test_a_case_worked_by_hand() -> None:
    """Three to one for malignant at half weight: log 3 / 2, half of it on each side."""
    fused = fusion(0.5).fuse(np.array([0.0, 1.0, 2.0]), PAIR, evidence(0.75))
    step = np.log(3) / 4
    np.testing.assert_allclose(fused, [0.0, 1 - step, 2 + step])


def test_an_undecided_model_and_no_weight_change_nothing() -> None:
    logits = np.array([0.3, -1.0, 2.0])
    np.testing.assert_array_equal(fusion(1.0).fuse(logits, PAIR, evidence(0.5)), logits)
    np.testing.assert_array_equal(fusion(0.0).fuse(logits, PAIR, evidence(0.99)), logits)
    np.testing.assert_array_equal(fusion(1.0).fuse(logits, None, evidence(0.99)), logits)
    np.testing.assert_array_equal(fusion(1.0).fuse(logits, PAIR, None), logits)


@pytest.mark.parametrize("prob", [0.0, 1.0])
def test_a_certain_model_does_not_decide_alone(prob: float) -> None:
    fused = fusion(1.0).fuse(np.zeros(3), PAIR, evidence(prob))
    assert abs(fused[2] - fused[1]) == pytest.approx(4)


def test_the_mask_is_described_where_it_is_sure_and_the_proposal_elsewhere() -> None:
    calls: list[int] = []

    def propose() -> Mask:
        calls.append(1)
        return np.roll(LESION, 5, axis=1)

    sure = fusion(0.0, constant(0.4)).evidence(IMAGE, LESION, LESION.astype(np.float32), propose)
    assert sure is not None
    assert (sure.from_proposal, calls) == (False, [])
    assert sure.prob_positive == pytest.approx(1 / (1 + np.exp(-0.4)))
    unsure = fusion(0.0, constant(0.4)).evidence(IMAGE, LESION, LESION * np.float32(0.6), propose)
    assert unsure is not None
    assert unsure.from_proposal
    np.testing.assert_array_equal(unsure.region, np.roll(LESION, 5, axis=1))


def test_without_a_model_a_mask_or_a_form_there_is_no_evidence() -> None:
    empty = np.zeros_like(LESION)
    assert fusion(1.0).evidence(IMAGE, LESION, LESION.astype(np.float32), lambda: LESION) is None
    assert fusion(1.0, constant(1.0)).evidence(IMAGE, None, None, lambda: LESION) is None
    assert fusion(1.0, constant(1.0)).evidence(IMAGE, empty, empty.astype(np.float32), lambda: empty) is None


def test_a_model_of_other_descriptors_is_refused() -> None:
    other = fusion(1.0, constant(1.0, ("wetness",)))
    with pytest.raises(BundleError, match="has other inputs than this version"):
        other.evidence(IMAGE, LESION, LESION.astype(np.float32), lambda: LESION)
