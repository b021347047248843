"""The manifest as a file: one CSV line for each image, with its digest."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from busight.data.manifest import DatasetManifest
from busight.errors import DataError
from busight.io.atomic import write_text
from busight.io.csv_text import csv_rows, csv_text

COLUMNS = (
    "sample_id",
    "label",
    "patient_id",
    "group",
    "height",
    "width",
    "birads",
    "device",
    "official_subset",
    "image_sha256",
    "origin",
    "mask_sha256",
)


def write_manifest(path: Path, manifest: DatasetManifest, groups: tuple[str, ...]) -> None:
    """Write ``manifest.csv``.

    Args:
        path: The file to write.
        manifest: The data set as read.
        groups: The group of each row, in order.

    Raises:
        OutputError: The file could not be written.
    """
    rows: list[Sequence[object]] = [COLUMNS]
    for entry, group in zip(manifest.rows, groups, strict=True):
        sample = entry.sample
        rows.append(
            [
                sample.sample_id,
                sample.label or "",
                sample.patient_id or "",
                group,
                entry.height,
                entry.width,
                "" if sample.birads is None else sample.birads,
                sample.device or "",
                sample.official_subset or "",
                entry.image_digest,
                " ".join(sorted(entry.digest_aliases - {entry.short_digest})),
                entry.mask_digest,
            ]
        )
    write_text(path, csv_text(rows))


def read_image_digests(path: Path) -> dict[str, frozenset[str]]:
    """Return the short digests by which each image is known: its own, and that of the image that it was shrunk from.

    Args:
        path: A ``manifest.csv``.

    Returns:
        Sample id → short digests.

    Raises:
        DataError: It cannot be read, or is no manifest.
    """
    try:
        names, *lines = csv_rows(path.read_bytes().decode())
        rows = [dict(zip(names, cells, strict=True)) for cells in lines]
        return {row["sample_id"]: frozenset((row["image_sha256"][:16], *row["origin"].split())) for row in rows}
    except (OSError, csv.Error, KeyError, ValueError) as error:
        raise DataError(f"{path}: not a manifest; make the result anew") from error
