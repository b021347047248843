"""Images, masks and maps of cases, each named by the digest of its content: the same content is one file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from django.conf import settings
from django.http import FileResponse

from busight.errors import ImageError
from busight.io.atomic import write_bytes
from busight.serve.web.cases.models import Case
from busight.types import FloatMap, Image, Mask


def path_of(name: str) -> Path:
    """Return where a file of `save_png` lies."""
    folder: Path = settings.SITE.files
    return folder / name[:2] / name


def open_image(case: Case, kind: str) -> FileResponse | None:
    """Return an image of a case as a response; None where there is none.

    Args:
        case: The case.
        kind: ``"image"``, ``"mask"`` or ``"activation"``.
    """
    name = {"image": case.image_file, "mask": case.mask_file, "activation": case.activation_file}.get(kind)
    if not name or not path_of(name).is_file():
        return None
    return FileResponse(path_of(name).open("rb"), content_type="image/png")


def save_png(pixels: Image) -> str:
    """Save uint8 HW, HW3 (RGB) or HW4 (RGBA) and return the name; content that is there already is not written again.

    Raises:
        OutputError: The folder cannot be written, or the disk is full.
    """
    stored = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, _TO_BGR[pixels.shape[2]])
    done, encoded = cv2.imencode(".png", stored, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done, "PNG holds every uint8 image"
    return save(encoded.tobytes())


def save(content: bytes) -> str:
    """Save the content of a PNG file and return the name.

    Raises:
        OutputError: The folder cannot be written, or the disk is full.
    """
    name = f"{hashlib.sha256(content).hexdigest()}.png"
    path = path_of(name)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
    return name


_TO_BGR = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}


def spooled_path(file: Any) -> Path:
    """Return where `SpoolHandler` wrote an uploaded file."""
    return Path(file.temporary_file_path())


def read_png(name: str) -> Image:
    """Return the pixels of a file, uint8 HW or HW3 (RGB).

    Raises:
        ImageError: It is missing or damaged.
    """
    pixels = cv2.imread(str(path_of(name)), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ImageError(f"{path_of(name)}: is missing or damaged; restore it from a backup")
    return np.asarray(pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def mask_image(mask: Mask) -> Image:
    """Return a mask as an image, 255 inside."""
    return mask.astype(np.uint8) * 255


def activation_image(activation: FloatMap) -> Image:
    """Return a class-activation map as colours with transparency, uint8 HW4: what speaks for the class, the strongest
    opaque; what speaks against it is clear."""
    strongest = max(float(activation.max()), 1e-9)
    share = np.clip(activation / strongest, 0, 1)
    colours = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    rgb = cv2.cvtColor(colours, cv2.COLOR_BGR2RGB)
    return np.dstack([rgb, (share * 230).astype(np.uint8)])


def outline_of(mask: Mask) -> str:
    """Return the outlines of a mask as an SVG path in pixels of the image; empty where the mask is."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_L1)
    parts = []
    for contour in contours:
        points = contour[:, 0, :]
        if len(points) >= 3:
            parts.append("M" + "L".join(f"{x + 0.5:g},{y + 0.5:g}" for x, y in points) + "Z")
    return "".join(parts)
