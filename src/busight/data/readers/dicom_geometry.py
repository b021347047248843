"""Ultrasound region and pixel spacing of a DICOM object."""

from __future__ import annotations

import math
from collections.abc import MutableSequence
from typing import TYPE_CHECKING

from busight.types import Roi

if TYPE_CHECKING:
    from pydicom import Dataset

# PS3.3 section C.8.5.5: the codes of a region that shows tissue in two dimensions, and of a unit in centimetres.
_FORMAT_2D = 1
_DATA_TISSUE = 1
_UNITS_CM = 3

_SPACING_TOLERANCE = 0.01
"""Regions whose spacings differ by less than one percent count as equal: devices round them to text."""


def ultrasound_region(header: Dataset) -> Roi | None:
    """Return the smallest box around every two-dimensional tissue region, clipped to the image.

    An image with two views side by side has two such regions; their union is taken because a lesion may be in either.

    Args:
        header: The object's elements; Rows, Columns and Sequence of Ultrasound Regions are read.

    Returns:
        The box, or None where no tissue region is stated or none overlaps the image.

    Source:
        DICOM PS3.3 section C.8.5.5 (US Region Calibration): X0, Y0, X1, Y1 name the first and the last pixel, so one is
        added for the half-open box.
    """
    rows, columns = int(header.Rows), int(header.Columns)
    boxes = [_box(item, rows, columns) for item in _tissue_regions(header)]
    regions = [box for box in boxes if box.height > 0 and box.width > 0]
    if not regions:
        return None
    return Roi(
        min(box.top for box in regions),
        min(box.left for box in regions),
        max(box.bottom for box in regions),
        max(box.right for box in regions),
    )


def pixel_spacing_mm(header: Dataset) -> tuple[float, float] | None:
    """Return the row and column distance between pixel centres in millimetres.

    The tissue regions' own calibration comes first, Pixel Spacing (0028,0030) second.

    Args:
        header: The object's elements.

    Returns:
        (between rows, between columns), both positive; None where it is not stated, not in centimetres, not a positive
        number, or where regions disagree, because then no single spacing is true of the image.

    Source:
        DICOM PS3.3 section C.8.5.5 (Physical Units, Physical Delta) and section 10.7.1.3 (Pixel Spacing: rows first).
    """
    regions = _tissue_regions(header)
    spacings = [spacing for item in regions if (spacing := _calibration_mm(item)) is not None]
    if spacings:
        agree = all(
            math.isclose(one, first, rel_tol=_SPACING_TOLERANCE)
            for spacing in spacings
            for one, first in zip(spacing, spacings[0], strict=True)
        )
        return spacings[0] if agree else None
    stated = header.get("PixelSpacing")
    is_pair = isinstance(stated, MutableSequence) and len(stated) == 2  # pydicom gives a lone value as a plain number
    return _positive(stated[0], stated[1]) if is_pair else None


def _tissue_regions(header: Dataset) -> list[Dataset]:
    return [
        item
        for item in header.get("SequenceOfUltrasoundRegions") or ()
        if item.get("RegionSpatialFormat") == _FORMAT_2D and item.get("RegionDataType") == _DATA_TISSUE
    ]


def _box(item: Dataset, rows: int, columns: int) -> Roi:
    """The region's box clipped to the image; empty where an edge is missing or nothing overlaps."""
    edges = [item.get(f"RegionLocation{name}") for name in ("MinY0", "MinX0", "MaxY1", "MaxX1")]
    if any(edge is None for edge in edges):
        return Roi(0, 0, 0, 0)
    top, left, last_row, last_column = (int(edge) for edge in edges)
    return Roi(max(top, 0), max(left, 0), min(last_row + 1, rows), min(last_column + 1, columns))


def _calibration_mm(item: Dataset) -> tuple[float, float] | None:
    if item.get("PhysicalUnitsXDirection") != _UNITS_CM or item.get("PhysicalUnitsYDirection") != _UNITS_CM:
        return None
    down, right = item.get("PhysicalDeltaY"), item.get("PhysicalDeltaX")
    # A delta is negative where the axis of the physical scale points up or left.
    return None if down is None or right is None else _positive(abs(down) * 10, abs(right) * 10)


def _positive(down: float, right: float) -> tuple[float, float] | None:
    spacing = float(down), float(right)
    return spacing if all(math.isfinite(value) and value > 0 for value in spacing) else None
