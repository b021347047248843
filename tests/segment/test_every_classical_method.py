"""What every method without training keeps to."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from busight.data.sources.catalogue import load_data
from busight.metrics.overlap import dice
from busight.segment.classical.catalogue import METHODS
from busight.segment.postprocess import PostprocessSettings, to_mask
from busight.segment.proposal import candidates, propose_lesion, scored
from busight.segment.settings import ClassicalName


def disc_picture(row: int = 70, column: int = 90, radius: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Bright tissue with one dark, noisy disc, uint8 (140, 180), and the disc."""
    rows, columns = np.mgrid[:140, :180]
    truth = np.hypot(rows - row, columns - column) < radius
    noise = np.random.default_rng(0).normal(0, 12, truth.shape)
    return (np.where(truth, 50, 150) + noise).clip(0, 255).astype(np.uint8), truth


def test_the_names_in_recipes_are_those_of_the_catalogue() -> None:
    assert set(get_args(ClassicalName)) == set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_a_plain_lesion_is_outlined(name: str) -> None:
    image, truth = disc_picture()
    found = to_mask(METHODS[name](image), PostprocessSettings())
    assert dice(found, truth) > 0.8


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_where_there_is_nothing_nothing_is_found(name: str, grey: int) -> None:
    scores = METHODS[name](np.full((60, 80), grey, np.uint8))
    assert (scores.dtype, scores.shape) == (np.float32, (60, 80))
    assert not to_mask(scores, PostprocessSettings()).any()


@pytest.mark.parametrize("name", METHODS)
def test_a_dark_frame_around_a_picture_is_no_lesion_and_no_noise(name: str) -> None:
    """Filled, the frame is all of the picture; warnings are errors here."""
    image = np.full((100, 100), 130, np.uint8)
    image[5:-5, 5:-5] = np.random.default_rng(0).integers(110, 150, (90, 90))
    image[:5] = image[-5:] = image[:, :5] = image[:, -5:] = 0
    scores = METHODS[name](image)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=10, deadline=None)
@given(image=arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_any_picture_gives_scores_of_its_form_twice_the_same(name: str, image: np.ndarray) -> None:
    before = image.copy()
    first, second = METHODS[name](image), METHODS[name](image)
    assert (first.dtype, first.shape) == (np.float32, image.shape)
    assert 0 <= first.min() <= first.max() <= 1
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(image, before)


def test_the_first_guess_lies_on_most_phantoms_lesions() -> None:
    data = load_data("phantom:40,seed=2,typical=1")
    hits = []
    for sample in data.samples:
        truth = data.reader.mask(sample)
        if truth is not None and truth.any():
            guess = propose_lesion(data.reader.image(sample)).mask
            hits.append(bool(guess.any()) and (guess & truth).sum() > 0.3 * guess.sum())
    assert np.mean(hits) > 0.5


def test_candidates_are_ordered_and_the_best_is_the_darkest_compact_one() -> None:
    image, truth = disc_picture()
    image[10:24, 20:120] = 60  # a dark bar near the skin
    found, labels = candidates(image < 100, image)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert dice(labels == found[0].label, truth) > 0.9
    assert dice(scored([image < 100], image) >= 0.5, truth) > 0.9
    assert 0 < scored([image < 100], image)[15, 60] < 0.5
    assert not scored([np.zeros(image.shape, bool)], image).any()
