"""OASBUD in its official form: ``OASBUD.mat`` with raw echoes of 100 lesions of 78 women, two planes each.

The struct array ``data`` has ``id``, ``rf1``, ``rf2`` (samples × 510 lines), ``roi1``, ``roi2`` (of the same sizes),
``birads`` and ``class``. Ultrasonix SonixTouch, L14-5/38, 40 MHz, 38 mm aperture. Licence: Creative Commons by the
set's Zenodo record.

Source:
    Piotrzkowska-Wróblewska, Dobruch-Sobczak, Byra, Nowicki: Open access database of raw ultrasonic signals acquired
    from malignant and benign breast lesions, Medical Physics 44 (2017) 6105–6109. Zenodo, doi:10.5281/zenodo.545928.
"""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.data.dataset import DataSet
from busight.data.labels import LESIONS
from busight.data.readers import mat_in_subprocess
from busight.data.readers.b_mode import axial_spacing_mm, b_mode, square_mask
from busight.data.readers.source import MAX_PIXELS, MIN_SIDE
from busight.data.sources.folder import existing_folder
from busight.data.sources.published import birads_of, entry
from busight.data.table_values import known
from busight.errors import DataError, MissingExtraError
from busight.io.paths import user_path
from busight.types import DataWarning, Image, Mask, Sample

AXIAL_MM = axial_spacing_mm(40e6)
LATERAL_MM = 38 / 510
"""The authors' example spreads all 510 lines of a plane over the aperture of 38 mm."""

_FILE = "OASBUD.mat"
_TEXTS = ("id", "birads", "class")
_ARRAYS = ("rf1", "roi1", "rf2", "roi2")
_PLANES = {1: "first", 2: "second"}
_DEVICE = "Ultrasonix SonixTouch"
_PUBLISHED = (48, 52)
"""Benign and malignant lesions of the complete set."""

_MAX_BYTES = 1 << 30
"""Of the file once unpacked; the published one has some 600 MB."""

_SECONDS = 300
"""The complete file takes some fifteen; after five minutes its reader hangs."""

_HEADER_BYTES = 128
_COMPRESSED = 15
"""miCOMPRESSED of the MAT-File Level 5 format."""


@dataclass(frozen=True, slots=True, eq=False)
class BModeReader:
    """Reader of planes that were turned into B-mode images when the file was read, by sample id."""

    images: Mapping[str, Image]
    masks: Mapping[str, Mask]

    def image(self, sample: Sample) -> Image:
        """Return the B-mode image, uint8 HW."""
        return self.images[sample.sample_id].copy()

    def mask(self, sample: Sample) -> Mask | None:
        """Return the lesion, bool HW; None where its region does not fit the echoes."""
        mask = self.masks.get(sample.sample_id)
        return None if mask is None else mask.copy()


def load_oasbud(argument: str) -> DataSet:
    """Read OASBUD and turn each plane into a B-mode image: 15 s for a file of the full size, in a process of its own.

    Envelope by the Hilbert transform along depth, square pixels of 38/510 mm, 50 dB: see
    ``busight.data.readers.b_mode``. Both planes of a lesion, and lesions of one ``id``, are one patient; which of the
    others are of one of the 78 women, the file does not say.

    Class 1 is malignant and 0 benign. Public readers disagree on that, so the published counts decide: a file with 100
    lesions of which 52 have class 0 is read the other way round, and told. So is a file whose BI-RADS contradict its
    classes.

    Args:
        argument: Path of ``OASBUD.mat``, or of the folder that holds it.

    Raises:
        DataError: The file is missing, damaged, too large or has other fields, or no plane is usable.
        MissingExtraError: SciPy is not installed.
    """
    path = user_path(argument)
    if not path.is_file():
        folder = existing_folder(argument, "oasbud")
        path = entry(folder, _FILE) or folder / _FILE
    _require_readable(path)
    images: dict[str, Image] = {}
    masks: dict[str, Mask] = {}
    samples: list[Sample] = []
    with closing(_arrays(path)) as arrays:
        lesions = next(arrays).tolist()
        malignant, problems = _malignant_class(path, lesions)
        for number, (patient, birads, code) in enumerate(lesions, start=1):
            if code not in ("0", "1"):
                problems.append(DataWarning(f"lesion {number}", f"class {code!r:.40} is not 0 or 1; left out"))
            for plane in _PLANES:
                rf, roi = next(arrays), next(arrays)
                if code not in ("0", "1"):
                    continue
                label = LESIONS.names[int(code) == malignant]
                sample, told = _sample(f"{number:03d}", plane, patient, birads, label)
                fault = _add_plane(sample, rf, roi, images, masks)
                problems += [DataWarning(sample.sample_id, fault)] if fault else []
                if sample.sample_id in images:
                    samples.append(sample)
                    problems += told
    if not samples:
        first = f" (first: {problems[0].text})" if problems else ""
        raise DataError(f"{path}: no plane is usable{first}; get it again from Zenodo 545928")
    reader = BModeReader(images, masks)
    return DataSet(f"oasbud:{argument}", "oasbud", tuple(samples), reader, LESIONS, tuple(problems))


def _require_readable(path: Path) -> None:
    if not path.is_file():
        raise DataError(f"{path}: not found; oasbud:PATH needs {_FILE} or the folder that holds it")
    if find_spec("scipy") is None:
        raise MissingExtraError(f'{path}: echoes are read by SciPy; install it with: pip install "busight[sources]"')
    try:
        _require_bounded(path)
    except (OSError, struct.error, zlib.error) as error:
        raise _unreadable(path, type(error).__name__) from error


