from __future__ import annotations

import numpy as np
import pytest
from saliency.faithfulness import deletion, energy_inside, insertion, pointing_hit
from saliency.occlusion import occlusion_map

from busight.errors import DataError

IMAGE = np.full((60, 80), 40, np.uint8)
IMAGE[20:40, 30:50] = 200
MASK = IMAGE > 100


def bright(image: np.ndarray) -> float:
    """A network that looks at the bright square alone: its mean grey above the rest."""
    return float(image[20:40, 30:50].mean() - 40) / 160


def test_a_map_worked_by_hand() -> None:
    map_ = np.zeros((2, 3), np.float32)
    map_[0] = [3, 1, -5]
    mask = np.array([[True, False, True], [False] * 3])
    assert pointing_hit(map_, mask)
    assert not pointing_hit(-map_, ~mask)
    assert energy_inside(map_, mask) == pytest.approx(3 / 4)
    assert np.isnan(energy_inside(-np.abs(map_) - 1, mask))


def test_occlusion_finds_what_the_answer_hangs_on() -> None:
    found = occlusion_map(IMAGE, bright, share=0.3, steps=12)
    assert pointing_hit(found, MASK)
    assert found[MASK].mean() > 5 * np.abs(found[~MASK]).mean()
    assert energy_inside(found, MASK) > 0.4


def test_a_constant_answer_hangs_on_nothing() -> None:
    assert np.abs(occlusion_map(IMAGE, lambda _: 0.7)).max() == 0


def test_a_true_map_deletes_faster_and_inserts_sooner_than_a_false_one() -> None:
    true = MASK.astype(np.float32)
    for curve, better in ((deletion, -1), (insertion, 1)):
        right, wrong = curve(IMAGE, true, bright), curve(IMAGE, -true, bright)
        assert (right.area - wrong.area) * better > 0.2
        assert right.score[0] == wrong.score[0]
        assert right.score[-1] == wrong.score[-1]
    assert deletion(IMAGE, true, bright).score[0] == pytest.approx(bright(IMAGE))
    assert insertion(IMAGE, true, bright).score[-1] == pytest.approx(bright(IMAGE))


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(DataError, match="no lesion to lie on"):
        pointing_hit(np.zeros((4, 4), np.float32), np.zeros((4, 4), bool))
    with pytest.raises(DataError, match="one size"):
        energy_inside(np.zeros((4, 4), np.float32), np.ones((4, 5), bool))
    with pytest.raises(DataError, match="one size"):
        deletion(IMAGE, np.zeros((4, 4), np.float32), bright)
    with pytest.raises(DataError, match="above 0 and at most 1"):
        occlusion_map(IMAGE, bright, share=0)
