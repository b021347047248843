from typing import Any

import pytest
from dicom_files import region
from pydicom.dataset import Dataset

from busight.data.readers.dicom_geometry import pixel_spacing_mm, ultrasound_region
from busight.types import Roi


def header(*regions: Dataset, **elements: Any) -> Dataset:
    made = Dataset()
    made.Rows, made.Columns = 32, 40
    made.SequenceOfUltrasoundRegions = list(regions)
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def test_one_region_by_hand() -> None:
    """Rows 2..21 and columns 4..33 inclusive; 0.02 cm down and 0.01 cm across are 0.2 and 0.1 mm."""
    made = header(region())
    assert ultrasound_region(made) == Roi(2, 4, 22, 34)
    assert pixel_spacing_mm(made) == pytest.approx((0.2, 0.1))


def test_the_union_of_two_views_and_nothing_else() -> None:
    right = region(RegionLocationMinX0=30, RegionLocationMaxX1=99)  # reaches beyond the 40 columns
    colour = region(RegionDataType=2, RegionLocationMinX0=0, RegionLocationMinY0=0)
    m_mode = region(RegionSpatialFormat=2, RegionLocationMaxY1=31, PhysicalDeltaX=0.5)
    assert ultrasound_region(header(region(), right, colour, m_mode)) == Roi(2, 4, 22, 40)


@pytest.mark.parametrize(
    "item",
    [
        region(RegionLocationMaxX1=3),
        region(RegionLocationMinX0=400, RegionLocationMaxX1=500),
        region(RegionLocationMinY0=None),
        region(RegionDataType=0),
    ],
)
def test_no_region(item: Dataset) -> None:
    assert ultrasound_region(header(item)) is None
    assert ultrasound_region(header()) is None


def test_spacing_of_an_axis_that_points_up() -> None:
    assert pixel_spacing_mm(header(region(PhysicalDeltaY=-0.02))) == pytest.approx((0.2, 0.1))


def test_regions_that_disagree_have_no_common_spacing() -> None:
    assert pixel_spacing_mm(header(region(), region(PhysicalDeltaX=0.0100001))) == pytest.approx((0.2, 0.1))
    assert pixel_spacing_mm(header(region(), region(PhysicalDeltaX=0.012))) is None


@pytest.mark.parametrize("changes", [{"PhysicalUnitsXDirection": 4}, {"PhysicalDeltaX": 0.0}, {"PhysicalDeltaY": None}])
def test_pixel_spacing_stands_in(changes: dict[str, Any]) -> None:
    assert pixel_spacing_mm(header(region(**changes))) is None
    assert pixel_spacing_mm(header(region(**changes), PixelSpacing=[0.3, 0.25])) == (0.3, 0.25)


@pytest.mark.parametrize("spacing", [[0, 0.2], [-0.1, 0.2], [0.1], None])
def test_a_pixel_spacing_that_says_nothing(spacing: Any) -> None:
    assert pixel_spacing_mm(header(PixelSpacing=spacing)) is None
