import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from picture_files import BUSBRA_HEADER, LESION, NOISE, picture, save, small_busbra
from PIL import Image as Pillow

from busight.data.sources.busbra import load_busbra
from busight.errors import DataError

ROW = 'bus_0001-l,1,fibroadenoma,benign,3,GE Logiq 7,32,24,left,"[10,8,10,6]"'


def test_a_small_set_by_hand(tmp_path: Path) -> None:
    data = load_busbra(str(small_busbra(tmp_path)))
    left, right, single = data.samples
    assert data.class_counts() == {"benign": 2, "malignant": 1}
    assert left.patient_id == right.patient_id != single.patient_id
    assert (left.laterality, right.laterality, single.laterality) == ("left", "right", None)
    assert (left.birads, single.birads, single.label) == (3, 5, "malignant")
    assert (single.histology, single.device) == ("invasive ductal carcinoma", "GE Logiq 5")
    assert [sample.official_subset for sample in data.samples] == ["1", "1", "2"]
    np.testing.assert_array_equal(data.reader.image(left), NOISE)
    np.testing.assert_array_equal(data.reader.mask(left), LESION)
    assert data.problems == ()


def test_the_folder_above_will_do_and_folds_may_be_missing(tmp_path: Path) -> None:
    small_busbra(tmp_path / "BUSBRA")
    (tmp_path / "BUSBRA" / "5-fold-cv.csv").unlink()
    assert [sample.official_subset for sample in load_busbra(str(tmp_path)).samples] == [None] * 3


def test_files_that_disagree_with_the_table_are_named(tmp_path: Path) -> None:
    small_busbra(tmp_path)
    save(tmp_path / "Images" / "bus_0001-l.png", NOISE[:, :31])
    (tmp_path / "Images" / "bus_0001-r.png").unlink()
    (tmp_path / "Masks" / "mask_0002-s.png").unlink()
    data = load_busbra(str(tmp_path))
    assert [(problem.path, problem.text) for problem in data.problems] == [
        ("Images/bus_0001-l.png", "bus_data.csv says 32×24, the file is 31×24; the file is believed"),
        ("Images/bus_0001-r.png", "listed in bus_data.csv, but no such file; left out"),
        ("Images/bus_0002-s.png", "image without a mask; kept, its lesion outline counts as unknown"),
    ]
    assert [sample.sample_id for sample in data.samples] == ["bus_0001-l", "bus_0002-s"]


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ([ROW.replace("benign", "cyst")], "row bus_0001-l is not as published .*cyst"),
        ([ROW.replace("benign,3", "benign,7")], "row bus_0001-l is not as published .BI-RADS '7'"),
        ([ROW.replace("benign,3", "benign,²")], "row bus_0001-l is not as published .BI-RADS '²'"),
        ([ROW.replace("-l,1,", "-l,one,")], "row bus_0001-l is not as published"),
        ([ROW, ROW], "an ID stands in two rows"),
        ([ROW, "bus_0002-s,2,fibroadenoma"], "line 3 has no Pathology; get the table again"),
        ([ROW, ",2,fibroadenoma,benign,3"], "line 3 has no ID; get the table again"),
        ([], "none of the images of bus_data.csv is there"),
    ],
)
def test_a_table_that_is_not_as_published(tmp_path: Path, rows: list[str], rule: str) -> None:
    small_busbra(tmp_path, *rows)
    if not rows:
        (tmp_path / "bus_data.csv").write_text("ID,Case,Pathology,BIRADS\n")
    with pytest.raises(DataError, match=rule) as caught:
        load_busbra(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_tables_that_cannot_be_read(tmp_path: Path) -> None:
    small_busbra(tmp_path)
    (tmp_path / "5-fold-cv.csv").write_text("ID,fold\nbus_0001-l,1\n")
    with pytest.raises(DataError, match=r"5-fold-cv.csv: line 2 has no kFold"):
        load_busbra(str(tmp_path))
    (tmp_path / "bus_data.csv").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match=r"bus_data.csv: a workbook, not a CSV table; save it as CSV, UTF-8"):
        load_busbra(str(tmp_path))
    (tmp_path / "bus_data.csv").unlink()
    with pytest.raises(DataError, match=r"bus_data.csv: not found; busbra:PATH needs the folder"):
        load_busbra(str(tmp_path))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_the_tables_after_a_spreadsheet(tmp_path: Path, encoding: str) -> None:
    """Semicolons, decimal commas, other capitals, a column and lines without text, commas in the box replaced."""
    expected = load_busbra(str(small_busbra(tmp_path)))
    header = BUSBRA_HEADER.lower().replace(",", ";") + ";;"
    rows = (
        "bus_0001-l;1,0;fibroadenoma;benign;3,0;GE Logiq 7;32,0;24,0;left;[10;;",
        "bus_0001-r;1;fibroadenoma;benign;2;GE Logiq 7;32;24;right;;;",
        "bus_0002-s;2;invasive ductal carcinoma;malignant;5;GE Logiq 5;32;24;single;;;",
        ";;;;;;;;;;;",
    )
    (tmp_path / "bus_data.csv").write_text("\r\n".join((header, *rows, "")), encoding)
    (tmp_path / "5-fold-cv.csv").write_text("ID;kFold\nbus_0001-l;1,0\nbus_0001-r;1\nbus_0002-s;2\n", encoding)
    data = load_busbra(str(tmp_path))
    assert data.samples == expected.samples
    assert data.problems == ()


