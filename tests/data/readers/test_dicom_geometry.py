import math
from typing import Any

import numpy as np
import pytest
from dicom_files import region
from pydicom.dataset import Dataset

from busight.data.readers.dicom_geometry import FrameGeometry, frame_geometry
from busight.types import Roi


def header(*regions: Dataset, **elements: Any) -> Dataset:
    made = Dataset()
    if regions:
        made.SequenceOfUltrasoundRegions = list(regions)
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def geometry(made: Dataset, index: int = 0) -> FrameGeometry:
    return frame_geometry(made, index, 32, 40, [])


def warnings_of(made: Dataset) -> list[str]:
    told: list[str] = []
    frame_geometry(made, 0, 32, 40, told)
    return told


def measures(*spacing: float) -> Dataset:
    """An item of functional groups with Pixel Measures."""
    return header(PixelMeasuresSequence=[header(PixelSpacing=list(spacing))])


def test_one_region_by_hand() -> None:
    """Rows 2..21 and columns 4..33 inclusive; 0.02 cm down and 0.01 cm across are 0.2 and 0.1 mm."""
    made = geometry(header(region(PhysicalDeltaY=0.02)))
    assert made.region == Roi(2, 4, 22, 34)
    assert made.stored_spacing_mm == pytest.approx((0.2, 0.1))
    assert made.aspect == pytest.approx(2)


def test_the_union_of_two_views_and_nothing_else() -> None:
    right = region(RegionLocationMinX0=20, RegionLocationMaxX1=99)  # reaches beyond the 40 columns
    colour = region(RegionDataType=2, RegionLocationMinX0=0, RegionLocationMinY0=0)
    m_mode = region(RegionSpatialFormat=2, RegionLocationMaxY1=31, PhysicalDeltaX=0.5)
    assert geometry(header(region(), right, colour, m_mode)).region == Roi(2, 4, 22, 40)


@pytest.mark.parametrize(
    ("item", "size"),
    [
        (region(RegionLocationMaxX1=3), "0×20"),
        (region(RegionLocationMinX0=400, RegionLocationMaxX1=500), "0×20"),
        (region(RegionLocationMinY0=None), "0×0"),
        (region(RegionLocationMinX0=0, RegionLocationMinY0=0, RegionLocationMaxX1=0, RegionLocationMaxY1=0), "1×1"),
        (region(RegionLocationMaxX1=13), "10×20"),
    ],
)
def test_a_region_that_is_no_image_costs_nothing_but_itself(item: Dataset, size: str) -> None:
    told = f"an ultrasound region of {size} pixels was ignored, with its calibration"
    assert geometry(header(item)) == FrameGeometry()
    assert warnings_of(header(item)) == [told]
    assert geometry(header(item, region())) == geometry(header(region()))
    assert warnings_of(header(item, region())) == [told]


def test_no_region() -> None:
    assert geometry(header(region(RegionDataType=0))) == geometry(header()) == FrameGeometry()
    assert warnings_of(header(region(RegionDataType=0))) == []
    assert geometry(header(SequenceOfUltrasoundRegions=[])) == FrameGeometry()


def test_spacing_of_an_axis_that_points_up() -> None:
    assert geometry(header(region(PhysicalDeltaY=-0.02))).stored_spacing_mm == pytest.approx((0.2, 0.1))


def test_regions_that_disagree_have_no_common_spacing() -> None:
    alike = header(region(), region(PhysicalDeltaX=0.0100001))
    assert geometry(alike).stored_spacing_mm == pytest.approx((0.1, 0.1))
    apart = header(region(), region(PhysicalDeltaX=0.02, PhysicalDeltaY=0.02))
    assert (geometry(apart).stored_spacing_mm, geometry(apart).aspect) == (None, 1)
    assert warnings_of(apart) == ["its ultrasound regions differ in pixel spacing, so it has none"]
    stretched = header(region(PhysicalDeltaY=0.03), region(PhysicalDeltaX=0.02, PhysicalDeltaY=0.06))
    assert (geometry(stretched).stored_spacing_mm, geometry(stretched).aspect) == (None, pytest.approx(3))
    assert "taken as square" in warnings_of(header(region(), region(PhysicalDeltaY=0.03)))[1]
    for other in (region(PhysicalUnitsXDirection=0, PhysicalUnitsYDirection=0), region(PhysicalDeltaX=0)):
        for pair in ([region(), other], [other, region()]):
            assert geometry(header(*pair)).stored_spacing_mm is None
            assert "not all of its ultrasound regions state a pixel spacing, so it has none" in warnings_of(
                header(*pair)
            )


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        ({"PhysicalUnitsXDirection": 4}, False),
        ({"PhysicalDeltaX": 0.0}, True),
        ({"PhysicalDeltaX": math.nan}, True),
        ({"PhysicalDeltaY": -math.inf}, True),
        ({"PhysicalDeltaY": None}, True),
    ],
)
def test_pixel_spacing_stands_in(changes: dict[str, Any], is_told: bool) -> None:
    told = "PhysicalDeltaX and PhysicalDeltaY of an ultrasound region are not two finite numbers other than 0"
    assert geometry(header(region(**changes))).stored_spacing_mm is None
    assert geometry(header(region(**changes), PixelSpacing=[0.3, 0.25])).stored_spacing_mm == (0.3, 0.25)
    assert warnings_of(header(region(**changes))) == [told] * is_told


