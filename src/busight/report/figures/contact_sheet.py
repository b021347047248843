"""A contact sheet: many images with mask outlines and labels on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from busight.errors import OutputError
from busight.io.atomic import written_beside
from busight.report.figures.panels import DRAWN_STYLE, outline, panel_grid, show_grey, title
from busight.report.figures.shrink import small_image, small_mask
from busight.report.render.style import FULL_WIDTH, styled
from busight.report.text.labels import short_label
from busight.types import Image, Mask

_SUFFIXES = (".png", ".svg", ".pdf")


@dataclass(frozen=True, slots=True, eq=False)
class SheetPicture:
    """One picture of a sheet.

    Attributes:
        title: What it is, usually the sample's id.
        image: uint8 HW.
        mask: bool HW to be outlined, or None.
        label: The class, or None where unknown.
    """

    title: str
    image: Image
    mask: Mask | None
    label: str | None


def contact_sheet(pictures: Sequence[SheetPicture], path: Path, columns: int) -> Path:
    """Write a contact sheet, whole or not at all.

    Args:
        pictures: At least one.
        path: A file ending in .png, .svg or .pdf.
        columns: Pictures in a row.

    Returns:
        ``path``.

    Raises:
        OutputError: There is no picture, the ending is another one, or the file cannot be written.
    """
    require_picture_name(path)
    if not pictures:
        raise OutputError(f"{path}: there is no picture to put on a contact sheet; choose a data set with images")
    if columns < 1:
        raise OutputError(f"{path}: {columns} pictures in a row; ask for at least 1")
    with styled(), written_beside(path) as beside:
        draw_contact_sheet(pictures, columns).savefig(beside, metadata=_undated(path))
    return path


def require_picture_name(path: Path) -> None:
    """Refuse a name that does not end as a picture's; worth asking before the data are read.

    Raises:
        OutputError: The ending is not .png, .svg or .pdf.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise OutputError(f"{path}: a contact sheet is a picture; end the name in {', '.join(_SUFFIXES)}")


def draw_contact_sheet(pictures: Sequence[SheetPicture], columns: int) -> Figure:
    """Draw pictures in rows of ``columns``, each under its label and title."""
    columns = min(columns, len(pictures))
    # Up to four share the width of a page; more make the sheet wider, so that pictures and labels stay legible.
    shared = min(columns, 4)
    longest = 96 // shared
    width = FULL_WIDTH * columns / shared
    figure, axes = panel_grid(len(pictures), columns, panel_height=1.2 + 2.2 / shared, width=width)
    for ax, picture in zip(axes, pictures, strict=True):
        show_grey(ax, small_image(picture.image))
        outline(ax, small_mask(picture.mask), DRAWN_STYLE)
        title(ax, [short_label(picture.label or "no label", longest), short_label(picture.title, longest)])
    return figure


def _undated(path: Path) -> dict[str, None]:
    """Leave the date out where a format would hold one: the same pictures give the same bytes."""
    return {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower(), {})
