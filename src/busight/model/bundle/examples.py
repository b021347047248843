"""End-to-end examples in a bundle: synthetic images with the model's predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.errors import BundleError
from busight.io.arrays import read_arrays
from busight.io.atomic import written_beside
from busight.io.digests import sha256_of_file
from busight.model.bundle.card import EXAMPLES
from busight.types import Image, prediction_of

if TYPE_CHECKING:
    from busight.model.model import Model

COUNT = 8
SIDE = 160
TOLERANCE = 1e-3
"""Largest allowed difference of a calibrated probability, and share of a mask's pixels, between two machines."""


def example_images(channels: int) -> list[Image]:
    """Return eight synthetic images, the same ones for every bundle of a format: dark ellipses in layered noise.

    Args:
        channels: 1 or 3.

    Returns:
        uint8 HW or HW3, of four shapes.
    """
    rng = np.random.default_rng(2024)
    return [_image(rng, SIDE - 8 * (number % 4), SIDE + 12 * (number % 3), channels) for number in range(COUNT)]


def _image(rng: np.random.Generator, height: int, width: int, channels: int) -> Image:
    coarse = rng.random((12, 3), dtype=np.float32)
    layers = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    speckle = cv2.GaussianBlur(rng.gamma(2.0, 0.5, (height, width)).astype(np.float32), (0, 0), 1.2)
    lesion = np.zeros((height, width), np.float32)
    centre = int(width * rng.uniform(0.3, 0.7)), int(height * rng.uniform(0.3, 0.6))
    axes = int(width * rng.uniform(0.08, 0.2)), int(height * rng.uniform(0.06, 0.16))
    cv2.ellipse(lesion, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, cv2.FILLED)
    values = (60 + 120 * layers) * speckle * (1 - 0.7 * cv2.GaussianBlur(lesion, (0, 0), 2.0))
    grey = np.clip(values, 0, 255).astype(np.uint8)
    if channels == 1:
        return grey
    return np.stack([grey, np.roll(grey, 7, axis=1), np.flipud(grey)], axis=-1)


def write_examples(model: Model) -> dict[str, str]:
    """Write a model's predictions of the example images into its bundle.

    Returns:
        The file's name and SHA-256.

    Raises:
        OutputError: The file could not be written.
    """
    path = model.folder / EXAMPLES
    with written_beside(path) as beside, beside.open("wb") as stream:
        np.savez_compressed(stream, **_answers(model, example_images(model.card.preprocess.image.channels)))  # type: ignore[arg-type]
    return {EXAMPLES: sha256_of_file(path)}


def _answers(model: Model, images: Sequence[Image]) -> dict[str, NDArray[Any]]:
    """Return images, network logits, calibrated probabilities and masks of the examples, with keys ``NUMBER.NAME``."""
    arrays: dict[str, NDArray[Any]] = {}
    for number, (image, answer) in enumerate(zip(images, model.predict(images), strict=True)):
        prediction = prediction_of(answer)
        arrays[f"{number}.image"] = image
        arrays[f"{number}.network_logits"] = prediction.network_logits
        arrays[f"{number}.calibrated_probs"] = prediction.calibrated_probs
        if prediction.mask is not None:
            arrays[f"{number}.mask"] = prediction.mask
    return arrays


def replay(model: Model, tolerance: float = TOLERANCE) -> float:
    """Predict a bundle's examples again and return the largest difference from the stored predictions.

    Args:
        model: The model, opened in any engine.
        tolerance: Largest allowed difference, 0–1.

    Returns:
        The largest difference of a calibrated probability, or share of a mask's pixels, 0–1.

    Raises:
        BundleError: The bundle has no examples, or its predictions differ from the stored ones.
    """
    written = _read(model.folder / EXAMPLES)
    images = [written[name] for name in written if name.endswith(".image")]
    arrays = _answers(model, images)
    if not images or written.keys() != arrays.keys():
        raise BundleError(f"{model.folder}: its examples are of another kind of model; copy the whole folder again")
    worst = 0.0
    for name, expected in written.items():
        if name.endswith(".mask"):
            worst = max(worst, float((expected != arrays[name]).mean()))
        elif name.endswith(".calibrated_probs"):
            worst = max(worst, float(np.abs(expected - arrays[name]).max()))
    if not worst <= tolerance:
        raise BundleError(
            f"{model.folder}: answers its own examples otherwise than when it was made (by {worst:.2g}, at most "
            f"{tolerance:.2g}); use busight {model.card.busight}, or train it anew"
        )
    return worst


def _read(path: Path) -> dict[str, NDArray[Any]]:
    if not path.is_file():
        raise BundleError(f"{path.parent}: holds no {EXAMPLES}; get the bundle again")
    try:
        return read_arrays(path)
    except (OSError, ValueError) as error:
        raise BundleError(f"{path}: not the examples of a bundle ({error}); copy the whole folder again") from error
