"""The source ``dicom:PATH``: DICOM objects in a file or a folder, one sample per frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from busight.data.dataset import DataSet
from busight.data.image_spec import GREY
from busight.data.labels import BREAST
from busight.data.readers.decode import DecodedImage
from busight.data.readers.dicom import DicomFrames, is_dicom, read_dicom
from busight.data.readers.listing import visible_files
from busight.data.sources.folder import natural_order
from busight.data.table_values import known, known_label
from busight.errors import DataError, ImageError
from busight.io.csv_table import Table, listed_path, read_table
from busight.io.paths import user_path
from busight.types import DataWarning, Image, Mask, Sample

LABELS_FILE = "labels.csv"
"""Optional table in the folder's root: columns ``path``, ``label`` and, if wanted, ``patient``."""

_COLUMNS = ("path", "label", "patient")


@dataclass(frozen=True, slots=True)
class DicomReader:
    """Reader of the frames of the DICOM files below one folder."""

    root: Path

    def image(self, sample: Sample) -> Image:
        """Return the ultrasound region (``sample.region``; the whole frame where it is None) as grey, uint8 HW."""
        pixels, white_level, _ = self._decoded(sample)
        image = GREY.apply(pixels, white_level, str(self.root / sample.image_path))
        return image.copy()  # the caller may write into it, and the decoded frame is kept

    def warnings(self, sample: Sample) -> tuple[str, ...]:
        """Return what was assumed or ignored when the image was read."""
        return self._decoded(sample).warnings

    def _decoded(self, sample: Sample) -> DecodedImage:
        path = self.root / sample.image_path
        try:
            state = path.stat()
        except OSError:  # reading it gives the reason
            return read_dicom(path).decode(sample.frame)
        return _decoded(path, state.st_mtime_ns, state.st_size, sample.frame)

    def mask(self, sample: Sample) -> Mask | None:
        """Return None: DICOM images carry no lesion mask."""
        return None


@lru_cache(maxsize=1)
def _opened(path: Path, changed: int, size: int) -> DicomFrames:
    """Return an object, the last one without reading it again: the frames of a cine are samples of their own."""
    return read_dicom(path)


@lru_cache(maxsize=1)
def _decoded(path: Path, changed: int, size: int, frame: int) -> DecodedImage:
    """Return a frame, the last one without decoding it again: its pixels and its warnings are asked for apart."""
    return _opened(path, changed, size).decode(frame)


@dataclass(frozen=True, slots=True)
class _Label:
    label: str | None
    patient_id: str | None
    metadata: tuple[tuple[str, str], ...]


def load_dicom(argument: str) -> DataSet:
    """Load DICOM images from a file, or from a folder and everything below it.

    Every frame is a sample (``"case1/cine.dcm#7"``; without ``#`` where the object has a single frame). Its label is
    None unless ``labels.csv`` in the folder's root lists the file: columns ``path`` (relative to the folder), ``label``
    (normal, benign, malignant or empty) and optionally ``patient`` (a pseudonym that replaces the hashed PatientID).
    Only headers are read here.

    Args:
        argument: A path, ``~`` allowed.

    Returns:
        Samples sorted by path and frame. Problems hold each unreadable DICOM file, each labelled file that is not
        among the samples, and one line with the number of files that are not DICOM.

    Raises:
        DataError: The path does not exist, holds no readable DICOM image, or its labels file is inconsistent.
    """
    path = user_path(argument)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; check the path after dicom:")
    root = path if path.is_dir() else path.parent
    labels: dict[str, _Label] = {}
    notes: tuple[str, ...] = ()
    if path.is_dir() and (root / LABELS_FILE).is_file():
        table = read_table(root / LABELS_FILE, _COLUMNS)
        labels, notes = _labels(root / LABELS_FILE, table), table.notes
    dicom_files, n_others = _found(path)
    samples: list[Sample] = []
    problems: list[DataWarning] = []
    for file in dicom_files:
        relative = file.relative_to(root).as_posix()
        try:
            frames = read_dicom(file)
            samples += _samples(relative, frames, labels.get(relative))
            problems += [DataWarning(relative, text) for text in frames.warnings]
        except ImageError as error:
            problems.append(DataWarning(relative, f"left out: {error}"))
    if not samples:
        reason = f"; the first: {problems[0].text}" if problems else ""
        raise DataError(
            f"{path}: no readable DICOM image among {len(dicom_files) + n_others} files{reason}; name another folder"
        )
    unused = sorted(labels.keys() - {sample.image_path for sample in samples})
    problems += [DataWarning(name, f"in {LABELS_FILE}, but no readable DICOM image; label ignored") for name in unused]
    problems += [DataWarning(LABELS_FILE, note) for note in notes]
    if n_others:
        problems.append(DataWarning(".", f"{n_others} files are not DICOM and were left out"))
    return DataSet(f"dicom:{argument}", "dicom", tuple(samples), DicomReader(root), BREAST, tuple(problems))


def _found(path: Path) -> tuple[list[Path], int]:
    """Return the DICOM files in a stable order, and the number of other files but labels and DICOMDIR index."""
    if path.is_file():
        return [path], 0
    found = (file for file in visible_files(path) if file.is_file() and file.name not in (LABELS_FILE, "DICOMDIR"))
    files = sorted(found, key=lambda file: (natural_order(file), file))
    dicom_files = [file for file in files if is_dicom(file)]
    return dicom_files, len(files) - len(dicom_files)


def _samples(relative: str, frames: DicomFrames, label: _Label | None) -> list[Sample]:
    first = Sample(
        sample_id=relative,
        source="dicom",
        label=label.label if label else None,
        image_path=relative,
        patient_id=(label.patient_id if label else None) or frames.patient_id,
        exam_id=frames.exam_id,
        laterality=frames.laterality,
        device=frames.device,
        metadata=label.metadata if label else (),
    )
    samples = []
    for index in range(frames.n_frames):
        sample_id = relative if frames.n_frames == 1 else f"{relative}#{index}"
        spacing, region = frames.pixel_spacing_mm(index), frames.geometry(index).region
        samples.append(replace(first, sample_id=sample_id, frame=index, pixel_spacing_mm=spacing, region=region))
    return samples


def _labels(path: Path, table: Table) -> dict[str, _Label]:
    """Return the labels of a table; every row must be valid, because a dropped label would silently change the data."""
    labels: dict[str, _Label] = {}
    if missing := {"path", "label"} - set(table.columns):
        raise DataError(f"{path}: lacks the column {min(missing)}; its first line must read path,label[,patient]")
    for row in table.rows:
        name = Path(listed_path(path, row.cells["path"])).as_posix()
        if name in labels:
            raise DataError(f"{path}: line {row.line} names {name} a second time; keep one of the two")
        metadata = tuple((column, text) for column, text in row.cells.items() if column not in _COLUMNS and text)
        label = _label(path, row.line, row.cells["label"])
        labels[name] = _Label(label, known(row.cells.get("patient")), metadata)
    return labels


def _label(path: Path, line: int, text: str) -> str | None:
    name = (known_label(text) or "").lower()
    if not name:
        return None
    if name not in BREAST.names:
        raise DataError(f"{path}: line {line} has label {name!r:.40}; use {', '.join(BREAST.names)} or leave it empty")
    return name
