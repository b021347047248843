"""Screening of candidates: the search by matrix products is OpenCV's template search, and loses no near-duplicate."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from busight.audit.duplicates import screening
from busight.audit.duplicates.near_duplicates import mirrored
from busight.audit.duplicates.neighbours import Candidate
from busight.audit.duplicates.screening import promising
from busight.data.thumbnail import SIDE
from busight.types import Image

MIRRORINGS = ("upright", "left-right", "up-down", "half turn")


@pytest.fixture(scope="module")
def thumbnails() -> list[Image]:
    rng = np.random.default_rng(0)
    return [
        cv2.resize(rng.integers(0, 256, (9, 9), dtype=np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        for _ in range(300)
    ]


def reference(whole: Image, part: Image) -> float:
    """OpenCV's template search, scale by scale."""
    small, other = (
        cv2.resize(image.astype(np.float32), (16, 16), interpolation=cv2.INTER_AREA) for image in (whole, part)
    )
    padded = cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    sides = (16, 15, 14, 13, 12, 11)
    templates = [cv2.resize(other, (side, side), interpolation=cv2.INTER_AREA) for side in sides]
    return max(float(cv2.matchTemplate(padded, template, cv2.TM_CCOEFF_NORMED).max()) for template in templates)


@pytest.mark.parametrize("how", MIRRORINGS)
def test_correlations_are_those_of_opencv(thumbnails: list[Image], how: str) -> None:
    rng = np.random.default_rng(1)
    pairs = rng.integers(0, len(thumbnails), (40, 2))
    flips = np.tile(np.array(screening._FLIPS[how]), (40, 1))
    small = screening._shrunk(thumbnails)
    found = screening._best(small, small, pairs[:, 0], pairs[:, 1], flips, None)
    expected = [reference(thumbnails[a], mirrored(thumbnails[b], how)) for a, b in pairs]
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("how", MIRRORINGS)
@pytest.mark.parametrize("swapped", [False, True])
def test_a_crop_is_kept_and_others_are_not(thumbnails: list[Image], how: str, swapped: bool) -> None:
    crop = cv2.resize(thumbnails[0][10:90, 12:92], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    images = [mirrored(crop, how), *thumbnails]
    candidates = [Candidate(0, other, how, 0.5) for other in range(1, len(images))]
    if swapped:
        candidates = [Candidate(one.second, one.first, how, 0.5) for one in candidates]
    kept = promising(images, images, candidates)
    assert candidates[0] in kept
    assert len(kept) < 30


def test_a_uniform_image_resembles_none_and_none_is_no_error(thumbnails: list[Image]) -> None:
    images = [np.full((SIDE, SIDE), 90, np.uint8), *thumbnails[:3]]
    assert promising(images, images, [Candidate(0, 1, "upright", 0.5)]) == []
    assert promising(images, images, []) == []


def test_progress_ends_at_the_total(thumbnails: list[Image]) -> None:
    told: list[tuple[int, int]] = []
    candidates = [Candidate(place, place + 1, "upright", 0.5) for place in range(200)]
    promising(thumbnails, thumbnails, candidates, lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1]
