from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from busight.data.sources.catalogue import load_data
from busight.errors import ConfigError
from busight.preprocess.enhance.artifact.crop_region import crop_region
from busight.preprocess.enhance.chain import apply_chain, crop_box_of, parse_chain
from busight.preprocess.pipeline import parse_preprocess
from busight.types import Roi


def framed(tissue: np.ndarray, top: int, left: int, height: int, width: int) -> np.ndarray:
    """Tissue in a larger black frame, with a scanner's words and a grey bar beside it."""
    frame = np.zeros((height, width), np.uint8)
    frame[top : top + tissue.shape[0], left : left + tissue.shape[1]] = tissue
    cv2.putText(frame, "BREAST L 12:30", (5, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 230, 1)
    frame[60:160, 8:12] = np.linspace(255, 0, 100, dtype=np.uint8)[:, None]
    return frame


def test_black_borders_words_and_grey_bars_are_left_out() -> None:
    data = load_data("phantom:6,seed=4")
    for sample in data.samples:
        tissue = data.reader.image(sample)
        height, width = tissue.shape
        found = crop_region(framed(tissue, 40, 60, height + 90, width + 140))
        wanted = Roi(40, 60, 40 + height, 60 + width)
        for side in ("top", "left", "bottom", "right"):
            assert abs(getattr(found, side) - getattr(wanted, side)) <= 0.04 * width


def test_a_picture_that_is_all_tissue_stays_whole() -> None:
    data = load_data("phantom:8,seed=5")
    for sample in data.samples:
        image = data.reader.image(sample)
        box = crop_region(image)
        assert box.height * box.width > 0.9 * image.size


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_where_nothing_stands_out_the_whole_picture_is_the_field(grey: int) -> None:
    assert crop_region(np.full((50, 70), grey, np.uint8)) == Roi(0, 0, 50, 70)


@settings(deadline=None, max_examples=40)
@given(image=arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_the_field_lies_inside_and_is_not_empty(image: np.ndarray) -> None:
    box = crop_region(image)
    assert 0 <= box.top < box.bottom <= image.shape[0]
    assert 0 <= box.left < box.right <= image.shape[1]
    assert crop_region(image) == box


def test_filters_see_the_field_alone() -> None:
    tissue = load_data("phantom:1,seed=4").reader.image(load_data("phantom:1,seed=4").samples[0])
    image = framed(tissue, 40, 60, tissue.shape[0] + 90, tissue.shape[1] + 140)
    steps = parse_chain("crop_region | equalize")
    box = crop_box_of(image, steps)
    assert box == crop_region(image)
    cut = box.cut(image)
    np.testing.assert_array_equal(apply_chain(cut, steps), apply_chain(cut, parse_chain("equalize")))
    assert crop_box_of(image, parse_chain("equalize")) == Roi(0, 0, *image.shape)


@pytest.mark.parametrize(
    ("chain", "channels", "rule"),
    [
        ("median | crop_region", (), "crop_region chooses the crop box that all filters see; put it first"),
        ("crop_region(0)", (), "level"),
        ("croop_region", (), r"no filter 'croop_region'; did you mean crop_region\?"),
        ("", ("raw", "clahe"), "2 of them; give none, or three chains"),
        ("", ("raw", "clahe", "crop_region"), "belongs into enhance.chain"),
        ("", ("raw", "clahe", "medain"), r"did you mean median\?"),
    ],
)
def test_wrong_chains_and_channels(chain: str, channels: tuple[str, ...], rule: str) -> None:
    with pytest.raises(ConfigError, match=rule):
        parse_preprocess(chain, channels)


def test_channels_follow_the_chain() -> None:
    image = load_data("phantom:1").reader.image(load_data("phantom:1").samples[0])
    prepared = parse_preprocess("median(3)", ("raw", "clahe(2.0)", "srad(steps=10)"))(image)
    channels = prepared.channels
    assert channels.shape == (*image.shape, 3)
    for index, text in enumerate(("median(3)", "median(3) | clahe(2.0)", "median(3) | srad(steps=10)")):
        np.testing.assert_array_equal(channels[..., index], apply_chain(image, parse_chain(text)))
    plain = parse_preprocess("median(3)")(image)
    np.testing.assert_array_equal(plain.channels, plain.enhanced)
    np.testing.assert_array_equal(plain.enhanced, prepared.enhanced)
