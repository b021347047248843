"""One contract for every strategy, and what is its own about each; on engines worked by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from busight.data.sources.catalogue import load_data
from busight.errors import BundleError, ConfigError
from busight.preprocess.pipeline import PreparedImage, Preprocess, parse_preprocess
from busight.segment.postprocess import PostprocessSettings
from busight.segment.roi import region_of_interest
from busight.segment.settings import RoiSettings
from busight.strategies.catalogue import STRATEGIES, strategy_of
from busight.strategies.engine import Outputs
from busight.strategies.mask_channel import with_mask_channel
from busight.strategies.masked import blacked_out
from busight.strategies.segment_only import lesion_logits
from busight.strategies.segmenters import NetworkSegmenter
from busight.strategies.strategy import Stages
from busight.strategies.views import InputSpec, View, run_views
from busight.types import Roi

SIZE = 32
SPEC = InputSpec(SIZE, keep_aspect=False)


@dataclass
class Dark:
    """An engine: logits from means of the input, and a mask where it is darker than a quarter of its mean."""

    channels: int = 1

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.channels, SIZE, SIZE

    @property
    def output_shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {"logits": (3,), "activation": (3, SIZE, SIZE), "features": (2,), "mask_probs": (1, SIZE, SIZE)}

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        assert batch.shape[1:] == self.input_shape
        maps = np.stack([batch[:, 0], 1 - batch[:, -1], batch[:, 0] ** 2], axis=1)
        mean = batch[:, :1].mean(axis=(2, 3), keepdims=True)
        mask = 1 / (1 + np.exp(-40 * (0.85 * mean - batch[:, :1])))
        logits = maps.mean(axis=(2, 3))
        return {"logits": logits, "activation": maps, "features": logits[:, :2], "mask_probs": mask.astype(np.float32)}


class DarkClassifier(Dark):
    """The same without a mask."""

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        outputs = super().run(batch)
        return {name: values for name, values in outputs.items() if name != "mask_probs"}


def stages_of(name: str) -> Stages:
    strategy = STRATEGIES[name]
    channels = 3 if strategy.mask_channel else 1
    engine = Dark(channels) if strategy.decodes_mask else DarkClassifier(channels)
    segmenter = NetworkSegmenter(Dark(), SPEC) if strategy.segments_first else None
    settings = PostprocessSettings(minimum_share=0.0)
    return Stages(engine, SPEC, False, segmenter, settings, RoiSettings(margin=0.1))


@pytest.fixture(scope="module")
def images() -> list[PreparedImage]:
    data = load_data("phantom:5,size=96,seed=8")
    preprocess = parse_preprocess("median(3)")
    return [preprocess(data.reader.image(sample)[: 96 - 7 * place]) for place, sample in enumerate(data.samples)]


@pytest.mark.parametrize("name", STRATEGIES)
def test_contract(name: str, images: list[PreparedImage]) -> None:
    strategy, stages = STRATEGIES[name], stages_of(name)
    together = strategy.infer(images, stages)
    assert len(together) == len(images)
    assert strategy.infer([], stages) == []
    for image, raw in zip(images, together, strict=True):
        (alone,) = strategy.infer([image], stages)
        np.testing.assert_allclose(raw.logits, alone.logits, atol=1e-6)
        height, width = image.channels.shape[:2]
        assert 0 <= raw.roi.top < raw.roi.bottom <= height
        assert 0 <= raw.roi.left < raw.roi.right <= width
        assert (raw.mask is None) == (not strategy.segments_first and not strategy.decodes_mask)
        if raw.mask is not None and raw.mask_probs is not None:
            assert raw.mask.shape == raw.mask_probs.shape == (height, width)
            assert raw.mask.any(), "the masks were never tested"
            assert alone.mask is not None
            np.testing.assert_array_equal(raw.mask, alone.mask)
        assert strategy.sentence("NET", "SEG").endswith(".")


@pytest.mark.parametrize("name", [name for name in STRATEGIES if name != "segment_only"])
def test_the_mean_of_the_activation_map_is_the_logit(name: str) -> None:
    """Exactly so where nothing is resized: a square image of the input's own size."""
    image = Preprocess()(np.random.default_rng(1).integers(30, 220, (SIZE, SIZE), dtype=np.uint8))
    strategy, stages = STRATEGIES[name], replace(stages_of(name), postprocess=PostprocessSettings(threshold=1.0))
    (raw,) = strategy.infer([image], stages)
    for place in range(3):
        activation = raw.activation(place)
        assert activation is not None
        assert float(activation.mean()) == pytest.approx(float(raw.logits[place]), abs=1e-5)


