"""The lesions of a mask as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.io.csv_text import csv_text
from busight.types import Mask

COLUMNS = (
    "path",
    "frame",
    "image_file",
    "lesion",
    "area_px",
    "area_share",
    "area_mm2",
    "box_x",
    "box_y",
    "box_width",
    "box_height",
    "width_mm",
    "height_mm",
    "centre_x",
    "centre_y",
    "mean_prob",
    "rejected",
    "error",
)


@dataclass(frozen=True, slots=True)
class Lesion:
    """One connected region of a mask, in pixels of the file's frame.

    Attributes:
        area_px: Pixels.
        area_share: Share of the image, 0–1.
        box: Left, top, width, height.
        centre: Column and row of the centre of mass.
        mean_prob: Mean of the probabilities inside, 0–1; None where there are none.
    """

    area_px: int
    area_share: float
    box: tuple[int, int, int, int]
    centre: tuple[float, float]
    mean_prob: float | None


def lesions_of(mask: Mask, probs: NDArray[np.float32] | None, origin: tuple[int, int] = (0, 0)) -> list[Lesion]:
    """Return the connected regions of a mask, the largest first.

    Args:
        mask: bool HW.
        probs: float32 HW in 0–1, or None.
        origin: Row and column of the image's first pixel in the file's frame.
    """
    # Not scikit-image's regionprops: `busight segment` works without it.
    _, labels, stats, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    lesions = []
    for label, ((left, top, width, height, area), (column, row)) in enumerate(zip(stats, centres, strict=True)):
        if label == 0:  # the background
            continue
        lesions.append(
            Lesion(
                area_px=int(area),
                area_share=int(area) / mask.size,
                box=(int(left) + origin[1], int(top) + origin[0], int(width), int(height)),
                centre=(float(column) + origin[1], float(row) + origin[0]),
                mean_prob=None if probs is None else float(probs[labels == label].mean()),
            )
        )
    return sorted(lesions, key=lambda lesion: -lesion.area_px)


def lesion_rows(
    path: str, frame: int, image_file: str, lesions: list[Lesion], spacing_mm: tuple[float, float] | None
) -> list[dict[str, object]]:
    """Return a row for each lesion, with the keys of `COLUMNS`; one row with lesion 0 where there is none.

    Args:
        path: The file.
        frame: Index of its frame.
        image_file: Name of the image files of this frame.
        lesions: Lesions of `lesions_of`.
        spacing_mm: Row and column spacing where known.
    """
    empty: dict[str, object] = dict.fromkeys(COLUMNS, "")
    empty |= {"path": path, "frame": frame, "image_file": image_file, "lesion": 0}
    rows = []
    for number, lesion in enumerate(lesions, start=1):
        left, top, width, height = lesion.box
        row = empty | {"lesion": number, "area_px": lesion.area_px, "area_share": round(lesion.area_share, 6)}
        row |= {"box_x": left, "box_y": top, "box_width": width, "box_height": height}
        row |= {"centre_x": round(lesion.centre[0], 2), "centre_y": round(lesion.centre[1], 2)}
        row |= {"mean_prob": "" if lesion.mean_prob is None else round(lesion.mean_prob, 4)}
        if spacing_mm is not None:
            down, across = spacing_mm
            row |= {"area_mm2": round(lesion.area_px * down * across, 3)}
            row |= {"width_mm": round(width * across, 3), "height_mm": round(height * down, 3)}
        rows.append(row)
    return rows or [empty]


def error_row(path: str, frame: int, reason: str) -> dict[str, object]:
    """Return the row of a file or frame that could not be read."""
    return dict.fromkeys(COLUMNS, "") | {"path": path, "frame": frame, "error": reason}


def rejected_row(path: str, frame: int, reason: str) -> dict[str, object]:
    """Return the row of an image that the model rejects."""
    return dict.fromkeys(COLUMNS, "") | {"path": path, "frame": frame, "rejected": reason}


def lesion_lines(rows: list[dict[str, object]]) -> str:
    """Return rows as lines of CSV."""
    return csv_text([[row[name] for name in COLUMNS] for row in rows])
