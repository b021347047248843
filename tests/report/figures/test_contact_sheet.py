from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from busight.errors import OutputError
from busight.report.figures.contact_sheet import SheetImage, contact_sheet, draw_contact_sheet


def image(title: str = "benign (1)", label: str | None = "benign") -> SheetImage:
    mask = np.zeros((40, 60), bool)
    mask[10:20, 20:30] = True
    return SheetImage(title, np.full((40, 60), 90, np.uint8), mask, label)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_sheet_is_written_whole_and_the_same_each_time(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new" / f"sheet{suffix}"
    assert contact_sheet([image(), image("$x_1\x00", None)], path, columns=3) == path
    first = path.read_bytes()
    path.unlink()
    contact_sheet([image(), image("$x_1\x00", None)], path, columns=3)
    assert path.read_bytes() == first
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_png_holds_the_grey_of_the_image(tmp_path: Path) -> None:
    path = contact_sheet([image()], tmp_path / "sheet.png", columns=1)
    pixels = np.asarray(Image.open(path).convert("L"))
    # A colour map has 256 steps between 0 and 1: one level of rounding.
    assert (abs(pixels.astype(int) - 90) <= 1).mean() > 0.6


def test_labels_and_titles_stand_above_outlined_images() -> None:
    figure = draw_contact_sheet([image(), image("normal (7)", None)], columns=2)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["benign\nbenign (1)", "no label\nnormal (7)"]
    assert all(ax.collections for ax in figure.axes)


@pytest.mark.parametrize(
    ("images", "name", "columns", "message"),
    [
        ([], "sheet.png", 4, "no image"),
        ([image()], "sheet.docx", 4, r"end the name in \.png"),
        ([image()], "sheet.png", 0, "at least 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tmp_path, images, name, columns, message) -> None:
    with pytest.raises(OutputError, match=message):
        contact_sheet(images, tmp_path / name, columns)
    assert not list(tmp_path.iterdir())
