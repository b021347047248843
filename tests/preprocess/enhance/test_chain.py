import subprocess
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from busight.errors import ConfigError
from busight.preprocess.enhance.chain import FILTERS, Step, apply_chain, crop_box_of, parse_chain
from busight.preprocess.enhance.contrast.clahe import clahe
from busight.preprocess.enhance.contrast.gamma import gamma
from busight.preprocess.enhance.denoise.median import median
from busight.types import Roi

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 56), dtype=np.uint8)


def test_a_chain_by_hand() -> None:
    steps = parse_chain(" median( 5 ) | clahe(tiles=4) | equalize ")
    assert steps == (
        Step("median", (("size", 5),)),
        Step("clahe", (("clip", 2.0), ("tiles", 4))),
        Step("equalize", ()),
    )
    assert [str(step) for step in steps] == ["median(size=5)", "clahe(clip=2.0, tiles=4)", "equalize()"]


def test_steps_are_applied_in_order() -> None:
    chained = apply_chain(IMAGE, parse_chain("median(3) | clahe(2.0)"))
    np.testing.assert_array_equal(chained, clahe(median(IMAGE, 3), 2.0))
    assert (chained != apply_chain(IMAGE, parse_chain("clahe(2.0) | median(3)"))).any()


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_no_text_is_no_step(text: str) -> None:
    assert parse_chain(text) == ()
    assert apply_chain(IMAGE, ()) is IMAGE


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_keeps_the_shape_and_its_input(name: str) -> None:
    (step,) = parse_chain(name)
    for shape in [(16, 16), (40, 56), (17, 301)]:
        image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
        before = image.copy()
        for view in (image, image[:, ::-1], image[::2].repeat(2, axis=0)):
            filtered = apply_chain(view, (step,))
            assert (filtered.dtype, filtered.shape) == (np.uint8, view.shape)
            np.testing.assert_array_equal(filtered, apply_chain(np.ascontiguousarray(view), (step,)))
        np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("name", FILTERS)
def test_a_grey_rgb_image_is_filtered_as_the_grey_image(name: str) -> None:
    steps = parse_chain(name)
    rgb = np.repeat(IMAGE[..., None], 3, axis=-1)
    before = rgb.copy()
    filtered = apply_chain(rgb, steps)
    assert (filtered.dtype, filtered.shape) == (np.uint8, rgb.shape)
    expected = np.repeat(apply_chain(IMAGE, steps)[..., None].astype(int), 3, axis=-1)
    np.testing.assert_allclose(filtered, expected, atol=1)
    np.testing.assert_array_equal(rgb, before)


def test_filters_change_the_luma_of_rgb_and_keep_the_chroma() -> None:
    smooth = cv2.GaussianBlur(np.random.default_rng(2).uniform(0, 255, (40, 56, 3)), (0, 0), 3)
    rgb = np.clip(smooth * 2 - 127, 70, 185).astype(np.uint8)
    filtered = apply_chain(rgb, parse_chain("median(3) | gamma(0.8)"))
    luma, red, blue = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb))
    new_luma, new_red, new_blue = (
        plane.astype(int) for plane in cv2.split(cv2.cvtColor(filtered, cv2.COLOR_RGB2YCrCb))
    )
    np.testing.assert_allclose(new_luma, gamma(median(luma, 3), 0.8), atol=1)
    np.testing.assert_allclose(new_red, red, atol=1)
    np.testing.assert_allclose(new_blue, blue, atol=1)
    # The image has colours and the chain has an effect.
    assert min(np.ptp(red), np.ptp(blue)) > 10
    assert np.abs(new_luma - luma).mean() > 5


def test_rgb_without_a_filter_is_the_image_itself_and_its_crop_box_that_of_the_luma() -> None:
    framed = np.zeros((120, 160, 3), np.uint8)
    framed[30:100, 40:130] = [200, 90, 140]
    steps = parse_chain("crop_region")
    assert apply_chain(framed, steps) is framed
    box = crop_box_of(framed, steps)
    assert box == crop_box_of(framed[..., 0], steps)
    assert box.height < 90
    assert box.width < 110
    assert crop_box_of(framed, ()) == Roi(0, 0, 120, 160)


