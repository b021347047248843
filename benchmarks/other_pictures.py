"""Statistics of pictures that are no breast ultrasound, which detectors of appearance are fitted against.

    BUSIGHT_DATA=DATA python benchmarks/other_pictures.py

writes ``src/busight/decision/other_pictures.npz``: nineteen numbers a picture, no pixel. The pictures: those that come
with scikit-image and random parts of them; mammograms of mini-MIAS (Suckling et al. 1994) and DDSM (Heath et al. 2001),
histology of BreakHis (Spanhol et al. 2016), of the IDC patches (Janowczyk and Madabhushi 2016) and of mitoses, all read
as grey from ``DATA/literature``; and simulated fields without contact: echoes of the probe alone, noise, one grey.

``--leave-out`` prints instead, for each kind of picture and each data set named, how many are rejected by a detector
that was fitted without them:

    python benchmarks/other_pictures.py --leave-out "busi:PATH + folder:PATH"
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from busight.data.readers.image import read_grey
from busight.data.sources.catalogue import load_data
from busight.decision import appearance
from busight.errors import ImageError
from busight.metrics.image_statistics import NAMES, image_statistics
from busight.types import Image

TARGET = Path(appearance.__file__).with_name("other_pictures.npz")
PICTURES = (
    "astronaut", "brick", "camera", "cat", "cell", "checkerboard", "clock", "coffee", "coins", "colorwheel", "grass",
    "gravel", "hubble_deep_field", "immunohistochemistry", "logo", "microaneurysms", "moon", "page", "retina", "rocket",
    "shepp_logan_phantom", "text",
)  # fmt: skip
FOLDERS = {
    "mini-MIAS": "mini_mias",
    "DDSM": "ddsm_masses",
    "BreakHis": "breakhis200",
    "IDC": "idc",
    "mitoses": "mitosis",
}
PER_KIND = 80


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leave-out", default="", metavar="SPEC")
    arguments = parser.parse_args()
    if arguments.leave_out:
        leave_out(arguments.leave_out)
        return
    of_kind = {"scikit-image": photographs(), "empty field": empty_fields()}
    literature = Path(os.environ.get("BUSIGHT_DATA", "../shared/data")) / "literature"
    for kind, folder in FOLDERS.items():
        of_kind[kind] = from_folder(literature / folder)
    statistics = {kind: np.array([image_statistics(one) for one in images]) for kind, images in of_kind.items()}
    np.savez_compressed(
        TARGET,
        names=np.array(NAMES),
        kinds=np.repeat(list(statistics), [len(rows) for rows in statistics.values()]),
        statistics=np.concatenate(list(statistics.values())).astype(np.float32),
    )
    for kind, rows in statistics.items():
        print(f"{kind:<14} {len(rows):4d} pictures")
    print(TARGET)


def photographs() -> list[Image]:
    rng = np.random.default_rng(0)
    images: list[Image] = []
    for name in PICTURES:
        grey = _grey(np.asarray(getattr(skimage.data, name)()))
        images.append(grey)
        for _ in range(4):
            height, width = (np.array(grey.shape) * rng.uniform(0.3, 0.8, 2)).astype(int)
            top, left = rng.integers(grey.shape[0] - height + 1), rng.integers(grey.shape[1] - width + 1)
            images.append(grey[top : top + height, left : left + width])
    return images


def _grey(picture: NDArray[Any]) -> Image:
    if picture.dtype != np.uint8:
        low, high = picture.min(), picture.max()
        picture = (255 * ((picture - low) / (high - low))).astype(np.uint8)
    if picture.ndim == 3:
        picture = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_RGB2GRAY)
    return np.asarray(picture, np.uint8)


def empty_fields() -> list[Image]:
    """Return fields of a probe without contact: equidistant echoes of its own that fade with depth, and weak noise."""
    rng = np.random.default_rng(1)
    images = []
    for _ in range(PER_KIND):
        height, width = (int(side) for side in rng.integers(200, 700, 2))
        depth = np.linspace(0, 1, height)[:, None]
        apart, fading, thick = rng.uniform(0.02, 0.1), rng.uniform(0.3, 1.2), rng.uniform(0.003, 0.012)
        rings = sum(
            np.exp(-(((depth - number * apart) / thick) ** 2) - fading * number) for number in range(int(1 / apart))
        )
        field = (
            rng.uniform(150, 255) * rings * (1 + 0.25 * cv2.GaussianBlur(rng.normal(size=(height, width)), (9, 3), 0))
        )
        field = field + rng.exponential(rng.uniform(1, 12), (height, width))
        images.append(np.clip(field, 0, 255).astype(np.uint8))
    images += [np.full((200, 300), grey, np.uint8) for grey in (0, 40, 128, 255)]
    images += [np.clip(rng.normal(110, spread, (300, 400)), 0, 255).astype(np.uint8) for spread in (5, 20, 60)]
    return images


def from_folder(folder: Path) -> list[Image]:
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in (".png", ".jpg", ".pgm", ".tif")]
    images = []
    for path in files[:: max(1, len(files) // PER_KIND)][:PER_KIND]:
        try:
            images.append(read_grey(path))
        except ImageError as error:
            print(error)
    return images


def leave_out(spec: str) -> None:
    data = load_data(spec)
    sources = np.array([sample.source for sample in data.samples])
    known = np.array([image_statistics(data.reader.image(sample)) for sample in data.samples])
    with np.load(TARGET) as saved:
        kinds, others = saved["kinds"], saved["statistics"].astype(np.float64)
    names = sorted(set(sources.tolist()))
    for kind in dict.fromkeys(kinds.tolist()):
        row = [f"{rejected(known, others[kinds != kind], others[kinds == kind]):.3f}"]
        print(f"{kind:<14} rejected by a detector fitted without this kind: {row[0]}")
    for name in names:
        share = rejected(known[sources != name], others, known[sources == name])
        print(f"{name:<14} rejected by a detector fitted without this data set: {share:.3f}")


def rejected(known: NDArray[np.float64], others: NDArray[np.float64], asked: NDArray[np.float64]) -> float:
    detector = appearance.fit_appearance_detector(known, others=others)
    return float((detector.score(asked) > detector.limit).mean())


if __name__ == "__main__":
    main()
