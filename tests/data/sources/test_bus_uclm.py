from pathlib import Path

import numpy as np
import pytest
from picture_files import LESION, NOISE, save
from published_sets import SECOND_LESION, UCLM_COLUMNS, UCLM_ROWS, painted, small_bus_uclm, write_csv

from busight.data.groups import group_samples
from busight.data.manifest import build_manifest
from busight.data.sources.bus_uclm import load_bus_uclm
from busight.errors import DataError


def test_a_small_set_by_hand(tmp_path: Path) -> None:
    data = load_bus_uclm(str(small_bus_uclm(tmp_path)))
    assert data.problems == ()
    assert data.class_counts() == {"benign": 1, "malignant": 2, "normal": 1}
    assert [sample.sample_id for sample in data.samples] == ["ALWI_000", "ALWI_001", "HESN_000", "VITR_000"]
    patients = ["bus_uclm-ALWI", "bus_uclm-ALWI", "bus_uclm-HESN", "bus_uclm-VITR"]
    assert [sample.patient_id for sample in data.samples] == patients
    told = [dict(sample.metadata) for sample in data.samples]
    assert [cells["Resolution"] for cells in told] == ["32x24"] * 4
    assert [cells["Doppler"] for cells in told] == ["No", "No", "Yes", "No"]
    assert [cells["Marks"] for cells in told] == ["Yes", "No", "No", "No"]
    assert {sample.device for sample in data.samples} == {"Siemens ACUSON S2000"}
    assert len(set(group_samples(data.samples, []))) == 3
    green, black, red, both = (data.reader.mask(sample) for sample in data.samples)
    np.testing.assert_array_equal(green, LESION)
    assert not black.any()
    np.testing.assert_array_equal(red, LESION)
    np.testing.assert_array_equal(both, LESION | SECOND_LESION)  # luma 150 and 76 are lesion alike
    assert build_manifest(data).dataset.problems == ()


def test_the_folders_of_the_archive_will_do(tmp_path: Path) -> None:
    small_bus_uclm(tmp_path / "BUS-UCLM Breast ultrasound lesion segmentation dataset" / "BUS-UCLM")
    assert len(load_bus_uclm(str(tmp_path)).samples) == 4


def test_names_without_suffix_and_a_table_with_commas(tmp_path: Path) -> None:
    rows = [row | {"Image": row["Image"].removesuffix(".png")} for row in UCLM_ROWS]
    small_bus_uclm(tmp_path)
    write_csv(tmp_path / "INFO.csv", UCLM_COLUMNS, rows, mark=",")
    assert load_bus_uclm(str(tmp_path)).samples == load_bus_uclm(str(small_bus_uclm(tmp_path / "b"))).samples


def test_what_does_not_fit_is_named_and_nothing_else_is_lost(tmp_path: Path) -> None:
    row = UCLM_ROWS[0]
    rows = [*UCLM_ROWS, row, row | {"Image": "GONE_000.png"}, row | {"Image": "../ODD_000.png"}]
    rows[1] = UCLM_ROWS[1] | {"Label": "Cyst"}
    small_bus_uclm(tmp_path, rows)
    save(tmp_path / "images" / "MORE_000.png", NOISE)
    save(tmp_path / "images" / "._MORE_000.png", NOISE)
    save(tmp_path / "masks" / "LOST_000.png", painted())
    (tmp_path / "masks" / "HESN_000.png").unlink()
    data = load_bus_uclm(str(tmp_path))
    assert [(problem.path, problem.text) for problem in data.problems] == [
        ("images/ALWI_001.png", "Label 'Cyst' is not normal, benign, malignant; row of INFO.csv left out"),
        ("images/HESN_000.png", "image without a mask; kept, its lesion outline counts as unknown"),
        ("images/ALWI_000.png", "its image is listed twice; row of INFO.csv left out"),
        ("images/GONE_000.png", "no such file; row of INFO.csv left out"),
        ("images/../ODD_000.png", "no such file; row of INFO.csv left out"),
        ("images/MORE_000.png", "not listed in INFO.csv; left out"),
        ("masks/LOST_000.png", "mask without its image; left out"),
    ]
    assert [sample.sample_id for sample in data.samples] == ["ALWI_000", "HESN_000", "VITR_000"]


def test_a_mask_of_another_size_is_ignored_and_told(tmp_path: Path) -> None:
    small_bus_uclm(tmp_path)
    save(tmp_path / "masks" / "HESN_000.png", np.zeros((24, 40, 3), np.uint8))
    manifest = build_manifest(load_bus_uclm(str(tmp_path)))
    assert [(problem.path, problem.text) for problem in manifest.dataset.problems] == [
        ("masks/HESN_000.png", "mask ignored: it is 40×24, its image 32×24")
    ]
    assert len(manifest.rows) == 4


@pytest.mark.parametrize("missing", ["INFO.csv", "images"])
def test_folders_that_are_not_the_set(tmp_path: Path, missing: str) -> None:
    small_bus_uclm(tmp_path)
    (tmp_path / missing).rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"no INFO.csv beside a folder images; bus_uclm:PATH needs both, and masks"):
        load_bus_uclm(str(tmp_path))


def test_a_table_of_other_images(tmp_path: Path) -> None:
    small_bus_uclm(tmp_path, [UCLM_ROWS[0] | {"Image": "GONE_000.png"}])
    with pytest.raises(DataError, match=r"INFO.csv: none of its images is usable; unpack the whole archive"):
        load_bus_uclm(str(tmp_path))
