from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from busight.audit.duplicates import neighbours
from busight.audit.duplicates.alignment import CONFIRMED, align, aligned_correlation, warp_to
from busight.audit.duplicates.fingerprint import COEFFICIENTS, coefficients, fingerprints, mirror_signs
from busight.audit.duplicates.near_duplicates import (
    NearDuplicate,
    find_near_duplicates,
    find_near_duplicates_between,
    mirrored,
)
from busight.audit.duplicates.neighbours import candidates_within
from busight.data.manifest import DatasetManifest, pixel_digest
from busight.data.sources.catalogue import load_data
from busight.data.thumbnail import SIDE, make_thumbnail
from busight.types import Image


@pytest.fixture(scope="module")
def phantoms() -> list[Image]:
    data = load_data("phantom:40,seed=5")
    return [data.reader.image(sample) for sample in data.samples]


def copies_of(images: list[Image]) -> set[tuple[int, int, str]]:
    found = find_near_duplicates([make_thumbnail(image) for image in images], [pixel_digest(image) for image in images])
    return {(copy.first, copy.second, copy.kind) for copy in found}


CHANGES = {
    "brighter": lambda image: np.clip(image * 1.15 + 12, 0, 255).astype(np.uint8),
    "larger": lambda image: cv2.resize(image, None, fx=1.7, fy=1.4),
    "cropped": lambda image: image[14:250, 20:244],
    "cropped on one side": lambda image: image[:, 30:],
    "noisy": lambda image: np.clip(image + np.random.default_rng(0).normal(0, 8, image.shape), 0, 255).astype(np.uint8),
    "written on": lambda image: cv2.putText(image.copy(), "RT BREAST", (30, 60), 0, 0.6, 255, 1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_and_nothing_else(phantoms: list[Image], change: str) -> None:
    copy = np.ascontiguousarray(CHANGES[change](phantoms[7]))
    found = copies_of([*phantoms, copy])
    assert (7, 40, "near-duplicate") in found
    assert not {pair for pair in found if 40 in pair[:2] and 7 not in pair[:2]}


@pytest.mark.parametrize("how", ["left-right", "up-down", "half turn"])
def test_a_mirrored_copy_is_found(phantoms: list[Image], how: str) -> None:
    found = find_near_duplicates(
        [make_thumbnail(image) for image in [*phantoms, mirrored(phantoms[3], how)]], [str(i) for i in range(41)]
    )
    assert [(c.first, c.second, c.kind, c.mirrored) for c in found if c.second == 40] == [(3, 40, "mirrored", how)]


def test_mirroring_pixels_is_changing_signs(phantoms: list[Image]) -> None:
    for how, signs in mirror_signs().items():
        turned = coefficients(make_thumbnail(mirrored(phantoms[0], how)))
        np.testing.assert_allclose(turned, coefficients(make_thumbnail(phantoms[0])) * signs, atol=0.6)


def test_many_copies_of_one_image_are_as_many_lines(phantoms: list[Image]) -> None:
    images = [phantoms[0]] * 3000
    found = find_near_duplicates([make_thumbnail(phantoms[0])] * 3000, [pixel_digest(phantoms[0])] * 3000)
    assert len(found) == len(images) - 1
    assert {copy.first for copy in found} == {0}


@pytest.mark.parametrize("count", [1, 2])
def test_few_images(phantoms: list[Image], count: int) -> None:
    assert copies_of(phantoms[:count]) == set()


def test_uniform_images_are_no_copies() -> None:
    assert copies_of([np.full((50, 50), 10, np.uint8), np.full((60, 50), 200, np.uint8)]) == set()


def test_two_sets(phantoms: list[Image]) -> None:
    ours, theirs = phantoms[:20], [*phantoms[20:], CHANGES["brighter"](phantoms[4])]
    found = find_near_duplicates_between([make_thumbnail(i) for i in ours], [make_thumbnail(i) for i in theirs])
    assert [(copy.first, copy.second) for copy in found] == [(4, 20)]


def test_correlation_of_a_picture_with_itself_and_with_another(phantoms: list[Image]) -> None:
    small = [make_thumbnail(image) for image in phantoms[:2]]
    assert aligned_correlation(small[0], small[0]) == pytest.approx(1, abs=1e-3)
    assert aligned_correlation(small[0], small[1]) < CONFIRMED


def test_a_large_set_is_searched_by_cells_and_loses_next_to_nothing() -> None:
    rng = np.random.default_rng(0)
    found = rng.normal(size=(9000, COEFFICIENTS)).astype(np.float32)
    found[1::100] = found[0::100] + 0.1 * rng.normal(size=(90, COEFFICIENTS)).astype(np.float32)
    pairs = {(one.first, one.second) for one in candidates_within(fingerprints(found))}
    assert sum((k, k + 1) in pairs for k in range(0, 9000, 100)) >= 89


@pytest.mark.slow
def test_busi_has_at_least_the_known_copies(busi: DatasetManifest, busi_copies: tuple[NearDuplicate, ...]) -> None:
    samples = busi.dataset.samples
    assert len(busi_copies) >= 200
    crossing = {
        frozenset((samples[c.first].sample_id, samples[c.second].sample_id))
        for c in busi_copies
        if samples[c.first].label != samples[c.second].label
    }
    assert len(crossing) >= 10
    for known in (
        {"benign/benign (131)", "malignant/malignant (51)"},
        {"benign/benign (433)", "malignant/malignant (145)"},
        {"normal/normal (1)", "benign/benign (269)"},
        # The same lesion with the black corners of another zoom, which a correlation of thumbnails does not see.
        {"benign/benign (333)", "malignant/malignant (78)"},
    ):
        assert known in crossing


@pytest.mark.slow
def test_every_pair_of_the_plain_correlation_of_busi_is_confirmed(
    busi: DatasetManifest, busi_copies: tuple[NearDuplicate, ...]
) -> None:
    """The 212 pairs that others count: 32×32 thumbnails that correlate above 0.97."""
    reader = busi.dataset.reader
    pictures = [Pillow.fromarray(reader.image(sample)) for sample in busi.dataset.samples]
    tiny = [np.asarray(p.resize((32, 32), Pillow.Resampling.BILINEAR), dtype=np.float64).ravel() for p in pictures]
    alike = np.argwhere(np.triu(np.corrcoef(tiny), 1) > 0.97)
    assert len(alike) == 212
    assert {tuple(pair) for pair in alike.tolist()} <= {(copy.first, copy.second) for copy in busi_copies}


@pytest.mark.parametrize("nearest", [1, 3, 17])
def test_the_exact_search_is_a_sort(nearest: int) -> None:
    rng = np.random.default_rng(nearest)
    prints = rng.normal(size=(2500, COEFFICIENTS)).astype(np.float32)  # more than one block
    cosines, places = neighbours._exact(prints)(prints[:1500], nearest)
    expected = np.sort(prints[:1500] @ prints.T, axis=1)[:, -nearest:]
    np.testing.assert_allclose(np.sort(cosines, axis=1), expected, rtol=1e-5)
    np.testing.assert_allclose(cosines[0], prints[places[0]] @ prints[0], rtol=1e-5)


@pytest.mark.parametrize("swapped", [False, True])
def test_a_crop_is_laid_upon_its_original(swapped: bool) -> None:
    data = load_data("phantom:3,seed=4")
    whole = data.reader.image(data.samples[1])
    crop = np.ascontiguousarray(whole[20:230, 30:240])
    first, second = (crop, whole) if swapped else (whole, crop)
    found = align(make_thumbnail(first), make_thumbnail(second))
    assert found.correlation > CONFIRMED
    laid = warp_to(first, second, found, SIDE).astype(float)
    inside = warp_to(np.full_like(first, 255), second, found, SIDE) > 250
    assert inside.mean() > 0.6
    stretched = cv2.resize(first, second.shape[::-1]).astype(float)
    assert np.abs(laid - second)[inside].mean() < 0.35 * np.abs(stretched - second).mean()
