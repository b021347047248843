"""A cache of decoded data sets: pixels as one memory-mapped file beside the manifest, keyed by the files' content."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL

import busight
from busight.data.dataset import DataSet
from busight.data.image_spec import ImageSpec, Pixels
from busight.data.manifest import DatasetManifest, ManifestRow, build_manifest, manifest_digest
from busight.data.readers.files import FileReader
from busight.errors import ImageError
from busight.io.cache_folder import LIMIT_BYTES, cache_folder, remove_least_recent
from busight.io.cores import in_threads
from busight.io.digests import sha256_of_file, sha256_of_json
from busight.types import DataWarning, Image, Mask, Sample

PIXELS, ROWS, THUMBNAILS, SEAL = "pixels.bin", "rows.json", "thumbnails.npy", "seal.json"
Line = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StoredPixels:
    """Place of one sample in the file of pixels.

    Attributes:
        start: Its first byte.
        shape: Of the image, (H, W) or (H, W, 3).
        has_mask: Whether its mask follows, one bit a pixel.
    """

    start: int
    shape: tuple[int, ...]
    has_mask: bool


@dataclass(frozen=True, slots=True, eq=False)
class StoredReader:
    """Reader of decoded pixels; what the cache lacks is read from the image files.

    Attributes:
        files: The reader of the image files.
        path: The file of pixels.
        places: Place of each sample by id.
    """

    files: FileReader
    path: Path
    places: dict[str, StoredPixels]

    def image(self, sample: Sample) -> Image:
        """Return the image, uint8, HW or HW3."""
        place = self.places[sample.sample_id]
        pixels = self._bytes(place.start, int(np.prod(place.shape)))
        return self.files.image(sample) if pixels is None else pixels.reshape(place.shape)

    def mask(self, sample: Sample) -> Mask | None:
        """Return the lesion mask, bool HW; None where the sample has none."""
        if not sample.mask_paths:
            return None
        place = self.places[sample.sample_id]
        height, width = place.shape[:2]
        packed = self._bytes(place.start + int(np.prod(place.shape)), -(-height * width // 8))
        if packed is None or not place.has_mask:
            return self.files.mask(sample)
        return np.unpackbits(packed, count=height * width).reshape(height, width).astype(np.bool_)

    def read_as(self, spec: ImageSpec) -> FileReader:
        """Return a reader of the image files that gives images as ``spec`` says."""
        return self.files.read_as(spec)

    def pixels(self, sample: Sample) -> Pixels:
        """Return the pixels as the image file stores them."""
        return self.files.pixels(sample)

    def _bytes(self, start: int, count: int) -> Image | None:
        # Mapped for each call: the reader is handed to other processes, which a map would be copied into.
        try:
            mapped = np.memmap(self.path, np.uint8, "r", start, (count,))
        except (OSError, ValueError):  # removed meanwhile, to make room for another data set
            return None
        return np.array(mapped)


def cached_manifest(
    dataset: DataSet, progress: Callable[[int, int], None] | None = None, line: Line | None = None
) -> tuple[DatasetManifest, Path | None]:
    """Return the manifest of a data set and the folder of its cache entry, made where there is none.

    Only image files below one folder are cached. A damaged entry is made anew and a full disk goes on without it; both
    are told in one line.

    Args:
        dataset: The data set.
        progress: Called with (done, total) while images are read.
        line: Receives the lines.

    Returns:
        The manifest, whose reader reads the cache, and the entry; None where nothing is cached.

    Raises:
        DataError: No usable image remains.
    """
    folder, reader = cache_folder(), dataset.reader
    if folder is None or not isinstance(reader, FileReader):
        return build_manifest(dataset, progress), None
    told = line or (lambda text: None)
    key = _key(dataset, reader)
    if key is None:
        return build_manifest(dataset, progress), None
    entry = folder / "data" / key
    if entry.exists():
        try:
            return _read(entry, dataset, reader), entry
        except (OSError, ValueError, KeyError, TypeError) as error:
            told(f"{entry}: damaged cache of {dataset.spec}, made anew ({error})")
            shutil.rmtree(entry, ignore_errors=True)
    manifest = build_manifest(dataset, progress)
    try:
        _write(entry, manifest)
        remove_least_recent(entry.parent)
        return _read(entry, dataset, reader), entry
    except (OSError, ValueError, ImageError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        told(f"{entry}: cache could not be written ({reason}); goes on without it, BUSIGHT_CACHE names another place")
        return manifest, None


def write_beside_entry(entry: Path, name: str, value: Any) -> None:
    """Add a JSON value to an entry; where that fails, the entry stays without it."""
    beside = entry / f".{name}.{os.getpid()}"
    with suppress(OSError):
        beside.write_text(json.dumps({"digest": sha256_of_json(value), "value": value}), encoding="utf-8")
        beside.replace(entry / name)


def read_beside_entry(entry: Path, name: str) -> Any:
    """Return a JSON value of an entry; None where it is missing or damaged."""
    try:
        document = json.loads((entry / name).read_text(encoding="utf-8"))
        return document["value"] if document["digest"] == sha256_of_json(document["value"]) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _key(dataset: DataSet, reader: FileReader) -> str | None:
    """Return the digest of everything that the manifest depends on; None where a file cannot be read."""
    paths = [path for sample in dataset.samples for path in (sample.image_path, *sample.mask_paths)]
    try:
        digests = list(in_threads(sha256_of_file, (reader.root / path for path in paths)))
    except OSError:
        return None  # the manifest lists it as a problem
    samples = [asdict(sample) for sample in dataset.samples]
    problems = [asdict(problem) for problem in dataset.problems]
    return sha256_of_json([code_digest(), repr(reader.spec), repr(dataset.labels), samples, problems, digests])


@cache
def code_digest() -> str:
    """Return the digest of the code that reads images and searches near-duplicates, and of the decoders' versions."""
    package = Path(busight.__file__).parent
    sources = sorted([*(package / "data").rglob("*.py"), *(package / "audit").rglob("*.py"), package / "types.py"])
    return sha256_of_json([cv2.__version__, PIL.__version__, np.__version__, *map(sha256_of_file, sources)])


