"""BreastMNIST: one NPZ file with small BUSI images, two labels and its own split.

Source:
    Yang et al.: MedMNIST v2, Scientific Data 10 (2023) 41. Label 0 is malignant; 1 is "normal, benign" together.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from busight.data.dataset import DataSet
from busight.data.labels import LabelSchema
from busight.data.readers.source import DAMAGE
from busight.errors import DataError
from busight.io.arrays import read_arrays
from busight.io.paths import user_path
from busight.types import Image, Mask, Sample

LABELS = LabelSchema(("normal or benign", "malignant"), "malignant")
_PARTS = ("train", "val", "test")
_SIDES = (28, 64, 128, 224)


@dataclass(frozen=True, slots=True, eq=False)
class ArrayReader:
    """Reader for images in one array for each subset; ``Sample.frame`` is the index within the subset."""

    images: dict[str, Image]

    def image(self, sample: Sample) -> Image:
        """Return the grey image, uint8 HW."""
        picture: Image = self.images[str(sample.official_subset)][sample.frame]
        return picture.copy()

    def mask(self, sample: Sample) -> Mask | None:
        """Return None: BreastMNIST has no masks."""
        return None


def load_breastmnist(argument: str) -> DataSet:
    """Read a BreastMNIST NPZ file (28, 64, 128 or 224 pixels a side).

    The set has two labels only, malignant and "normal or benign".

    Args:
        argument: Path of ``breastmnist.npz``, ``breastmnist_224.npz`` ...

    Raises:
        DataError: The file is missing, no NPZ of plain arrays, or of another shape.
    """
    path = user_path(argument)
    if not path.is_file():
        raise DataError(f"{argument or '(nothing)'}: no such file; write --data breastmnist:FILE.npz")
    arrays = _arrays(path)
    samples = tuple(
        Sample(
            sample_id=f"{subset}/{index:04d}",
            source="breastmnist",
            label=LABELS.names[1] if label == 0 else LABELS.names[0],
            frame=index,
            official_subset=subset,
        )
        for subset in _PARTS
        for index, label in enumerate(arrays[f"{subset}_labels"].reshape(-1).tolist())
    )
    images = {subset: arrays[f"{subset}_images"] for subset in _PARTS}
    return DataSet(f"breastmnist:{argument}", "breastmnist", samples, ArrayReader(images), LABELS)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    names = [f"{subset}_{kind}" for subset in _PARTS for kind in ("images", "labels")]
    try:
        read = read_arrays(path)
        arrays = {name: read[name] for name in names}
    except DAMAGE as error:  # LookupError: an array is missing
        raise DataError(f"{path}: not a BreastMNIST file ({error}); expected the arrays {', '.join(names)}") from error
    for subset in _PARTS:
        images, labels = arrays[f"{subset}_images"], arrays[f"{subset}_labels"]
        square = images.ndim == 3 and images.shape[1] == images.shape[2] and images.shape[1] in _SIDES
        if not square or images.dtype != np.uint8:
            raise DataError(
                f"{path}: {subset}_images are {images.shape} {images.dtype}; published are uint8 (N, S, S) with S of "
                f"{', '.join(map(str, _SIDES))}; get it again"
            )
        if labels.dtype.kind not in "iu" or len(images) != labels.size or not np.isin(labels, (0, 1)).all():
            raise DataError(
                f"{path}: {subset}_labels are {labels.shape} {labels.dtype}; published is one whole number for each of "
                f"the {len(images)} images, 0 or 1; get it again"
            )
    if len(sides := {arrays[f"{subset}_images"].shape[1] for subset in _PARTS}) > 1:
        raise DataError(f"{path}: images of {', '.join(map(str, sorted(sides)))} pixels in one file; get it again")
    return arrays
