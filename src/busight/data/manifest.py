"""The manifest: one pass over every image of a data set, with a digest for each and a list of unusable files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from busight.data.dataset import DataSet, warnings_of
from busight.data.image_spec import luma
from busight.data.readers.files import FileReader
from busight.data.thumbnail import make_thumbnail
from busight.errors import DataError, ImageError
from busight.io.cores import in_threads
from busight.io.digests import sha256_of_json
from busight.types import DataWarning, Image, Mask, Sample

SHORT_DIGEST = 16
"""Hexadecimal digits of a digest by which a bundle remembers an image."""


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One row of the manifest.

    Attributes:
        sample: The sample.
        height: Rows of its image.
        width: Columns of its image.
        image_digest: SHA-256 over shape and grey pixels, so that re-compressing a file does not change it.
        mask_digest: SHA-256 over the joined mask; empty where there is none.
    """

    sample: Sample
    height: int
    width: int
    image_digest: str
    mask_digest: str

    @property
    def short_digest(self) -> str:
        """The first 16 hexadecimal digits of the image's digest, as a bundle's card holds them."""
        return self.image_digest[:SHORT_DIGEST]

    @property
    def digest_aliases(self) -> frozenset[str]:
        """The short digests that a bundle may list it by: its own, and that of the image it was resized from."""
        origins = (tag.removeprefix("origin:") for tag in self.sample.tags if tag.startswith("origin:"))
        return frozenset((self.short_digest, *origins))

    def is_among(self, digests: Set[str]) -> bool:
        """Return whether short digests, such as those of a bundle's training images, contain this image."""
        return not self.digest_aliases.isdisjoint(digests)


@dataclass(frozen=True, slots=True, eq=False)
class DatasetManifest:
    """A data set of which every image was read.

    Attributes:
        dataset: The usable samples; its problems now include those of the pixels.
        rows: The manifest, in the order of the samples.
        thumbnails: uint8 (N, 96, 96): the images shrunk, for the search for near-duplicates.
        digest: SHA-256 of the manifest: changes when an image, a mask or a label changes.
    """

    dataset: DataSet
    rows: tuple[ManifestRow, ...]
    thumbnails: NDArray[np.uint8]
    digest: str

    def kept(self, indices: Sequence[int]) -> DatasetManifest:
        """Return the manifest of a subset of the samples, with a digest of its own."""
        rows = tuple(self.rows[index] for index in indices)
        dataset = replace(self.dataset, samples=tuple(row.sample for row in rows))
        return DatasetManifest(dataset, rows, self.thumbnails[list(indices)], manifest_digest(list(rows)))


def build_manifest(
    dataset: DataSet,
    progress: Callable[[int, int], None] | None = None,
    receive: Callable[[Image, Mask | None], None] | None = None,
) -> DatasetManifest:
    """Read every image and mask once; leave out what cannot be read and list it as a problem.

    Args:
        dataset: The data set.
        progress: Called with (done, total).
        receive: Called with image and mask of each row, in order, while they are in memory.

    Raises:
        DataError: No usable image remains.
    """
    problems = list(dataset.problems)
    known = set(problems)  # the frames of a cine share most of their warnings
    rows: list[ManifestRow] = []
    thumbnails: list[Image] = []
    # Files are decoded in threads; a reader of DICOM frames keeps the last object, which threads would take from it.
    read = in_threads if isinstance(dataset.reader, FileReader) else map
    for number, scan in enumerate(read(partial(_scan, dataset), dataset.samples), start=1):
        problems += [warning for warning in scan.problems if warning not in known]
        known.update(scan.told)
        if scan.usable is not None:
            rows.append(scan.usable.row)
            thumbnails.append(scan.usable.thumbnail)
            if receive:
                receive(scan.usable.image, scan.usable.mask)
        if progress:
            progress(number, len(dataset.samples))
    if not rows:
        first = f" (first: {problems[0].text})" if problems else ""
        raise DataError(f"{dataset.spec}: no usable image{first}; check the path and the files")
    usable = replace(dataset, samples=tuple(row.sample for row in rows), problems=tuple(problems))
    return DatasetManifest(usable, tuple(rows), np.stack(thumbnails), manifest_digest(rows))


class _Usable(NamedTuple):
    row: ManifestRow
    thumbnail: Image
    image: Image
    mask: Mask | None


class _Scan(NamedTuple):
    """One sample, read once; None where it cannot be used."""

    usable: _Usable | None
    problems: list[DataWarning]
    told: list[DataWarning]


def _scan(dataset: DataSet, sample: Sample) -> _Scan:
    where = sample.image_path or sample.sample_id
    try:
        image = dataset.reader.image(sample)
    except ImageError as error:
        return _Scan(None, [DataWarning(where, f"left out: {error}")], [])
    told = [DataWarning(where, text) for text in warnings_of(dataset.reader, sample)]
    problems = list(told)
    sample, mask = _checked_mask(dataset, sample, image, problems)
    thumbnail = make_thumbnail(image if image.ndim == 2 else luma(image))
    return _Scan(_Usable(manifest_row(sample, image, mask), thumbnail, image, mask), problems, told)


def _checked_mask(
    dataset: DataSet, sample: Sample, image: Image, problems: list[DataWarning]
) -> tuple[Sample, Mask | None]:
    where = sample.mask_paths[0] if sample.mask_paths else sample.sample_id
    try:
        mask = dataset.reader.mask(sample)
    except ImageError as error:
        problems.append(DataWarning(where, f"mask ignored: {error}"))
        return replace(sample, mask_paths=()), None
    if mask is None:
        return sample, None
    if mask.shape != image.shape[:2]:
        text = f"mask ignored: it is {mask.shape[1]}×{mask.shape[0]}, its image {image.shape[1]}×{image.shape[0]}"
        problems.append(DataWarning(where, text))
        return replace(sample, mask_paths=()), None
    if not mask.any() and dataset.labels.shows_lesion(sample.label):
        problems.append(DataWarning(where, f"mask ignored: it is empty, but the image is labelled {sample.label}"))
        return replace(sample, mask_paths=()), None
    if mask.any() and dataset.labels.class_of(sample.label) in dataset.labels.without_lesion:
        text = f"mask shows a lesion, but the image is labelled {sample.label}; kept, look which of the two is right"
        problems.append(DataWarning(where, text))
    return sample, mask


def manifest_row(sample: Sample, image: Image, mask: Mask | None = None) -> ManifestRow:
    """Return the line of a sample.

    Args:
        sample: The sample.
        image: Its image, uint8, HW or HW3.
        mask: Its joined mask, bool HW; None where there is none.
    """
    mask_digest = "" if mask is None else pixel_digest(mask)
    return ManifestRow(sample, image.shape[0], image.shape[1], pixel_digest(image), mask_digest)


def pixel_digest(pixels: NDArray[np.uint8] | NDArray[np.bool_]) -> str:
    """Return the SHA-256 over an array's shape and its bytes in C order."""
    digest = hashlib.sha256(str(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()


def manifest_digest(rows: list[ManifestRow]) -> str:
    """Return the SHA-256 of everything that training depends on: id, label, patient, pixels of image and mask."""
    return sha256_of_json(
        [
            [e.sample.sample_id, e.sample.label, e.sample.patient_id, e.image_digest, e.mask_digest]
            for e in sorted(rows, key=lambda row: row.sample.sample_id)
        ]
    )