def _write(entry: Path, manifest: DatasetManifest) -> None:
    beside = entry.with_name(f".{entry.name}.{os.getpid()}.part")
    reader, samples = manifest.dataset.reader, manifest.dataset.samples
    needed = sum(row.height * row.width * manifest.dataset.image_spec.channels for row in manifest.rows)
    if needed > LIMIT_BYTES:
        raise ValueError(f"{needed / 1024**3:.1f} GiB of pixels, the cache holds {LIMIT_BYTES / 1024**3:.0f}")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir(parents=True, mode=0o700)
        places, start = [], 0
        with (beside / PIXELS).open("wb") as stream:
            for image, mask in in_threads(lambda sample: (reader.image(sample), reader.mask(sample)), samples):
                places.append([start, list(image.shape), mask is not None])
                start += stream.write(np.ascontiguousarray(image).data)
                start += 0 if mask is None else stream.write(np.packbits(mask).data)
        rows = [
            [row.sample.sample_id, bool(row.sample.mask_paths), row.image_digest, row.mask_digest, *place]
            for row, place in zip(manifest.rows, places, strict=True)
        ]
        problems = [[problem.path, problem.text] for problem in manifest.dataset.problems]
        (beside / ROWS).write_text(json.dumps({"rows": rows, "problems": problems}), encoding="utf-8")
        np.save(beside / THUMBNAILS, manifest.thumbnails)
        digests = {name: sha256_of_file(beside / name) for name in (PIXELS, ROWS, THUMBNAILS)}
        (beside / SEAL).write_text(json.dumps(digests), encoding="utf-8")
        with suppress(OSError):  # another process was quicker
            beside.rename(entry)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _read(entry: Path, dataset: DataSet, reader: FileReader) -> DatasetManifest:
    seal = json.loads((entry / SEAL).read_text(encoding="utf-8"))
    for name in (PIXELS, ROWS, THUMBNAILS):
        if sha256_of_file(entry / name) != seal[name]:
            raise ValueError(f"{name} was changed")
    content = json.loads((entry / ROWS).read_text(encoding="utf-8"))
    by_id = {sample.sample_id: sample for sample in dataset.samples}
    rows, places = [], {}
    for sample_id, has_mask, image_digest, mask_digest, start, shape, stored_mask in content["rows"]:
        sample = by_id[sample_id] if has_mask else replace(by_id[sample_id], mask_paths=())
        rows.append(ManifestRow(sample, shape[0], shape[1], image_digest, mask_digest))
        places[sample_id] = StoredPixels(start, tuple(shape), stored_mask)
    problems = tuple(DataWarning(*problem) for problem in content["problems"])
    stored = StoredReader(reader, entry / PIXELS, places)
    usable = replace(dataset, samples=tuple(row.sample for row in rows), problems=problems, reader=stored)
    entry.touch()  # what was used last is removed last
    return DatasetManifest(usable, tuple(rows), np.load(entry / THUMBNAILS), manifest_digest(rows))
