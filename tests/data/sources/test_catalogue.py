"""One contract for all sources, and the catalogue that names them."""

from pathlib import Path

import numpy as np
import pytest
from dicom_files import RAMP, region, write_dicom
from picture_files import LESION, NOISE, breastmnist_arrays, npz_bytes, picture, save, small_busbra, small_busi
from published_sets import small_breast, small_buid, small_bus_uc, small_bus_uclm, small_oasbud, small_udiat

from busight.data.dataset import DataSet
from busight.data.sources.catalogue import SOURCES, load_data
from busight.errors import ConfigError


def written_spec(case: str, folder: Path) -> str:
    """Write a small data set of each kind and return its spec."""
    match case:
        case "busi":
            return f"busi:{small_busi(folder)}"
        case "busbra":
            return f"busbra:{small_busbra(folder)}"
        case "breast":
            return f"breast:{small_breast(folder)}"
        case "bus_uclm":
            return f"bus_uclm:{small_bus_uclm(folder)}"
        case "bus_uc":
            return f"bus_uc:{small_bus_uc(folder)}"
        case "oasbud":
            return f"oasbud:{small_oasbud(folder)}"
        case "buid":
            return f"buid:{small_buid(folder)}"
        case "udiat":
            return f"udiat:{small_udiat(folder)}"
        case "breastmnist":
            (folder / "breastmnist.npz").write_bytes(npz_bytes(breastmnist_arrays()))
            return f"breastmnist:{folder / 'breastmnist.npz'}"
        case "dicom":
            write_dicom(folder / "still.dcm", RAMP[None], PatientID="A", SequenceOfUltrasoundRegions=[region()])
            write_dicom(folder / "cine.dcm", np.stack([RAMP, 255 - RAMP]), PatientID="B")
            return f"dicom:{folder}"
        case "phantom":
            return "phantom:6,size=64,duplicates=0.2"
        case "folder":
            save(folder / "benign" / "a.png", NOISE)
            save(folder / "benign" / "a_mask.png", LESION)
            save(folder / "normal" / "b.png", picture(1))
        case "table":
            save(folder / "a.png", NOISE)
            save(folder / "m.png", LESION)
            (folder / "samples.csv").write_text("path,label,mask\na.png,,m.png\n")
    return f"folder:{folder}"


CASES = [*SOURCES, "table"]


@pytest.fixture(params=CASES)
def data(request: pytest.FixtureRequest, tmp_path: Path) -> DataSet:
    return load_data(written_spec(request.param, tmp_path))


def test_samples_are_unique_and_known(data: DataSet) -> None:
    ids = [sample.sample_id for sample in data.samples]
    assert ids
    assert len(set(ids)) == len(ids)
    for sample in data.samples:
        assert sample.source == data.name
        assert sample.label is None or isinstance(sample.label, str)
        assert sample.laterality in ("left", "right", None)
        assert sample.birads is None or 0 <= sample.birads <= 6
        assert not Path(sample.image_path).is_absolute()
    assert data.spec.startswith(f"{data.name}:")


def test_images_and_masks_have_the_promised_form(data: DataSet) -> None:
    for sample in data.samples:
        image, mask = data.reader.image(sample), data.reader.mask(sample)
        assert (image.dtype, image.ndim) == (np.uint8, 2)
        if mask is not None:
            assert (mask.dtype, mask.shape) == (np.bool_, image.shape)
        if sample.region is not None:
            # The reader cuts the picture to its region.
            assert image.shape == (sample.region.height, sample.region.width)


def test_reading_twice_gives_the_same_whatever_was_done_between(data: DataSet) -> None:
    for sample in data.samples:
        image, mask = data.reader.image(sample), data.reader.mask(sample)
        pixels, marks = image.tobytes(), None if mask is None else mask.tobytes()
        image[:] = 0
        if mask is not None:
            mask[:] = False
        assert data.reader.image(sample).tobytes() == pixels
        again = data.reader.mask(sample)
        assert (None if again is None else again.tobytes()) == marks


def test_loading_twice_gives_the_same(data: DataSet) -> None:
    again = load_data(data.spec)
    assert (again.samples, again.problems) == (data.samples, data.problems)


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ("bus:PATH", "'bus' is not a source; did you mean busi:PATH"),
        ("phantoms:5", "'phantoms' is not a source; did you mean phantom:N"),
        ("dataset.zip", "'dataset.zip' is not a source; write one of busi:PATH, busbra:PATH"),
        ("busi", "did you mean busi:PATH"),
        ("", "'' is not a source; write one of busi:PATH"),
    ],
)
def test_specs_that_name_no_source(spec: str, rule: str) -> None:
    with pytest.raises(ConfigError, match=rule):
        load_data(spec)
