from pathlib import Path

import numpy as np
import pytest
from picture_files import LESION, NOISE, save

from busight.data.image_spec import ImageSpec, spec_of
from busight.data.readers.files import FileReader
from busight.errors import ImageError
from busight.types import Sample


def sample(*masks: str) -> Sample:
    return Sample("a", "folder", None, "a.png", masks)


def test_masks_are_joined_by_or(tmp_path: Path) -> None:
    save(tmp_path / "a.png", NOISE)
    save(tmp_path / "m1.png", LESION)
    save(tmp_path / "m2.png", LESION.T[:24, :].repeat(2, axis=1)[:, :32])
    reader = FileReader(tmp_path)
    np.testing.assert_array_equal(reader.image(sample()), NOISE)
    assert reader.mask(sample()) is None
    first, second = reader.mask(sample("m1.png")), reader.mask(sample("m2.png"))
    joined = reader.mask(sample("m1.png", "m2.png"))
    assert (first & ~second).any()
    assert (second & ~first).any()
    np.testing.assert_array_equal(joined, first | second)
    assert joined.dtype == np.bool_


def test_masks_of_two_sizes_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "m1.png", LESION)
    save(tmp_path / "m2.png", LESION[:, :20])
    with pytest.raises(ImageError, match=r"m1.png: the masks of one image differ in size; export them again"):
        FileReader(tmp_path).mask(sample("m1.png", "m2.png"))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"a.png: cannot be reached"):
        FileReader(tmp_path).image(sample())
    with pytest.raises(ImageError, match=r"m.png: cannot be reached"):
        FileReader(tmp_path).mask(sample("m.png"))


def test_images_as_the_set_holds_them(tmp_path: Path) -> None:
    twelve = NOISE.astype(np.uint16) * 16
    save(tmp_path / "a.png", twelve)
    reader = FileReader(tmp_path)
    np.testing.assert_array_equal(reader.pixels(sample()), twelve)
    spec = spec_of([reader.pixels(sample())])
    assert spec == ImageSpec(bits=12)
    np.testing.assert_array_equal(FileReader(tmp_path, spec).image(sample()), np.rint(twelve / 4095 * 255))
    colour = np.stack([NOISE, NOISE.T[:24].repeat(2, axis=1)[:, :32], 255 - NOISE], axis=-1)
    save(tmp_path / "a.png", colour)
    assert spec_of([reader.pixels(sample())]) == ImageSpec(channels=3)
    np.testing.assert_array_equal(FileReader(tmp_path, ImageSpec(channels=3)).image(sample()), colour)
    assert reader.image(sample()).ndim == 2
