"""Correlation of two images after affine alignment: whether they show the same pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.types import Image

CONFIRMED = 0.96
"""Aligned correlation from which two images count as near-duplicates. On BUSI the pairs just above are neighbouring
views of one lesion; of 553 candidates with one image mirrored, which are no near-duplicates, none exceeds 0.944."""

_SCALES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)
_COARSE, _MIDDLE = 32, 48
_HOPELESS, _UNLIKELY = 0.8, 0.92
"""Least correlation after each stage, at which blurring has raised it; a pair below is abandoned. BUSI's
near-duplicates have at least 0.87 and 0.94; nine candidates in ten end here, which makes the search four times as fast
as at full size throughout."""
_LEAST_OVERLAP = 0.45
"""Least overlap, as a share of the image's area; the smallest scale searched, 0.7, leaves 0.49."""

_Picture = NDArray[np.float32]
_Warp = NDArray[np.float32]
"""float32 (2, 3): where a pixel of the crop lies in the whole image."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """The alignment of one image to another.

    Attributes:
        correlation: After alignment, −1–1; 0 where an image is uniform.
        warp: float32 (2, 3): where a pixel (x, y) of the second lies in the first, in pixels of the size that was
            compared. None where the alignment was abandoned.
    """

    correlation: float
    warp: NDArray[np.float32] | None


def aligned_correlation(first: Image, second: Image) -> float:
    """Return the correlation of two images after the best affine alignment, −1–1; see `align`."""
    return align(first, second).correlation


def align(first: Image, second: Image) -> Alignment:
    """Align one image to another.

    A template search over scales and positions, in shrunk images, gives the place of one image within the other; the
    enhanced correlation coefficient is then maximised over affine maps, first at half size, then in full. A pair whose
    correlation stays too low at a stage is abandoned, and the correlation so far returned. Pixels that do not overlap
    are left out, but half of an image must overlap.

    Args:
        first: uint8 (S, S), as `make_thumbnail` makes them.
        second: uint8 (S, S).

    Source: Evangelidis and Psarakis, "Parametric image alignment using enhanced correlation coefficient maximization",
        2008, as in OpenCV.
    """
    a, b = first.astype(np.float32), second.astype(np.float32)
    if not (a.std() > 0 and b.std() > 0):
        return Alignment(0.0, None)
    coarse, start, swapped = _found_place(_shrunk(a, _COARSE), _shrunk(b, _COARSE))
    if coarse < _HOPELESS:
        return Alignment(coarse, None)
    whole, part = (b, a) if swapped else (a, b)
    middle, warp = _refined(_shrunk(whole, _MIDDLE), _shrunk(part, _MIDDLE), _enlarged(start, _COARSE, _MIDDLE), 20)
    if middle < _UNLIKELY:
        return Alignment(max(middle, 0.0), None)
    near = _enlarged(warp, _MIDDLE, len(part))
    # At half size the alignment may have converged to the wrong place, or taken the wrong image for the crop: a thin
    # rim decides that.
    tries = (
        (whole, part, near, swapped),
        (part, whole, _inverse(near), not swapped),
        (whole, part, _enlarged(start, _COARSE, len(part)), swapped),
    )
    best = Alignment(0.0, None)
    for of, one, begin, turned in tries:
        correlation, found = _refined(of, one, begin, 40)
        if correlation > best.correlation:
            best = Alignment(correlation, _inverse(found) if turned else found)
        if best.correlation >= CONFIRMED:
            break
    return best


def warp_to(first: Image, second: Image, alignment: Alignment, compared: int) -> Image:
    """Return the first image aligned to the second: uint8 of the second's size, black outside.

    Args:
        first: uint8 HW, in full.
        second: uint8 HW, in full.
        alignment: The alignment of their thumbnails.
        compared: Side of the thumbnails in pixels.
    """
    height, width = second.shape
    if alignment.warp is None:
        return np.asarray(cv2.resize(first, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    to_small, from_small = _scaling(second, compared), _inverse(_scaling(first, compared))
    warp = (_square(from_small) @ _square(alignment.warp) @ _square(to_small))[:2]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(first, warp, (width, height), flags=flags), dtype=np.uint8)


def _scaling(image: Image, side: int) -> _Warp:
    """Return the map from an image's pixels to those of its thumbnail; centres lie half a pixel in."""
    down, across = side / image.shape[0], side / image.shape[1]
    return np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2]], dtype=np.float32)


def _square(warp: _Warp) -> NDArray[np.float64]:
    return np.vstack([warp, [0, 0, 1]]).astype(np.float64)


def _inverse(warp: _Warp) -> _Warp:
    return np.asarray(cv2.invertAffineTransform(warp), dtype=np.float32)


def _shrunk(picture: _Picture, side: int) -> _Picture:
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), dtype=np.float32)


def _enlarged(warp: _Warp, side: int, wanted: int) -> _Warp:
    """Express a warp between images of one size in pixels of another size, whose centres lie half a pixel in."""
    ratio = wanted / side
    shift = ratio * warp[:, 2] + (ratio - 1) / 2 * (1 - warp[:, :2].sum(axis=1))
    return np.column_stack([warp[:, :2], shift]).astype(np.float32)


def _found_place(a: _Picture, b: _Picture) -> tuple[float, _Warp, bool]:
    """Return the greatest correlation of a shrunk image within the other, the warp there, and whether a lies in b."""
    best, warp, within = -1.0, np.eye(2, 3, dtype=np.float32), False
    for whole, part, swapped in ((a, b, False), (b, a, True)):
        padded = cv2.copyMakeBorder(whole, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        for scale in _SCALES:
            template = _shrunk(part, round(len(part) * scale))
            _, found, _, place = cv2.minMaxLoc(cv2.matchTemplate(padded, template, cv2.TM_CCOEFF_NORMED))
            if found > best:
                warp = np.array([[scale, 0, place[0] - 1], [0, scale, place[1] - 1]], dtype=np.float32)
                best, within = float(found), swapped
    return best, warp, within


def _refined(whole: _Picture, part: _Picture, start: _Warp, steps: int) -> tuple[float, _Warp]:
    """Maximise the correlation; −1 where it does not converge or too little of the two overlaps."""
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, steps, 1e-4)
    everywhere = np.ones(part.shape, np.uint8)
    try:
        correlation, found = cv2.findTransformECC(part, whole, start.copy(), cv2.MOTION_AFFINE, stop, everywhere, 3)
    except cv2.error:
        return -1.0, start
    # A map that shrinks the part to a spot would correlate with any image.
    warp = np.asarray(found, dtype=np.float32)
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    inside = np.asarray(cv2.warpAffine(np.ones_like(whole), warp, (len(whole), len(whole)), flags=flags))
    overlap = min(float(inside.mean()), abs(float(np.linalg.det(warp[:, :2]))))
    return (float(correlation), warp) if overlap >= _LEAST_OVERLAP else (-1.0, start)
