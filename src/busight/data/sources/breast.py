"""BrEaST ("Breast-Lesions-USG") in its official layout: a table, and PNG images and masks in one folder.

``BrEaST-Lesions-USG-clinical-data-*.xlsx`` and ``BrEaST-Lesions_USG-images_and_masks/`` with ``case001.png``,
``case001_tumor.png``, ``case001_other1.png``. Licence: CC BY 4.0.

Source:
    Pawłowska et al.: Curated benchmark dataset for ultrasound based breast lesion analysis, Scientific Data 11
    (2024), doi:10.1038/s41597-024-02984-z. Data: The Cancer Imaging Archive, doi:10.7937/9WKK-Q141.
"""

from __future__ import annotations

from pathlib import Path, PurePath

from busight.data.dataset import DataSet
from busight.data.labels import BREAST
from busight.data.readers.files import FileReader
from busight.data.readers.image import IMAGE_SUFFIXES
from busight.data.readers.listing import NO_MASK
from busight.data.sources.folder import existing_folder
from busight.data.sources.published import TABLE_SUFFIXES, below, birads_of, inside, published_rows
from busight.data.table_values import known
from busight.errors import DataError
from busight.io.csv_table import number_of
from busight.types import DataWarning, Sample

_TABLE_START = "breast-lesions"
_NEEDED = ("CaseID", "Image_filename", "Mask_tumor_filename", "Classification")
_READ = frozenset({*_NEEDED, "Mask_other_filename", "BIRADS", "Diagnosis"})
_CM_SPACING = (0.002, 0.02)
_MM_SPACING = (0.03, 0.3)


def load_breast(argument: str) -> DataSet:
    """List BrEaST below a folder that holds its table and its images.

    Each of the 256 cases is one patient with one image. The lesion mask joins the files of ``Mask_tumor_filename``;
    those of ``Mask_other_filename`` outline other findings and are not read. BI-RADS 4a, 4b and 4c are category 4.
    ``Diagnosis`` is the histology; all other columns that say something are kept as metadata.

    The unit of ``Pixel_size`` could not be confirmed. Up to 0.02 it is taken as cm and from 0.03 as mm, since the other
    unit would make pixels of 20 µm and less, or images of more than 10 cm; outside 0.002–0.3 it counts as unknown.

    Args:
        argument: Path of the folder; the table may be XLSX or its export as CSV, and the images may lie below it.

    Raises:
        DataError: The folder or the table is missing, or none of its images is there.
        MissingExtraError: The table is XLSX, and openpyxl is not installed.
    """
    root = existing_folder(argument, "breast")
    table = _table(root)
    files = _files_by_name(root)
    rows, problems = published_rows(table, _NEEDED)
    samples: dict[str, Sample] = {}
    for row in rows:
        sample, told = _sample(row, files)
        problems += told
        if sample is not None and sample.sample_id in samples:
            problems.append(DataWarning(sample.image_path, f"{table.name} lists it twice; its first row counts"))
        elif sample is not None:
            samples[sample.sample_id] = sample
    if not samples:
        first = f" (first: {problems[0].path}: {problems[0].text})" if problems else ""
        raise DataError(f"{table}: none of its images is usable{first}; unpack the archive of images beside the table")
    return DataSet(f"breast:{argument}", "breast", tuple(samples.values()), FileReader(root), BREAST, tuple(problems))


def _table(root: Path) -> Path:
    """Return the clinical table in, below or beside the folder; its export as CSV before the workbook."""
    inner = below(root, TABLE_SUFFIXES)
    found = [path for path in inner if path.name.casefold().startswith(_TABLE_START)]
    found = found or [
        path
        for path in inside(root.resolve().parent)
        if path.suffix.lower() in TABLE_SUFFIXES and path.name.casefold().startswith(_TABLE_START)
    ]
    found = found or inner
    if not found:
        raise DataError(
            f"{root}: no BrEaST-Lesions-USG-clinical-data-*.xlsx; breast:PATH needs the folder with that table, or its "
            "export as CSV, and the images"
        )
    stems = {path.stem for path in found}
    if len(stems) > 1:
        raise DataError(f"{root}: several tables ({', '.join(sorted(path.name for path in found))}); keep one of them")
    return min(found, key=lambda path: TABLE_SUFFIXES.index(path.suffix.lower()))


def _files_by_name(root: Path) -> dict[str, list[str]]:
    """Return image files, relative to the root, by their names in lower case."""
    files: dict[str, list[str]] = {}
    for path in below(root, IMAGE_SUFFIXES):
        files.setdefault(path.name.casefold(), []).append(path.relative_to(root).as_posix())
    return files


def _sample(row: dict[str, str], files: dict[str, list[str]]) -> tuple[Sample | None, list[DataWarning]]:
    fault = _image_fault(row, files)
    if fault:
        return None, [DataWarning(row["Image_filename"] or f"case {row['CaseID'] or '?'}", f"{fault}; left out")]
    name, label = row["Image_filename"].casefold(), row["Classification"].lower()
    masks, problems = _masks(row, files)
    if not masks and BREAST.shows_lesion(label) and not problems:
        problems = [DataWarning(files[name][0], NO_MASK)]
    birads, metadata, told = birads_of(_known(row, "BIRADS"), files[name][0])
    return Sample(
        sample_id=PurePath(files[name][0]).stem,
        source="breast",
        label=label,
        image_path=files[name][0],
        mask_paths=masks,
        patient_id=f"breast-{row['CaseID']}",
        birads=birads,
        histology=_known(row, "Diagnosis") or None,
        pixel_spacing_mm=_spacing(row.get("Pixel_size", "")),
        metadata=(
            *metadata,
            *((column, text) for column in row if column not in _READ and (text := _known(row, column))),
        ),
    ), problems + told


def _image_fault(row: dict[str, str], files: dict[str, list[str]]) -> str:
    """Return why a row cannot be used; empty where it can."""
    name = row["Image_filename"].casefold()
    if not name or not row["CaseID"]:
        return "row without CaseID or Image_filename"
    if name not in files:
        return "listed in the table, but no such file"
    if len(files[name]) > 1:
        return f"is there {len(files[name])} times ({', '.join(files[name])}), keep one of them"
    if row["Classification"].lower() not in BREAST.names:
        return f"Classification {row['Classification']!r:.40} is not {', '.join(BREAST.names)}"
    return ""


def _masks(row: dict[str, str], files: dict[str, list[str]]) -> tuple[tuple[str, ...], list[DataWarning]]:
    """Return the masks of the tumour; none where one of several is missing, as the rest would be half a lesion."""
    names = [name.strip() for name in _known(row, "Mask_tumor_filename").split("&") if name.strip()]
    missing = [name for name in names if len(files.get(name.casefold(), ())) != 1]
    if missing:
        return (), [DataWarning(missing[0], f"mask of {row['Image_filename']} is not there once; {NO_MASK}")]
    return tuple(files[name.casefold()][0] for name in names), []


def _known(row: dict[str, str], column: str) -> str:
    """Return a cell, empty where it says that there is nothing to say."""
    text = known(row.get(column)) or ""
    return "" if text.lower() == "not applicable" else text


def _spacing(text: str) -> tuple[float, float] | None:
    try:
        size = number_of(text)
    except ValueError:
        return None
    if _CM_SPACING[0] <= size <= _CM_SPACING[1]:
        return round(size * 10, 6), round(size * 10, 6)
    return (size, size) if _MM_SPACING[0] <= size <= _MM_SPACING[1] else None
