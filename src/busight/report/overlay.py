"""The image with the predicted outline drawn on it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from busight.io.atomic import write_bytes
from busight.types import Image, Mask, Prediction

_OUTLINE_RGB = (255, 176, 0)
_LINE_HEIGHT = 20
_LONGEST_STEM = 180
"""Bytes, of the 255 that a file's name may have; number, frame and the mark of an unfinished file need some."""


def draw_overlay(found: Prediction) -> Image:
    """Return the image as RGB with the lesion's outline, and below it a line that says what was found.

    The line is cut where the image is narrower than its words, never laid over the picture.

    Args:
        found: A prediction.

    Returns:
        uint8 (H + 20, W, 3).
    """
    return with_outline(found.image, found.mask, _words(found))


def with_outline(image: Image, mask: Mask | None, words: str) -> Image:
    """Return an image as RGB with the outline of a mask, and below it a line of words.

    Args:
        image: uint8 HW or HW3.
        mask: bool HW, or None.
        words: Cut where the image is narrower.

    Returns:
        uint8 (H + 20, W, 3).
    """
    picture = np.repeat(image[:, :, None], 3, axis=2) if image.ndim == 2 else image.copy()
    if mask is not None:
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outlines, -1, _OUTLINE_RGB, thickness=max(1, round(max(image.shape) / 300)))
    return np.concatenate([picture, _line(words, picture.shape[1])])


def _words(found: Prediction) -> str:
    probability = found.calibrated_probs[found.classes.index(found.label)]
    lesion = "" if found.mask is None or found.mask.any() else ", no lesion outlined"
    # What the threshold says may differ from the likeliest class, and is the graver of the two.
    above = f", {found.positive} {found.positive_prob:.2f} ABOVE THRESHOLD" if found.above_threshold else ""
    return f"{found.label} {probability:.2f}{above}{lesion} - research use only"


def _line(words: str, width: int) -> Image:
    line = np.zeros((_LINE_HEIGHT, width, 3), dtype=np.uint8)
    return np.asarray(
        cv2.putText(line, words, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (235, 235, 235), 1, cv2.LINE_AA)
    )


def write_overlay(found: Prediction, folder: Path, number: int) -> Path:
    """Write the overlay as PNG, named after the running number and the file's name, so that no two collide.

    Raises:
        OutputError: It could not be written.
    """
    path = folder / picture_name(found.ref.path, found.ref.frame, number)
    write_picture(path, draw_overlay(found))
    return path


def picture_name(path: str, frame: int, number: int) -> str:
    """Return the name of a picture made of a file's frame: short enough, without signs that a terminal trips over.

    Args:
        path: The file.
        frame: Its frame.
        number: A running number, which keeps files of one name in different folders apart.

    Example:
        >>> picture_name("clinic/scan.dcm", 3, 12)
        '00012_scan_3.png'
    """
    shown = "".join(sign if sign.isprintable() else "-" for sign in Path(path).stem)
    return f"{number:05d}_{shown.encode()[:_LONGEST_STEM].decode(errors='ignore')}_{frame}.png"


def write_picture(path: Path, picture: Image) -> None:
    """Write a picture as PNG, whole or not at all.

    Args:
        path: Ends in .png.
        picture: uint8 HW or RGB.

    Raises:
        OutputError: It could not be written.
    """
    _, encoded = cv2.imencode(".png", picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    write_bytes(path, encoded.tobytes())
