"""A cache of decoded data sets: pixels as one memory-mapped file beside the manifest, keyed by the files' content."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import PIL

import busight
from busight.data.dataset import DataSet
from busight.data.image_spec import ImageSpec, Pixels
from busight.data.manifest import DatasetManifest, ManifestRow, build_manifest, manifest_digest
from busight.data.readers.files import FileReader
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
            _check_digests(entry)
            return _opened(entry, dataset, reader), entry
        except (OSError, ValueError, KeyError, TypeError) as error:
            told(f"{entry}: damaged cache of {dataset.spec}, made anew ({error})")
            shutil.rmtree(entry, ignore_errors=True)
    with _EntryWriter(entry, len(dataset.samples)) as writer:
        manifest = build_manifest(dataset, progress, writer.add)
        try:
            writer.finish(manifest)
            remove_least_recent(entry.parent)
            return _opened(entry, dataset, reader), entry
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            told(
                f"{entry}: cache could not be written ({reason}); goes on without it, BUSIGHT_CACHE names another place"
            )
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


class _EntryWriter:
    """Writer of an entry: pixels while the images are read, which are then in memory, and the manifest at the end.

    Reading does not fail with it: `add` keeps the first error for `finish`, and writes nothing after it.
    """

    def __init__(self, entry: Path, n_samples: int) -> None:
        self.entry = entry
        self.beside = entry.with_name(f".{entry.name}.{os.getpid()}.part")
        self.n_samples = n_samples
        self.places: list[tuple[int, list[int], bool]] = []
        self.start = 0
        self.digest = hashlib.sha256()
        self.stream: BinaryIO | None = None
        self.error: OSError | ValueError | None = None

    def __enter__(self) -> _EntryWriter:
        try:
            shutil.rmtree(self.beside, ignore_errors=True)
            self.beside.mkdir(parents=True, mode=0o700)
            self.stream = (self.beside / PIXELS).open("wb")
        except OSError as error:
            self.error = error
        return self

    def __exit__(self, *_: object) -> None:
        if self.stream is not None:
            with suppress(OSError):  # a full disk; `finish` has told it
                self.stream.close()
        shutil.rmtree(self.beside, ignore_errors=True)

    def add(self, image: Image, mask: Mask | None) -> None:
        """Write the pixels of the manifest's next row."""
        if self.error is not None or self.stream is None:
            return
        try:
            self.places.append((self.start, list(image.shape), mask is not None))
            for pixels in (image, *(() if mask is None else (np.packbits(mask),))):
                content = np.ascontiguousarray(pixels).data
                self.digest.update(content)
                self.start += self.stream.write(content)
            _require_room(self.start, len(self.places) / self.n_samples)
        except (OSError, ValueError) as error:
            self.error = error

    def finish(self, manifest: DatasetManifest) -> None:
        """Write the rest and give the entry its name.

        Raises:
            OSError: It could not be written.
            ValueError: It is larger than the cache.
        """
        if self.error is not None or self.stream is None:
            raise self.error or ValueError("no file of pixels")
        self.stream.close()
        rows = [
            [row.sample.sample_id, bool(row.sample.mask_paths), row.image_digest, row.mask_digest, *place]
            for row, place in zip(manifest.rows, self.places, strict=True)
        ]
        problems = [[problem.path, problem.text] for problem in manifest.dataset.problems]
        (self.beside / ROWS).write_text(json.dumps({"rows": rows, "problems": problems}), encoding="utf-8")
        np.save(self.beside / THUMBNAILS, manifest.thumbnails)
        digests = {name: sha256_of_file(self.beside / name) for name in (ROWS, THUMBNAILS)}
        seal = json.dumps({PIXELS: self.digest.hexdigest(), **digests})
        (self.beside / SEAL).write_text(seal, encoding="utf-8")
        with suppress(OSError):  # another process was quicker
            self.beside.rename(self.entry)


def _require_room(n_bytes: int, share: float) -> None:
    """Raise for pixels that exceed the cache, or will by far, so that gigabytes are not written in vain each time."""
    if n_bytes > LIMIT_BYTES or (n_bytes > LIMIT_BYTES / 100 and n_bytes / share > 2 * LIMIT_BYTES):
        expected = n_bytes / share / 1024**3
        raise ValueError(f"about {expected:.1f} GiB of pixels, the cache holds {LIMIT_BYTES / 1024**3:.0f}")


def _check_digests(entry: Path) -> None:
    seal = json.loads((entry / SEAL).read_text(encoding="utf-8"))
    for name in (PIXELS, ROWS, THUMBNAILS):
        if sha256_of_file(entry / name) != seal[name]:
            raise ValueError(f"{name} was changed")


def _opened(entry: Path, dataset: DataSet, reader: FileReader) -> DatasetManifest:
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
