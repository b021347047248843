"""What every filter keeps to, whatever it does."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from busight.errors import RecipeError
from busight.preprocess.enhance.chain import FILTERS, KINDS, apply_chain, parse_chain


def run(name: str, image: np.ndarray) -> np.ndarray:
    return apply_chain(image, parse_chain(name))


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (1, 50), (50, 1), (2, 2), (3, 5), (17, 40)])
def test_small_and_narrow_pictures_keep_their_form(name: str, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    found = run(name, image)
    assert (found.dtype, found.shape) == (np.uint8, shape)


@pytest.mark.parametrize("name", FILTERS)
@settings(max_examples=15, deadline=None)
@given(image=arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24))))
def test_any_picture_gives_a_picture_of_its_form_twice_the_same(name: str, image: np.ndarray) -> None:
    before = image.copy()
    first, second = run(name, image), run(name, image)
    assert (first.dtype, first.shape) == (np.uint8, image.shape)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(image, before)
    assert not np.shares_memory(first, image)


@pytest.mark.parametrize("name", FILTERS)
def test_memory_is_that_of_a_few_pictures(name: str) -> None:
    """Of float32 pictures as NumPy counts them; total variation is scikit-image's, and takes what it takes."""
    image = np.random.default_rng(3).integers(1, 256, (256, 300), dtype=np.uint8)
    run(name, image)
    tracemalloc.start()
    run(name, image)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak / (4 * image.size) < (12 if name == "total_variation" else 6.5)


@pytest.mark.parametrize("name", [one.__name__ for one in (*KINDS["denoise"], *KINDS["cleanup"])])
@pytest.mark.parametrize("grey", [0, 1, 90, 255])
def test_where_there_is_no_noise_nothing_changes(name: str, grey: int) -> None:
    flat = np.full((40, 40), grey, np.uint8)
    np.testing.assert_array_equal(run(name, flat), flat)


@pytest.mark.parametrize("name", [one.__name__ for one in KINDS["denoise"]])
def test_noise_becomes_less_and_the_mean_stays(name: str) -> None:
    rng = np.random.default_rng(2)
    noisy = np.clip(100 * (1 + 0.2 * rng.standard_normal((96, 96))), 0, 255).astype(np.uint8)
    found = run(name, noisy)
    assert found.std() < 0.8 * noisy.std()
    assert abs(found.mean() - noisy.mean()) < 2.5


@pytest.mark.parametrize("name", [one.__name__ for one in KINDS["denoise"]])
def test_a_strong_edge_stays_where_it_is(name: str) -> None:
    step = np.full((64, 64), 40, np.uint8)
    step[:, 32:] = 200
    found = run(name, step).astype(int)
    steepest = np.abs(np.diff(found, axis=1)).argmax(axis=1)
    assert (steepest == 31).all()


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_says_what_it_takes_and_where_it_comes_from(name: str) -> None:
    text = FILTERS[name].__doc__ or ""
    assert "uint8 HW" in text
    if len(parse_chain(name)[0].arguments):
        assert "RecipeError" in text
        with pytest.raises(RecipeError, match=name):
            parse_chain(f"{name}(-1000)")
