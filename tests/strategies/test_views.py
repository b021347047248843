from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from busight.preprocess.resize import resize_or_pad
from busight.strategies.engine import Outputs
from busight.strategies.views import InputSpec, View, run_views
from busight.types import Roi

SPEC = InputSpec(32, keep_aspect=False)


class Brightness:
    """An engine worked by hand: two logits, the mean of the left and of the right half; its map is the image."""

    input_shape = (1, 32, 32)
    output_shapes: Mapping[str, tuple[int, ...]] = {
        "logits": (2,),
        "activation": (2, 32, 32),
        "mask_probs": (1, 32, 32),
    }

    def __init__(self) -> None:
        self.batches: list[int] = []

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        self.batches.append(len(batch))
        halves = [batch[:, 0, :, :16].mean(axis=(1, 2)), batch[:, 0, :, 16:].mean(axis=(1, 2))]
        return {
            "logits": np.stack(halves, axis=1),
            "activation": np.repeat(batch, 2, axis=1),
            "mask_probs": batch,
        }


def image(height: int = 40, width: int = 60) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (height, width), dtype=np.uint8)


def test_all_views_of_all_images_are_one_batch_and_come_back_in_order() -> None:
    engine, pictures = Brightness(), [image(), image(50, 30)]
    views = [
        View(pictures[0], Roi(0, 0, 40, 60)),
        View(pictures[0], Roi(5, 5, 25, 45)),
        View(pictures[1], Roi(0, 0, 50, 30)),
    ]
    outputs = run_views(engine, views, SPEC, tta=False)
    assert engine.batches == [3]
    for view, output in zip(views, outputs, strict=True):
        square = resize_or_pad(view.roi.cut(view.channels), 32, keep_aspect=False) / 255
        np.testing.assert_allclose(output.logits, [square[:, :16].mean(), square[:, 16:].mean()], atol=1e-6)
    assert run_views(engine, [], SPEC, tta=True) == []


def test_test_time_augmentation_is_the_mean_with_the_mirrored_view_and_maps_are_turned_back() -> None:
    engine = Brightness()
    view = View(image(), Roi(0, 0, 40, 60))
    plain, mirrored = (run_views(engine, [view], SPEC, tta=tta)[0] for tta in (False, True))
    assert engine.batches == [1, 2]
    np.testing.assert_allclose(mirrored.logits, np.repeat(plain.logits.mean(), 2), atol=1e-6)
    assert not np.allclose(plain.logits[0], plain.logits[1])
    # The mirrored map, turned back, is the plain one: their mean is unchanged.
    np.testing.assert_allclose(mirrored.activation(0), plain.activation(0), atol=1e-6)


def test_maps_lie_where_the_view_was_cut_and_are_0_outside() -> None:
    output = run_views(Brightness(), [View(np.full((40, 60), 255, np.uint8), Roi(10, 20, 30, 50))], SPEC, tta=False)[0]
    placed = output.activation(0)
    assert placed.shape == (40, 60)
    assert placed[10:30, 20:50] == pytest.approx(1.0)
    assert placed.sum() == pytest.approx(20 * 30, rel=1e-4)
    assert output.area_share == pytest.approx(20 * 30 / (40 * 60))
    assert output.mask_probs is not None
    np.testing.assert_array_equal(output.mask_probs, placed)
    assert output.features is None
