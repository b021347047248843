from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from picture_files import LESION, NOISE, picture, save
from published_sets import UDIAT_COLUMNS, UDIAT_ROWS, small_udiat, write_csv

from busight.data.sources.udiat import load_udiat
from busight.errors import DataError

LABELS = ["benign", "malignant", "benign", "malignant"]
NAMES = ["000001", "000002", "000003", "000010"]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_small_set_by_hand(tmp_path: Path, suffix: str, require_package: Callable[[str, str], None]) -> None:
    if suffix == ".xlsx":
        require_package("openpyxl", "sources")
    data = load_udiat(str(small_udiat(tmp_path, suffix=suffix)))
    assert data.problems == ()
    assert [sample.sample_id for sample in data.samples] == NAMES
    assert [sample.label for sample in data.samples] == LABELS
    assert [sample.histology for sample in data.samples] == ["CYST", "IDC", None, "ILC"]
    assert [sample.patient_id for sample in data.samples] == [f"udiat-{name}" for name in NAMES]
    np.testing.assert_array_equal(data.reader.image(data.samples[3]), picture(10))
    np.testing.assert_array_equal(data.reader.mask(data.samples[3]), LESION)


def test_the_folder_above_will_do(tmp_path: Path) -> None:
    small_udiat(tmp_path / "BUS" / "Dataset_B")
    assert [sample.label for sample in load_udiat(str(tmp_path)).samples] == LABELS


@pytest.mark.parametrize("form", ["{}", "{:06d}", "{:06d}.png", "{}.0"])
def test_images_are_named_by_number_in_any_form(tmp_path: Path, form: str) -> None:
    rows = [row | {"Image": form.format(int(row["Image"]))} for row in UDIAT_ROWS]
    data = load_udiat(str(small_udiat(tmp_path, rows)))
    assert ([sample.label for sample in data.samples], data.problems) == (LABELS, ())


def test_lists_of_a_class_stand_in_for_the_table(tmp_path: Path) -> None:
    small_udiat(tmp_path, [])
    (tmp_path / "Benign.txt").write_text("000001.png\n3\n")
    (tmp_path / "malignant.txt").write_text("000002\r\n000010\r\n")
    data = load_udiat(str(tmp_path))
    assert ([sample.label for sample in data.samples], data.problems) == (LABELS, ())
    (tmp_path / "malignant.txt").write_text("000001")
    with pytest.raises(DataError, match=r"malignant.txt: image 000001 is both benign and malignant; keep one"):
        load_udiat(str(tmp_path))


@pytest.mark.parametrize("form", ["{label}/{folder}", "{folder}/{label}"])
def test_folders_of_a_class_stand_in_for_the_table(tmp_path: Path, form: str) -> None:
    for label in ("Benign", "Malignant"):
        for number in (1, 2):  # numbered anew in each class
            save(tmp_path / form.format(label=label, folder="original") / f"{number:06d}.png", picture(number))
            save(tmp_path / form.format(label=label, folder="GT") / f"{number:06d}.png", LESION)
    data = load_udiat(str(tmp_path))
    names = ["benign/000001", "benign/000002", "malignant/000001", "malignant/000002"]
    assert [sample.sample_id for sample in data.samples] == names
    assert [sample.label for sample in data.samples] == ["benign", "benign", "malignant", "malignant"]
    assert data.problems == ()
    for sample in data.samples:
        np.testing.assert_array_equal(data.reader.mask(sample), LESION)


def test_what_does_not_fit_is_named_and_nothing_else_is_lost(tmp_path: Path) -> None:
    small_udiat(tmp_path, [*UDIAT_ROWS[:3], UDIAT_ROWS[0] | {"Image": 77}])
    (tmp_path / "GT" / "000001.png").unlink()
    (tmp_path / "original" / "000003.png").unlink()
    save(tmp_path / "original" / "2.bmp", NOISE)
    save(tmp_path / "original" / "._000001.png", NOISE)
    (tmp_path / "original" / "000004.dcm").touch()
    data = load_udiat(str(tmp_path))
    assert [(problem.path, problem.text) for problem in data.problems] == [
        ("original/000002.png", "a file of this number is there already; left out"),
        ("original", "1 file left out, because the suffix is none of an image, e.g. 000004.dcm"),
        ("original/000010.png", "its class is nowhere listed; kept without a label"),
        ("original/000001.png", "image without a mask; kept, its lesion outline counts as unknown"),
        ("GT/000003.png", "mask without its image; left out"),
        ("original/000003.png", "its class is listed, but no such file; left out"),
        ("original/000077.png", "its class is listed, but no such file; left out"),
    ]
    assert [sample.label for sample in data.samples] == ["benign", "malignant", None]


def test_folders_that_are_not_the_set(tmp_path: Path) -> None:
    save(tmp_path / "a" / "b.png", NOISE)
    with pytest.raises(DataError, match=r"no folder original; udiat:PATH needs original, GT and DatasetB.xlsx"):
        load_udiat(str(tmp_path))
    small_udiat(tmp_path, [])
    with pytest.raises(DataError, match=r"no class is known; udiat:PATH needs DatasetB.xlsx or its export as CSV"):
        load_udiat(str(tmp_path))
    write_csv(tmp_path / "DatasetB.csv", UDIAT_COLUMNS, [UDIAT_ROWS[0] | {"Type": "Cyst"}])
    with pytest.raises(DataError, match=r"DatasetB.csv: image 1 has Type 'Cyst', not benign or malignant; mend it"):
        load_udiat(str(tmp_path))
    write_csv(tmp_path / "DatasetB.csv", UDIAT_COLUMNS, [UDIAT_ROWS[0], UDIAT_ROWS[0] | {"Type": "Malignant"}])
    with pytest.raises(DataError, match=r"DatasetB.csv: image 1 is both benign and malignant; keep one of the two"):
        load_udiat(str(tmp_path))