def test_images_in_another_format_are_found(tmp_path: Path) -> None:
    small_busbra(tmp_path)
    (tmp_path / "Images" / "bus_0001-l.png").rename(tmp_path / "Images" / "BUS_0001-L.PNG")
    save(tmp_path / "Images" / "bus_0001-r.tif", picture(1))
    (tmp_path / "Images" / "bus_0001-r.png").unlink()
    (tmp_path / "Images" / "._bus_0001-r.tif").write_bytes(b"AppleDouble")
    save(tmp_path / "Images" / "bus_0009-l.png", NOISE)
    data = load_busbra(str(tmp_path))
    paths = ["Images/BUS_0001-L.PNG", "Images/bus_0001-r.tif", "Images/bus_0002-s.png"]
    assert [sample.image_path for sample in data.samples] == paths
    assert [len(sample.mask_paths) for sample in data.samples] == [1, 1, 1]
    (problem,) = data.problems
    assert (problem.path, problem.text) == (
        "Images/bus_0009-l.png", "1 images are not in bus_data.csv and were left out",
    )  # fmt: skip


def test_the_real_files(busbra_root: Path) -> None:
    data = load_busbra(str(busbra_root))
    assert not any(sample.label == "normal" for sample in data.samples)
    assert {sample.birads for sample in data.samples} == {2, 3, 4, 5}
    assert {sample.laterality for sample in data.samples} == {"left", "right", None}
    images_of = Counter(sample.patient_id for sample in data.samples)
    assert max(images_of.values()) > 1
    folds: dict[str, set[str]] = {}
    for sample in data.samples:
        folds.setdefault(str(sample.patient_id), set()).add(str(sample.official_subset))
    assert set.union(*folds.values()) == {"1", "2", "3", "4", "5"}
    assert all(len(parts) == 1 for parts in folds.values())  # the authors' folds keep cases together


def test_the_real_size_problems_are_those_that_pillow_finds(busbra_root: Path) -> None:
    """The complete set has a few sizes that are off by a pixel; which of them are in a copy depends on the copy."""
    wrong = []
    with (busbra_root / "bus_data.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            with Pillow.open(busbra_root / "Images" / f"{row['ID']}.png") as file:
                if file.size != (int(row["Width"]), int(row["Height"])):
                    wrong.append(f"Images/{row['ID']}.png")
    assert [problem.path for problem in load_busbra(str(busbra_root)).problems] == wrong
