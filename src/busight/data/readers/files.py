"""Reader of samples whose image and masks are image files below one folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from busight.data.image_spec import GREY, ImageSpec, Pixels
from busight.data.readers.image import read_image, read_image_as
from busight.data.readers.mask import read_mask_of
from busight.errors import ImageError
from busight.types import Image, Mask, Sample


@dataclass(frozen=True, slots=True)
class FileReader:
    """Reader for image files.

    Attributes:
        root: The folder that ``Sample.image_path`` and ``Sample.mask_paths`` are relative to.
        spec: The image spec of its images: 8-bit grey, or inferred from their pixels.
    """

    root: Path
    spec: ImageSpec = GREY

    def image(self, sample: Sample) -> Image:
        """Return the image as ``spec`` says: uint8, HW or HWC.

        Raises:
            ImageError: The file is not a usable image, or does not fit ``spec``.
        """
        return read_image_as(self.root / sample.image_path, self.spec)

    def read_as(self, spec: ImageSpec) -> FileReader:
        """Return a reader of the same files that gives images as ``spec`` says."""
        return FileReader(self.root, spec)

    def pixels(self, sample: Sample) -> Pixels:
        """Return the pixels as stored, uint8 or uint16, HW or HWC, for ``busight.data.image_spec.spec_of``.

        Raises:
            ImageError: The file is not a usable image.
        """
        return read_image(self.root / sample.image_path)

    def mask(self, sample: Sample) -> Mask | None:
        """Return all masks of the sample joined, bool HW; None where it has none.

        Raises:
            ImageError: A mask file is not usable, or two masks of one image differ in size.
        """
        image = self.root / sample.image_path
        masks = [read_mask_of(image, self.root / path, sample.mask_values) for path in sample.mask_paths]
        if not masks:
            return None
        if len({mask.shape for mask in masks}) > 1:
            raise ImageError(
                f"{self.root / sample.mask_paths[0]}: the masks of one image differ in size; "
                "export them again at the image's size"
            )
        joined: Mask = np.logical_or.reduce(masks)
        return joined
