from pathlib import Path

import numpy as np
import pytest
from picture_files import LESION, save

from busight.data.readers.image import read_painted_mask

RED, GREEN, DARK_BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 90)


@pytest.mark.parametrize("colours", [(RED, GREEN), (GREEN, RED), (RED, RED)])
def test_lesions_painted_in_several_colours_are_lesion_alike(
    tmp_path: Path, colours: tuple[tuple[int, ...], ...]
) -> None:
    second = np.roll(LESION, 11, axis=1)
    pixels = np.zeros((*LESION.shape, 3), np.uint8)
    pixels[LESION], pixels[second] = colours
    np.testing.assert_array_equal(read_painted_mask(save(tmp_path / "m.png", pixels)), LESION | second)


def test_soft_edges_of_a_painted_mask_end_at_half(tmp_path: Path) -> None:
    pixels = np.zeros((*LESION.shape, 3), np.uint8)
    pixels[LESION] = RED
    pixels[0, :4] = [(9, 0, 0), (127, 0, 0), (128, 0, 0), (0, 200, 9)]
    expected = LESION.copy()
    expected[0, 2:4] = True
    np.testing.assert_array_equal(read_painted_mask(save(tmp_path / "m.png", pixels)), expected)


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), DARK_BLUE])
def test_an_opaque_lesion_on_transparent_ground(tmp_path: Path, colour: tuple[int, ...]) -> None:
    pixels = np.zeros((*LESION.shape, 4), np.uint8)
    pixels[LESION] = (*colour, 255)
    np.testing.assert_array_equal(read_painted_mask(save(tmp_path / "m.png", pixels)), LESION)


@pytest.mark.parametrize("value", [1, 90, 255])
def test_a_painted_mask_may_be_grey_or_dark_or_opaque(tmp_path: Path, value: int) -> None:
    grey = LESION.astype(np.uint8) * value
    everywhere_opaque = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
    for number, pixels in enumerate((grey, np.dstack([0 * grey, 0 * grey, grey]), everywhere_opaque)):
        np.testing.assert_array_equal(read_painted_mask(save(tmp_path / f"{number}.png", pixels)), LESION)
    assert not read_painted_mask(save(tmp_path / "none.png", np.zeros((24, 32, 3), np.uint8))).any()
