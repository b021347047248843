from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from picture_files import LESION, picture, save
from published_sets import (
    BREAST_COLUMNS,
    BREAST_FOLDER,
    BREAST_ROWS,
    BREAST_TABLE,
    SECOND_LESION,
    breast_row,
    opaque,
    small_breast,
    write_csv,
)

from busight.data.manifest import build_manifest
from busight.data.sources.breast import load_breast
from busight.errors import DataError


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_small_set_by_hand(tmp_path: Path, suffix: str, require_package: Callable[[str, str], None]) -> None:
    if suffix == ".xlsx":
        require_package("openpyxl", "sources")
    data = load_breast(str(small_breast(tmp_path, suffix=suffix)))
    assert data.problems == ()
    assert data.class_counts() == {"benign": 1, "malignant": 2, "normal": 1}
    one, two, three, four = data.samples
    assert [sample.sample_id for sample in data.samples] == ["case001", "case002", "case003", "case004"]
    assert [sample.patient_id for sample in data.samples] == ["breast-1", "breast-2", "breast-3", "breast-4"]
    assert [sample.birads for sample in data.samples] == [4, 5, 1, 4]
    told = [dict(sample.metadata) for sample in data.samples]
    assert [cells.get("birads_subcategory") for cells in told] == ["4A", None, None, "4C"]
    assert told[1] == {"Pixel_size": "0.1", "Age": "57", "Halo": "no"}  # what is not applicable is left out
    assert [sample.histology for sample in data.samples] == ["Fibroadenoma", "Invasive carcinoma & DCIS", None, None]
    assert one.pixel_spacing_mm == pytest.approx((0.07, 0.07))  # 0.007 can only be cm
    assert two.pixel_spacing_mm == pytest.approx((0.1, 0.1))  # 0.1 can only be mm
    np.testing.assert_array_equal(data.reader.image(two), picture(2))
    np.testing.assert_array_equal(data.reader.mask(one), LESION)  # without the other findings
    assert data.reader.mask(three) is None
    np.testing.assert_array_equal(data.reader.mask(four), LESION | SECOND_LESION)


@pytest.mark.parametrize(
    ("text", "spacing"),
    [
        ("0.002", 0.02),
        ("0,0085", 0.085),
        ("0.02", 0.2),
        ("0.025", None),
        ("0.03", 0.03),
        ("0.3", 0.3),
        ("7", None),
        ("nan", None),
        ("", None),
        ("not available", None),
    ],
)
def test_pixel_size_is_read_where_its_unit_is_plain(tmp_path: Path, text: str, spacing: float | None) -> None:
    small_breast(tmp_path, [breast_row(1, "benign")])
    write_csv(tmp_path / f"{BREAST_TABLE}.csv", BREAST_COLUMNS, [breast_row(1, "benign", Pixel_size=text)], ";")
    (sample,) = load_breast(str(tmp_path)).samples
    assert sample.pixel_spacing_mm == (None if spacing is None else pytest.approx((spacing, spacing)))


