import numpy as np
import pytest
from skimage.filters import median as skimage_median

from busight.errors import ConfigError
from busight.preprocess.enhance.denoise.median import median


def test_by_hand() -> None:
    image = np.zeros((16, 16), dtype=np.uint8)
    image[4, 4] = 255  # a single bright pixel is gone
    image[8:11, 8:11] = 90  # of a 3×3 square the corners go: 4 of 9 pixels around them are bright
    expected = np.zeros_like(image)
    expected[8:11, 8:11] = [[0, 90, 0], [90, 90, 90], [0, 90, 0]]
    np.testing.assert_array_equal(median(image, 3), expected)


@pytest.mark.parametrize("size", [3, 5, 9, 31])
@pytest.mark.parametrize("shape", [(16, 16), (33, 47)])
def test_agrees_with_scikit_image(size: int, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(size).integers(0, 256, shape, dtype=np.uint8)
    reference = skimage_median(image, np.ones((size, size)), mode="nearest", behavior="ndimage")
    np.testing.assert_array_equal(median(image, size), reference)


@pytest.mark.parametrize("size", [-3, 0, 1, 2, 4, 33])
def test_sizes_that_cannot_be(size: int) -> None:
    with pytest.raises(ConfigError, match=f"median: size {size} must be odd, 3–31 pixels"):
        median(np.zeros((16, 16), dtype=np.uint8), size)
