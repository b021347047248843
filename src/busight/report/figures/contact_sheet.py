"""Contact sheet: many images with mask outlines and labels on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from busight.errors import OutputError
from busight.io.atomic import written_beside
from busight.report.figures.panels import ANNOTATED_STYLE, outline, panel_grid, show_grey, title
from busight.report.figures.shrink import small_image, small_mask
from busight.report.render.style import FULL_WIDTH, styled
from busight.report.text.sanitise import short_label
from busight.types import Image, Mask

_SUFFIXES = (".png", ".svg", ".pdf")


@dataclass(frozen=True, slots=True, eq=False)
class SheetImage:
    """One image of a contact sheet.

    Attributes:
        title: Usually the sample's id.
        image: uint8 HW.
        mask: bool HW to be outlined, or None.
        label: The class, or None where unknown.
    """

    title: str
    image: Image
    mask: Mask | None
    label: str | None


def contact_sheet(images: Sequence[SheetImage], path: Path, columns: int) -> Path:
    """Write a contact sheet, whole or not at all.

    Args:
        images: At least one.
        path: A file ending in .png, .svg or .pdf.
        columns: Images in a row.

    Returns:
        ``path``.

    Raises:
        OutputError: There is no image, the ending is another one, or the file cannot be written.
    """
    require_image_suffix(path)
    if not images:
        raise OutputError(f"{path}: there is no image to put on a contact sheet; choose a data set with images")
    if columns < 1:
        raise OutputError(f"{path}: {columns} images in a row; ask for at least 1")
    with styled(), written_beside(path, new=True) as beside:
        draw_contact_sheet(images, columns).savefig(beside, metadata=_undated(path))
    return path


def require_image_suffix(path: Path) -> None:
    """Raise for a name that does not end as an image file's; checked before the data are read.

    Raises:
        OutputError: The ending is not .png, .svg or .pdf.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise OutputError(f"{path}: a contact sheet is an image file; end the name in {', '.join(_SUFFIXES)}")


def draw_contact_sheet(images: Sequence[SheetImage], columns: int) -> Figure:
    """Draw images in rows of ``columns``, each under its label and title."""
    columns = min(columns, len(images))
    # Up to four share the width of a page; more make the sheet wider, so that images and labels stay legible.
    shared = min(columns, 4)
    longest = 96 // shared
    width = FULL_WIDTH * columns / shared
    figure, axes = panel_grid(len(images), columns, panel_height=1.2 + 2.2 / shared, width=width)
    for ax, image in zip(axes, images, strict=True):
        show_grey(ax, small_image(image.image))
        outline(ax, small_mask(image.mask), ANNOTATED_STYLE)
        title(ax, [short_label(image.label or "no label", longest), short_label(image.title, longest)])
    return figure


def _undated(path: Path) -> dict[str, None]:
    """Leave the date out where a format would hold one: the same images give the same bytes."""
    return {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower(), {})