@pytest.mark.parametrize("spacing", [[0, 0.2], [-0.1, 0.2], [0.1], [0.1, 0.1, 0.1]])
def test_a_pixel_spacing_that_says_nothing(spacing: Any) -> None:
    assert geometry(header(PixelSpacing=spacing)) == FrameGeometry()
    assert warnings_of(header(PixelSpacing=spacing)) == ["PixelSpacing is not two positive numbers and was ignored"]
    assert geometry(header(PixelSpacing=None)) == FrameGeometry()


@pytest.mark.parametrize("side", [1e-4, 30.0, 1e300, 1e-320])
def test_a_spacing_that_no_machine_has(side: float) -> None:
    for made in (header(PixelSpacing=[side, side]), header(region(PhysicalDeltaX=side / 10, PhysicalDeltaY=side / 10))):
        assert geometry(made).stored_spacing_mm is None
        assert geometry(made).aspect == pytest.approx(1)
        (told,) = warnings_of(made)
        assert told.endswith("mm is not believable and was ignored; 0.001 to 10 mm are")


def test_pixel_measures_of_all_frames_and_of_each() -> None:
    """Enhanced US: a frame's own measures before those of all frames, and both before the header."""
    made = header(
        PixelSpacing=[0.5, 0.5],
        SharedFunctionalGroupsSequence=[measures(0.2, 0.2)],
        PerFrameFunctionalGroupsSequence=[measures(0.1, 0.1), header()],
    )
    assert [geometry(made, index).stored_spacing_mm for index in range(3)] == [(0.1, 0.1), (0.2, 0.2), (0.2, 0.2)]
    del made.SharedFunctionalGroupsSequence
    assert geometry(made, 1).stored_spacing_mm == (0.5, 0.5)


def test_the_region_of_each_frame() -> None:
    small = region(RegionLocationMaxX1=29, PhysicalDeltaX=0.02, PhysicalDeltaY=0.02)
    made = header(region(), PerFrameFunctionalGroupsSequence=[header(), header(small)])
    first, second = geometry(made, 0), geometry(made, 1)
    assert (first.region, first.stored_spacing_mm) == (Roi(2, 4, 22, 34), pytest.approx((0.1, 0.1)))
    assert (second.region, second.stored_spacing_mm) == (Roi(2, 4, 22, 30), pytest.approx((0.2, 0.2)))


@pytest.mark.parametrize(
    ("elements", "aspect", "size"),
    [
        ({"PixelSpacing": [0.3, 0.1]}, 3, (96, 40)),
        ({"PixelSpacing": [0.1, 0.25]}, 0.4, (32, 100)),
        ({"PixelAspectRatio": [3, 1]}, 3, (96, 40)),
        ({"PixelAspectRatio": [4, 3], "PixelSpacing": [0.2, 0.2]}, 1, (32, 40)),
        ({"PixelSpacing": [0.1, 0.1015]}, 0.1 / 0.1015, (32, 40)),
    ],
)
def test_pixels_that_are_not_square(elements: dict[str, Any], aspect: float, size: tuple[int, int]) -> None:
    """PS3.3 C.7.6.3.1.7: PixelAspectRatio is vertical\\horizontal size; it counts where no spacing is stated."""
    made = geometry(header(**elements))
    assert made.aspect == pytest.approx(aspect)
    assert made.square_size(32, 40) == size
    assert made.read(np.zeros((32, 40, 3), np.uint8)).shape == (*size, 3)
    assert made.scale(32, 40) == (size[0] / 32, size[1] / 40)
    if made.stored_spacing_mm is not None:
        down, right = made.pixel_spacing_mm(32, 40) or (0, 0)
        assert down == pytest.approx(right, rel=0.02)


@pytest.mark.parametrize("elements", [{"PixelSpacing": [3, 0.1]}, {"PixelAspectRatio": [1, 100]}])
def test_a_shape_that_no_machine_makes(elements: dict[str, Any]) -> None:
    assert geometry(header(**elements)) == FrameGeometry()
    assert "are not believable, spacing and shape were ignored" in warnings_of(header(**elements))[0]
    assert "not two positive numbers" in warnings_of(header(PixelAspectRatio=[0, 1]))[0]


def test_the_region_is_cut_before_its_pixels_are_made_square() -> None:
    made = geometry(header(region(PhysicalDeltaY=0.02)))
    rows = np.repeat(np.arange(32, dtype=np.uint8)[:, None] * 8, 40, axis=1)
    shown = made.read(rows)
    assert shown.shape == (40, 30)
    # Row 2 of the frame is the first: each stored row covers two, interpolated linearly between centres.
    np.testing.assert_array_equal(shown[:4, 0], [16, 18, 22, 26])
