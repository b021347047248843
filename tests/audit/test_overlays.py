from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from busight.audit.overlays import image_properties
from busight.data.readers.image import read_colour_share
from busight.data.sources.catalogue import load_data


def test_text_and_calipers_are_seen_and_speckle_is_not() -> None:
    data = load_data("phantom:120,seed=11,overlays=0.4")
    truth = np.array(["overlay" in sample.tags for sample in data.samples])
    seen = np.array([image_properties(data.reader.image(sample)).overlay for sample in data.samples])
    assert (seen & truth).sum() / truth.sum() >= 0.9
    assert (seen & truth).sum() / seen.sum() >= 0.85


def test_facts_of_a_picture_by_hand() -> None:
    image = np.full((40, 80), 100, np.uint8)
    image[10:30, 20:60] = np.random.default_rng(0).integers(50, 150, (20, 40))
    image[:4] = 0
    found = image_properties(image)
    assert (found.height, found.width, found.stroke_pixels, found.overlay) == (40, 80, 0, False)
    assert found.black_share == pytest.approx(0.1)
    assert found.mean_grey == pytest.approx(image.mean())
    # Rows 4 to 9 are flat too (100), but rows 0 to 9 and 30 to 39 are; columns 0 to 19 and 60 to 79 hold 0 and 100.
    assert found.border_share == pytest.approx((20 / 40 + 0) / 2)


def test_a_uniform_picture_is_all_border() -> None:
    assert image_properties(np.zeros((20, 20), np.uint8)).border_share == 1.0


def test_colour(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 255, (32, 32), dtype=np.uint8)
    colour = np.repeat(grey[:, :, None], 3, axis=2)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    cv2.imwrite(str(tmp_path / "rgb-grey.png"), colour)
    colour[:8, :, 2] = 255 - colour[:8, :, 2] // 2
    colour[:8, :, 0] = 0
    cv2.imwrite(str(tmp_path / "colour.png"), colour)
    assert [read_colour_share(tmp_path / f"{n}.png") for n in ("grey", "rgb-grey", "colour")] == [0, 0, 0.25]