def _arrays(path: Path) -> Generator[NDArray[Any], None, None]:
    """Yield id, BI-RADS and class of each lesion, shape (lesions, 3); then rf1, roi1, rf2 and roi2 of each.

    Raises:
        DataError: The file cannot be read, or broke its reader.
    """
    # -P: the script's own folder must not be on the import path.
    command = [sys.executable, "-P", "-W", "ignore", mat_in_subprocess.__file__, str(path), *_TEXTS, "--", *_ARRAYS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        timer = threading.Timer(_SECONDS, process.kill)
        timer.start()
        try:
            while length := process.stdout.read(8):
                content = process.stdout.read(int.from_bytes(length, "big"))
                if len(content) < int.from_bytes(length, "big"):
                    break
                yield np.load(io.BytesIO(content), allow_pickle=False)
            said = process.stderr.read().decode(errors="replace").strip().splitlines()
            raise _unreadable(path, said[-1] if said else "its reader ended")
        finally:
            timer.cancel()
            process.kill()


def _unreadable(path: Path, reason: str) -> DataError:
    if reason.startswith("no struct"):
        return DataError(f"{path}: {reason}; get it again from Zenodo 545928")
    kind = reason.partition(":")[0].rpartition(".")[2]
    remedy = (
        "it is of MATLAB 7.3; save it as -v7" if kind == "NotImplementedError" else "get it again from Zenodo 545928"
    )
    return DataError(f"{path}: cannot be read as a MATLAB file ({kind:.60}); {remedy}")


def _require_bounded(path: Path) -> None:
    """Raise for a file that unpacks to more than a gigabyte, before any of it is kept."""
    total = path.stat().st_size
    with path.open("rb") as stream:
        header = stream.read(_HEADER_BYTES)
        order = ">" if header[-2:] == b"MI" else "<"
        while total <= _MAX_BYTES and len(tag := stream.read(8)) == 8:
            kind, size = struct.unpack(f"{order}II", tag)
            if kind != _COMPRESSED:
                stream.seek(size, 1)
                continue
            unpacker = zlib.decompressobj()
            while size and total <= _MAX_BYTES and not unpacker.eof:
                packed = stream.read(min(size, 1 << 16))
                if not packed:
                    return  # cut short: the reader says so
                size -= len(packed)
                total += len(unpacker.decompress(packed, _MAX_BYTES - total + 1))
            stream.seek(size, 1)
    if total > _MAX_BYTES:
        raise DataError(f"{path}: more than {_MAX_BYTES >> 20} MB once unpacked; get it again from Zenodo 545928")


def _malignant_class(path: Path, texts: Sequence[Sequence[str]]) -> tuple[int, list[DataWarning]]:
    """Return the class number that means malignant, and whether BI-RADS contradict it."""
    codes = [code for _, _, code in texts]
    swapped = (codes.count("1"), codes.count("0")) == _PUBLISHED
    malignant = 0 if swapped else 1
    problems = []
    if swapped:
        text = "52 of 100 lesions have class 0, and 52 are published as malignant; class 0 is read as malignant"
        problems.append(DataWarning(path.name, text))
    grades: dict[bool, list[int]] = {False: [], True: []}
    for _, birads, code in texts:
        if (grade := birads_of(birads, "")[0]) is not None and code in ("0", "1"):
            grades[int(code) == malignant].append(grade)
    if grades[True] and grades[False] and np.mean(grades[True]) < np.mean(grades[False]):
        text = "its malignant lesions have lower BI-RADS than its benign ones; check which class is which"
        problems.append(DataWarning(path.name, text))
    return malignant, problems


def _sample(lesion: str, plane: int, patient: str, birads: str, label: str) -> tuple[Sample, list[DataWarning]]:
    name = f"{lesion}-{plane}"
    grade, metadata, problems = birads_of(birads, name)
    return Sample(
        sample_id=name,
        source="oasbud",
        label=label,
        patient_id=f"oasbud-{patient}" if known(patient) else None,
        exam_id=f"oasbud-lesion-{lesion}",
        view=_PLANES[plane],
        birads=grade,
        device=_DEVICE,
        pixel_spacing_mm=(LATERAL_MM, LATERAL_MM),
        metadata=metadata,
    ), problems


def _add_plane(
    sample: Sample, rf: NDArray[Any], roi: NDArray[Any], images: dict[str, Image], masks: dict[str, Mask]
) -> str:
    """Add the image and the mask of a plane where they are usable; return what is wrong, empty where nothing is."""
    if rf.dtype.kind not in "iuf" or rf.ndim != 2 or not rf.size or not np.isfinite(rf).all() or not np.ptp(rf):
        return f"echoes are not a table of numbers that vary ({rf.shape} {rf.dtype}); left out"
    if rf.size > MAX_PIXELS:
        return f"{rf.shape[0]}×{rf.shape[1]} samples, at most {MAX_PIXELS} are read; left out"
    image = b_mode(rf, AXIAL_MM, LATERAL_MM)
    if min(image.shape) < MIN_SIDE:
        return f"{image.shape[1]}×{image.shape[0]} pixels, needs at least {MIN_SIDE} a side; left out"
    images[sample.sample_id] = image
    if roi.shape != rf.shape or roi.dtype.kind not in "biuf":
        return f"region ignored: it is {roi.shape}, its echoes {rf.shape}; the lesion outline counts as unknown"
    masks[sample.sample_id] = square_mask(roi, AXIAL_MM, LATERAL_MM)
    return ""
