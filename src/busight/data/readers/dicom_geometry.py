"""Ultrasound region, pixel spacing and shape of the pixels of each frame of a DICOM object."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.data.readers.dicom_elements import element, numbers
from busight.data.readers.source import DAMAGE, LEAST_SPACING_MM, MIN_SIDE, MOST_SPACING_MM
from busight.types import Roi

if TYPE_CHECKING:
    from pydicom import Dataset

# PS3.3 section C.8.5.5: the codes of a region that shows tissue in two dimensions, and of a unit in centimetres.
_FORMAT_2D = 1
_DATA_TISSUE = 1
_UNITS_CM = 3

_SPACING_TOLERANCE = 0.01
"""Regions whose spacings differ by less than one percent count as equal: devices round them to text."""

_SQUARE_TOLERANCE = 0.02
"""Pixels whose sides differ by less than two percent count as square: of a lesion of 50 pixels this is one."""

_MAX_ASPECT = 10.0
"""Sides of a pixel differ by at most this factor; more is a slip in the header, and no machine's image."""


@dataclass(frozen=True, slots=True)
class FrameGeometry:
    """Where a frame's image is, and how large its pixels are.

    Attributes:
        region: The part of the frame that shows tissue in two dimensions; None where none is stated.
        stored_spacing_mm: Distance between rows and between columns as stored, or None.
        aspect: Height of a stored pixel divided by its width; 1 where nothing else is stated.
    """

    region: Roi | None = None
    stored_spacing_mm: tuple[float, float] | None = None
    aspect: float = 1.0

    def square_size(self, rows: int, columns: int) -> tuple[int, int]:
        """Return rows and columns after resampling to square pixels, of the smaller side of the stored ones."""
        if 1 - _SQUARE_TOLERANCE <= self.aspect <= 1 + _SQUARE_TOLERANCE:
            return rows, columns
        return round(rows * max(self.aspect, 1.0)), round(columns * max(1 / self.aspect, 1.0))

    def scale(self, rows: int, columns: int) -> tuple[float, float]:
        """Return rows and columns of the image as read for each stored one.

        Args:
            rows: Rows of the frame.
            columns: Columns of the frame.
        """
        stored = (rows, columns) if self.region is None else (self.region.height, self.region.width)
        read = self.square_size(*stored)
        return read[0] / stored[0], read[1] / stored[1]

    def pixel_spacing_mm(self, rows: int, columns: int) -> tuple[float, float] | None:
        """Return the distance between rows and between columns of the image as read, or None.

        Args:
            rows: Rows of the frame.
            columns: Columns of the frame.
        """
        if self.stored_spacing_mm is None:
            return None
        (down, right), (scale_down, scale_right) = self.stored_spacing_mm, self.scale(rows, columns)
        return down / scale_down, right / scale_right

    def read(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return the region of a frame, HW or HWC, with square pixels, interpolated linearly."""
        cut = pixels if self.region is None else self.region.cut(pixels)
        rows, columns = self.square_size(*cut.shape[:2])
        if (rows, columns) == cut.shape[:2]:
            return cut
        return cv2.resize(np.ascontiguousarray(cut), (columns, rows), interpolation=cv2.INTER_LINEAR)


def frame_geometry(header: Dataset, index: int, rows: int, columns: int, warnings: list[str]) -> FrameGeometry:
    """Return the geometry of one frame: by its own functional groups, else those of all frames, else the header.

    Args:
        header: The object's elements.
        index: The frame, from 0.
        rows: Rows of a frame.
        columns: Columns of a frame.
        warnings: What was ignored is added to it.

    Source:
        DICOM PS3.3 sections C.7.6.16 (functional groups; C.7.6.16.2.1, Pixel Measures), C.8.5.5 (US Region Calibration)
        and C.7.6.3.1.7 (Pixel Aspect Ratio).
    """
    holders = [
        *_items(header, "PerFrameFunctionalGroupsSequence", warnings)[index : index + 1],
        *_items(header, "SharedFunctionalGroupsSequence", warnings)[:1],
        header,
    ]
    regions: list[tuple[Dataset, Roi]] = []
    for holder in holders:
        if "SequenceOfUltrasoundRegions" in holder:
            regions = _tissue_regions(holder, rows, columns, warnings)
            break
    calibrations = [_calibration_mm(item, warnings) for item, _ in regions]
    spacings = [spacing for spacing in calibrations if spacing is not None]
    spacing = _agreed(calibrations, warnings) if spacings else _stated_spacing_mm(holders, warnings)
    aspect = _aspect(spacing, spacings, header, warnings)
    if not 1 / _MAX_ASPECT <= aspect <= _MAX_ASPECT:
        warnings.append(f"pixels {aspect:.3g} times as high as wide are not believable, spacing and shape were ignored")
        spacing, aspect = None, 1.0
    if spacing is not None and not all(LEAST_SPACING_MM <= side <= MOST_SPACING_MM for side in spacing):
        warnings.append(
            f"a pixel spacing of {spacing[0]:.3g} × {spacing[1]:.3g} mm is not believable and was ignored; "
            f"{LEAST_SPACING_MM:g} to {MOST_SPACING_MM:g} mm are"
        )
        spacing = None
    return FrameGeometry(_union([box for _, box in regions]), spacing, aspect)


def has_frame_geometry(header: Dataset) -> bool:
    """Return whether frames have a geometry of their own."""
    return "PerFrameFunctionalGroupsSequence" in header


def _items(header: Dataset, keyword: str, warnings: list[str]) -> list[Dataset]:
    """Return the items of a sequence, none where it is missing or is none."""
    from pydicom import Dataset

    value = element(header, keyword, warnings)
    try:
        items = list(value or ())
    except DAMAGE:
        return []
    return items if all(isinstance(item, Dataset) for item in items) else []


def _tissue_regions(holder: Dataset, rows: int, columns: int, warnings: list[str]) -> list[tuple[Dataset, Roi]]:
    """Return the regions of tissue in two dimensions, with their boxes clipped to the image, that an image can be."""
    kept = []
    for item in _items(holder, "SequenceOfUltrasoundRegions", warnings):
        codes = [numbers(item, keyword, warnings) for keyword in ("RegionSpatialFormat", "RegionDataType")]
        if codes != [(_FORMAT_2D,), (_DATA_TISSUE,)]:
            continue
        box = _box(item, rows, columns, warnings)
        if min(box.height, box.width) < MIN_SIDE:
            size = f"{max(box.width, 0)}×{max(box.height, 0)}"
            warnings.append(f"an ultrasound region of {size} pixels was ignored, with its calibration")
        else:
            kept.append((item, box))
    return kept


def _union(boxes: list[Roi]) -> Roi | None:
    """Return the smallest box around all: two views side by side are both shown, as a lesion may be in either."""
    if not boxes:
        return None
    return Roi(
        min(box.top for box in boxes),
        min(box.left for box in boxes),
        max(box.bottom for box in boxes),
        max(box.right for box in boxes),
    )


def _box(item: Dataset, rows: int, columns: int, warnings: list[str]) -> Roi:
    """The region's box clipped to the image; empty where an edge is missing or nothing overlaps.

    X0, Y0, X1, Y1 name the first and the last pixel, so one is added for the half-open box.
    """
    edges = [numbers(item, f"RegionLocation{name}", warnings) for name in ("MinY0", "MinX0", "MaxY1", "MaxX1")]
    if not all(edges):
        return Roi(0, 0, 0, 0)
    top, left, last_row, last_column = (int(edge[0]) for edge in edges)
    return Roi(max(top, 0), max(left, 0), min(last_row + 1, rows), min(last_column + 1, columns))


def _calibration_mm(item: Dataset, warnings: list[str]) -> tuple[float, float] | None:
    units = [numbers(item, f"PhysicalUnits{axis}Direction", warnings) for axis in "XY"]
    if units != [(_UNITS_CM,)] * 2:
        return None
    down, right = (numbers(item, f"PhysicalDelta{axis}", warnings) for axis in "YX")
    # A delta is negative where the axis of the physical scale points up or left.
    if down and right and (spacing := _positive(abs(down[0]) * 10, abs(right[0]) * 10)) is not None:
        return spacing
    warnings.append("PhysicalDeltaX and PhysicalDeltaY of an ultrasound region are not two finite numbers other than 0")
    return None


def _agreed(calibrations: list[tuple[float, float] | None], warnings: list[str]) -> tuple[float, float] | None:
    """Return the spacing of all regions; None where they differ or one has none: then none is true of the image."""
    spacings = [spacing for spacing in calibrations if spacing is not None]
    if len(spacings) < len(calibrations):
        warnings.append("not all of its ultrasound regions state a pixel spacing, so it has none")
        return None
    first = spacings[0]
    if all(
        math.isclose(one, other, rel_tol=_SPACING_TOLERANCE)
        for spacing in spacings
        for one, other in zip(spacing, first, strict=True)
    ):
        return first
    warnings.append("its ultrasound regions differ in pixel spacing, so it has none")
    return None


def _stated_spacing_mm(holders: list[Dataset], warnings: list[str]) -> tuple[float, float] | None:
    """Return the first Pixel Spacing of the functional groups (Pixel Measures) or of the header; rows come first."""
    for holder in holders:
        for measures in (*_items(holder, "PixelMeasuresSequence", warnings)[:1], holder):
            stated = numbers(measures, "PixelSpacing", warnings)
            if not stated:
                continue
            if len(stated) == 2 and (spacing := _positive(*stated)) is not None:
                return spacing
            warnings.append("PixelSpacing is not two positive numbers and was ignored")
    return None


def _aspect(
    spacing: tuple[float, float] | None,
    region_spacings: list[tuple[float, float]],
    header: Dataset,
    warnings: list[str],
) -> float:
    if spacing is not None:
        return spacing[0] / spacing[1]
    if region_spacings:  # regions that differ may still have pixels of one shape
        aspects = [down / right for down, right in region_spacings]
        if all(math.isclose(one, aspects[0], rel_tol=_SQUARE_TOLERANCE) for one in aspects):
            return aspects[0]
        warnings.append("its ultrasound regions differ in the shape of their pixels, taken as square")
        return 1.0
    stated = numbers(header, "PixelAspectRatio", warnings)
    if not stated:
        return 1.0
    if len(stated) == 2 and (ratio := _positive(*stated)) is not None:
        return ratio[0] / ratio[1]
    warnings.append("PixelAspectRatio is not two positive numbers and was ignored")
    return 1.0


def _positive(down: float, right: float) -> tuple[float, float] | None:
    spacing = float(down), float(right)
    return spacing if all(math.isfinite(value) and value > 0 for value in spacing) else None