@pytest.mark.parametrize("colour", [(0, 0, 0), (90, 0, 0), (255, 0, 255)])
def test_a_mask_of_opacity_in_any_colour_and_one_of_grey(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    small_breast(tmp_path)
    save(tmp_path / BREAST_FOLDER / "case001_tumor.png", opaque(LESION, colour))
    save(tmp_path / BREAST_FOLDER / "case002_tumor.png", LESION)
    data = load_breast(str(tmp_path))
    for sample in data.samples[:2]:
        np.testing.assert_array_equal(data.reader.mask(sample), LESION)


def test_the_folder_of_images_will_do_with_the_table_above_or_inside(tmp_path: Path) -> None:
    small_breast(tmp_path)
    samples = load_breast(str(tmp_path)).samples
    folder = tmp_path / BREAST_FOLDER
    above = load_breast(str(folder)).samples
    assert [sample.sample_id for sample in above] == [sample.sample_id for sample in samples]
    (tmp_path / f"{BREAST_TABLE}.csv").rename(folder / "table.csv")
    assert [sample.sample_id for sample in load_breast(str(folder)).samples] == [one.sample_id for one in samples]


def test_names_in_other_capitals_are_the_same_files(tmp_path: Path) -> None:
    rows = [
        row | {name: row[name] and str(row[name]).upper() for name in ("Image_filename", "Mask_tumor_filename")}
        for row in BREAST_ROWS
    ]
    samples = load_breast(str(small_breast(tmp_path / "a"))).samples
    write_csv(small_breast(tmp_path / "b") / f"{BREAST_TABLE}.csv", BREAST_COLUMNS, rows)
    assert load_breast(str(tmp_path / "b")).samples == samples


def test_a_csv_beside_the_workbook_takes_its_place(tmp_path: Path) -> None:
    small_breast(tmp_path)
    (tmp_path / f"{BREAST_TABLE}.xlsx").write_bytes(b"never opened")
    (tmp_path / f"~${BREAST_TABLE}.xlsx").write_bytes(b"the lock of a spreadsheet")
    assert len(load_breast(str(tmp_path)).samples) == 4


def test_rows_and_files_that_do_not_fit_are_named_and_nothing_else_is_lost(tmp_path: Path) -> None:
    rows = [
        *BREAST_ROWS,
        breast_row(5, "benign"),
        breast_row(6, "benign"),
        breast_row(7, "benign", BIRADS="8"),
        breast_row(7, "benign"),
    ]
    small_breast(tmp_path, rows)
    folder = tmp_path / BREAST_FOLDER
    (folder / "case002_tumor.png").unlink()
    (folder / "case004_tumor2.png").unlink()
    (folder / "case005.png").unlink()
    save(tmp_path / "again" / "case006.png", picture(6))
    rows[2] = breast_row(3, "normal", Classification="cyst")
    write_csv(tmp_path / f"{BREAST_TABLE}.csv", BREAST_COLUMNS, rows)
    data = load_breast(str(tmp_path))
    assert [(problem.path, problem.text) for problem in data.problems] == [
        (
            "case002_tumor.png",
            "mask of case002.png is not there once; image without a mask; kept, its lesion outline counts as unknown",
        ),
        ("case003.png", "Classification 'cyst' is not normal, benign, malignant; left out"),
        (
            "case004_tumor2.png",
            "mask of case004.png is not there once; image without a mask; kept, its lesion outline counts as unknown",
        ),
        ("case005.png", "listed in the table, but no such file; left out"),
        (
            "case006.png",
            f"is there 2 times (again/case006.png, {BREAST_FOLDER}/case006.png), keep one of them; left out",
        ),
        (f"{BREAST_FOLDER}/case007.png", "BI-RADS '8' is not a category 0–6 or 4A–4C; taken as unknown"),
        (f"{BREAST_FOLDER}/case007.png", f"{BREAST_TABLE}.csv lists it twice; its first row counts"),
    ]
    assert [sample.sample_id for sample in data.samples] == ["case001", "case002", "case004", "case007"]
    assert [bool(sample.mask_paths) for sample in data.samples] == [True, False, False, True]


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "", "sub/case001.png"])
def test_a_name_that_leads_elsewhere_is_no_file(tmp_path: Path, name: str) -> None:
    small_breast(tmp_path)
    rows = [breast_row(1, "benign", Image_filename=name), *BREAST_ROWS[1:]]
    write_csv(tmp_path / f"{BREAST_TABLE}.csv", BREAST_COLUMNS, rows)
    assert len(load_breast(str(tmp_path)).samples) == 3


def test_folders_that_are_not_the_set(tmp_path: Path) -> None:
    save(tmp_path / "images" / "case001.png", picture(1))
    with pytest.raises(DataError, match=r"no BrEaST-Lesions-USG-clinical-data-\*.xlsx; breast:PATH needs the folder"):
        load_breast(str(tmp_path / "images"))
    small_breast(tmp_path)
    write_csv(tmp_path / "BrEaST-Lesions-USG-clinical-data-Nov.csv", BREAST_COLUMNS, BREAST_ROWS)
    with pytest.raises(DataError, match=r"several tables \(BrEaST.*Dec.*Nov.csv\); keep one of them"):
        load_breast(str(tmp_path))
    (tmp_path / "BrEaST-Lesions-USG-clinical-data-Nov.csv").unlink()
    for path in [*(tmp_path / BREAST_FOLDER).iterdir(), tmp_path / "images" / "case001.png"]:
        path.unlink()
    with pytest.raises(DataError, match=r"none of its images is usable \(first: case001.png: listed in the table"):
        load_breast(str(tmp_path))


def test_the_manifest_takes_every_mask(tmp_path: Path) -> None:
    manifest = build_manifest(load_breast(str(small_breast(tmp_path))))
    assert [bool(row.mask_digest) for row in manifest.rows] == [True, True, False, True]
    assert manifest.dataset.problems == ()
