"""Overlay: the image with the predicted outline drawn on it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from busight.io.atomic import write_bytes
from busight.types import Image, Mask, Prediction, Rejected, prediction_of

_OUTLINE_RGB = (255, 176, 0)
_LINE_HEIGHT = 20
_LONGEST_STEM = 180
"""Bytes, of the 255 that a file's name may have; number, frame and the suffix of an unfinished file need some."""


def draw_overlay(answer: Prediction | Rejected) -> Image:
    """Return the image as RGB with the lesion's outline, and below it a line with the prediction.

    The line is cut where the image is narrower than its text, never drawn over the image.

    Args:
        answer: The prediction of one image; a withheld one is marked as rejected.

    Returns:
        uint8 (H + 20, W, 3).
    """
    prediction = prediction_of(answer)
    mark = "REJECTED " if isinstance(answer, Rejected) else ""
    return with_outline(prediction.image, prediction.mask, mark + _caption(prediction))


def with_outline(image: Image, mask: Mask | None, caption: str) -> Image:
    """Return an image as RGB with the outline of a mask, and below it a line of text.

    Args:
        image: uint8 HW or HW3.
        mask: bool HW, or None.
        caption: Cut where the image is narrower.

    Returns:
        uint8 (H + 20, W, 3).
    """
    rgb = np.repeat(image[:, :, None], 3, axis=2) if image.ndim == 2 else image.copy()
    if mask is not None:
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(rgb, outlines, -1, _OUTLINE_RGB, thickness=max(1, round(max(image.shape) / 300)))
    return np.concatenate([rgb, _line(caption, rgb.shape[1])])


def _caption(prediction: Prediction) -> str:
    probability = prediction.calibrated_probs[prediction.classes.index(prediction.label)]
    lesion = "" if prediction.mask is None or prediction.mask.any() else ", no lesion outlined"
    # The class above the threshold may differ from the most probable one, and is the more severe of the two.
    above = ""
    if prediction.above_threshold:
        other = "" if prediction.label == prediction.positive else f" {prediction.positive_prob:.2f}"
        above = f", {prediction.positive}{other} ABOVE THRESHOLD"
    return f"{prediction.label} {probability:.2f}{above}{lesion} - research use only"


def _line(text: str, width: int) -> Image:
    line = np.zeros((_LINE_HEIGHT, width, 3), dtype=np.uint8)
    return np.asarray(cv2.putText(line, text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (235, 235, 235), 1, cv2.LINE_AA))


def write_overlay(answer: Prediction | Rejected, folder: Path, number: int) -> Path:
    """Write the overlay as PNG, named after the running number and the file's name, so that no two collide.

    Raises:
        OutputError: The file could not be written.
    """
    path = folder / image_file_name(answer.ref.path, answer.ref.frame, number)
    write_image(path, draw_overlay(answer))
    return path


def image_file_name(path: str, frame: int, number: int) -> str:
    """Return the name of an image made of a file's frame: short enough, without control characters.

    Args:
        path: The file.
        frame: Its frame.
        number: A running number, which distinguishes files of one name in different folders.

    Example:
        >>> image_file_name("clinic/scan.dcm", 3, 12)
        '00012_scan_3.png'
    """
    shown = "".join(sign if sign.isprintable() else "-" for sign in Path(path).stem)
    return f"{number:05d}_{shown.encode()[:_LONGEST_STEM].decode(errors='ignore')}_{frame}.png"


def write_image(path: Path, image: Image) -> None:
    """Write an image as PNG, whole or not at all.

    Args:
        path: Ends in .png.
        image: uint8 HW or RGB.

    Raises:
        OutputError: The file could not be written.
    """
    _, encoded = cv2.imencode(".png", image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    write_bytes(path, encoded.tobytes())
