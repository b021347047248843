"""The image with the predicted outline drawn on it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from busight.files import write_bytes
from busight.types import Image, Prediction

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
    picture = np.repeat(found.image[:, :, None], 3, axis=2)
    if found.mask is not None:
        outlines, _ = cv2.findContours(found.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outlines, -1, _OUTLINE_RGB, thickness=max(1, round(max(found.image.shape) / 300)))
    return np.concatenate([picture, _line(_words(found), picture.shape[1])])


def _words(found: Prediction) -> str:
    probability = found.calibrated_probs[found.classes.index(found.finding)]
    lesion = "" if found.mask is None or found.mask.any() else ", no lesion outlined"
    # What the operating point says may differ from the likeliest class, and is the graver of the two.
    flag = f", FLAGGED {found.classes[-1]} {found.calibrated_probs[-1]:.2f}" if found.flagged else ""
    return f"{found.finding} {probability:.2f}{flag}{lesion} - research use only"


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
    path = folder / f"{number:05d}_{_tame(Path(found.path).stem)}_{found.frame}.png"
    _, encoded = cv2.imencode(".png", cv2.cvtColor(draw_overlay(found), cv2.COLOR_RGB2BGR))
    write_bytes(path, encoded.tobytes())
    return path


def _tame(stem: str) -> str:
    """Return a name with room for its number, and without signs that a terminal or a file system trips over."""
    shown = "".join(sign if sign.isprintable() else "-" for sign in stem)
    return shown.encode()[:_LONGEST_STEM].decode(errors="ignore")