def test_the_region_of_two_stages_is_that_of_the_predicted_mask(images: list[PreparedImage]) -> None:
    stages = stages_of("two_stage")
    for image, raw in zip(images, STRATEGIES["two_stage"].infer(images, stages), strict=True):
        assert raw.mask is not None
        assert raw.roi == region_of_interest(raw.mask, 0.1)
        (view,) = run_views(DarkClassifier(), [View(image.channels, raw.roi)], SPEC, tta=False)
        np.testing.assert_allclose(raw.logits, view.logits, atol=1e-6)


def test_masked_and_mask_channel_show_the_predicted_mask(images: list[PreparedImage]) -> None:
    for name, shown in (("masked", blacked_out), ("mask_channel", with_mask_channel)):
        strategy, stages = STRATEGIES[name], stages_of(name)
        for image, first in zip(images, strategy.first_views(images, stages), strict=True):
            assert first.mask is not None
            np.testing.assert_array_equal(first.view.channels, shown(image.channels, first.mask))


def test_a_mask_by_hand() -> None:
    grey = np.array([[10, 20], [30, 40]], np.uint8)
    mask = np.array([[True, False], [False, True]])
    assert blacked_out(grey, mask).tolist() == [[10, 0], [0, 40]]
    assert blacked_out(np.repeat(grey[..., None], 3, axis=-1), mask)[..., 1].tolist() == [[10, 0], [0, 40]]
    channels = with_mask_channel(grey, mask)
    assert channels[..., 0].tolist() == channels[..., 1].tolist() == grey.tolist()
    assert channels[..., 2].tolist() == [[255, 0], [0, 255]]


@pytest.mark.parametrize("use_proposal", [False, True])
def test_global_and_local_views_weigh_as_much(images: list[PreparedImage], use_proposal: bool) -> None:
    stages = replace(stages_of("global_local"), use_proposal=use_proposal)
    joint = STRATEGIES["joint"].infer(images, stages)
    several = 0
    for image, raw, whole in zip(images, STRATEGIES["global_local"].infer(images, stages), joint, strict=True):
        assert (raw.proposal is not None) == use_proposal
        masks = [mask for mask in (raw.mask, raw.proposal) if mask is not None and mask.any()]
        regions = [region_of_interest(mask, 0.1) for mask in masks]
        local = run_views(Dark(), [View(image.channels, region) for region in regions], SPEC, tta=False)
        expected = (whole.logits + np.mean([output.logits for output in local], axis=0)) / 2
        np.testing.assert_allclose(raw.logits, expected, atol=1e-6)
        assert raw.roi == regions[0]
        several += len(regions) > 1
        activation = raw.activation(1)
        assert activation is not None
        maps = np.mean([output.activation(1) / output.area_share for output in local], axis=0)
        whole_map = whole.activation(1)
        assert whole_map is not None
        np.testing.assert_allclose(activation, (whole_map + maps) / 2, atol=1e-4)
    assert bool(several) == use_proposal


def test_without_a_region_the_global_view_decides_alone() -> None:
    image = Preprocess()(np.full((50, 70), 120, np.uint8))
    stages = replace(stages_of("global_local"), use_proposal=True, postprocess=PostprocessSettings(threshold=1.0))
    (raw,) = STRATEGIES["global_local"].infer([image], stages)
    (whole,) = STRATEGIES["joint"].infer([image], stages)
    np.testing.assert_array_equal(raw.logits, whole.logits)
    assert raw.roi == Roi(0, 0, 50, 70)


def test_whether_there_is_a_lesion_is_read_off_the_mask_probabilities() -> None:
    probs = np.zeros((100, 100), np.float32)
    assert lesion_logits(probs)[1] == pytest.approx(np.log(1e-7), rel=1e-3)
    probs[:5, :5] = 0.75  # 0.25 % of the pixels
    np.testing.assert_allclose(lesion_logits(probs), [0, np.log(3)], rtol=1e-5)


def test_a_stage_that_is_missing_is_one_line() -> None:
    with pytest.raises(BundleError, match="no classifier"):
        Stages().run([])
    with pytest.raises(BundleError, match="no segmenter"):
        Stages().segment([])
    with pytest.raises(ConfigError, match=r"classify\.strategy 'two-stage': did you mean two_stage\?"):
        strategy_of("two-stage")