def test_the_text_of_a_step_is_itself_a_chain() -> None:
    steps = parse_chain("median(7) | clahe(clip=3.5, tiles=2) | equalize")
    assert parse_chain(" | ".join(map(str, steps))) == steps


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("medain(3)", "no filter 'medain'; did you mean median. known: adaptive_threshold, bilateral, clahe"),
        ("zzz", "no filter 'zzz'; known: adaptive_threshold, bilateral, clahe"),
        ("median(3) |", "chain step '': not of the form name"),
        ("| median(3)", "chain step '': not of the form name"),
        ("median(3", "not of the form name"),
        ("median 3", "not of the form name"),
        ("cv2.median(3)", "not of the form name"),
        ("median(3)(5)", "not of the form name"),
        ("3", "not of the form name"),
        ("median(\0)", "not of the form name"),
        ("median(" + "-" * 9000 + "1)", "chain step 'median.-------------…': longer than 500 characters"),
        ("median(" + "-" * 400 + "1)", "wrong arguments; median takes: size=3"),
        ("median(" + "(" * 240 + "1" + ")" * 240 + ")", "not of the form name"),
        ("median(0x" + "f" * 400 + ")", "median: size [0-9]+ must be odd, 3–31 pixels"),
        ("median(3, 5)", "wrong arguments; median takes: size=3"),
        ("median(sise=3)", "wrong arguments; median takes: size=3"),
        ("median(*[3])", "wrong arguments; median takes: size=3"),
        ("median(**{'size': 3})", "wrong arguments; median takes: size=3"),
        ("median(open('x'))", "wrong arguments; median takes: size=3"),
        ("equalize(1)", "wrong arguments; equalize takes: none"),
        ("median('3')", "median: size '3' must be of type int"),
        ("median(3.0)", "median: size 3.0 must be of type int"),
        ("median(True)", "median: size True must be of type int"),
        ("clahe(clip='2')", "clahe: clip '2' must be of type float"),
        ("clahe([2.0])", "clahe: clip .2.0. must be of type float"),
        ("clahe(2j)", "clahe: clip 2j must be of type float"),
        ("median(image=3)", "wrong arguments; median takes: size=3"),
        ("clahe(None)", "clahe: clip None must be of type float"),
        ("median(4)", "median: size 4 must be odd, 3–31 pixels"),
        ("median(3) | clahe(clip=0)", "clahe: clip 0 must be above 0"),
        ("clahe(1e999)", "clahe: clip inf must be"),
        ("stretch(99.5)", "stretch: low 99.5 must be below high 99.0"),
        ("stretch(high='x')", "stretch: high 'x' must be of type float"),
        ("top_hat(kind='white')", "top_hat: kind 'white' must be bright or dark"),
        (
            "histogram_standardization('9 3')",
            "reference '9 3' must be two or more grey values 0–255 in ascending order",
        ),
    ],
)
def test_chains_that_are_refused(text: str, rule: str) -> None:
    with pytest.raises(ConfigError, match=rule) as caught:
        parse_chain(text)
    assert "\n" not in str(caught.value)


def test_parsing_runs_no_filter() -> None:
    """Filters import scikit-image, PyWavelets and SciPy when they run: parsing must not, running must."""
    script = """
import sys
import numpy as np
from busight.preprocess.enhance.chain import apply_chain, parse_chain
before = set(sys.modules)
steps = parse_chain("crop_region | wavelet | total_variation | local_phase | tgc")
print(*{name.split(".")[0] for name in set(sys.modules) - before})
apply_chain(np.zeros((16, 16), np.uint8), steps)
print(*{name.split(".")[0] for name in set(sys.modules) - before})
"""
    lines = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    parsed, applied = (set(line.split()) for line in lines.splitlines())
    libraries = {"skimage", "pywt", "scipy"}
    assert not parsed & libraries
    assert applied >= libraries


def test_a_whole_number_for_a_float_is_written_as_a_float() -> None:
    assert str(parse_chain("clahe(3)")[0]) == "clahe(clip=3.0, tiles=8)"


@given(st.text(max_size=40) | st.text("mediancl(3)=, |.1-'[]{}", max_size=40))
def test_any_text_is_a_chain_or_refused(text: str) -> None:
    try:
        steps = parse_chain(text)
    except ConfigError:
        return
    assert apply_chain(IMAGE, steps).shape == IMAGE.shape
