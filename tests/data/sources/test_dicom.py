from pathlib import Path

import numpy as np
import pytest
from dicom_files import RAMP, RGB, region, write_dicom

from busight.data.sources.dicom import load_dicom
from busight.errors import DataError
from busight.types import Roi


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two stills, a cine of three frames without suffix, a broken object and two other files."""
    (tmp_path / "case").mkdir()
    write_dicom(tmp_path / "im2.dcm", RAMP[None], PatientID="A", SequenceOfUltrasoundRegions=[region()])
    write_dicom(tmp_path / "im10.dcm", RGB[None], "RGB", PatientID="B", Laterality="L")
    write_dicom(tmp_path / "case" / "cine", np.stack([RAMP, 255 - RAMP, RAMP // 2]), PatientID="A")
    (tmp_path / "broken.dcm").write_bytes((tmp_path / "im2.dcm").read_bytes()[:-200])
    (tmp_path / "notes.txt").write_text("not DICOM")
    (tmp_path / "case" / "thumb.png").write_bytes(b"not DICOM either")
    return tmp_path


def test_a_folder(folder: Path) -> None:
    data = load_dicom(str(folder))
    assert [sample.sample_id for sample in data.samples] == [
        "case/cine#0", "case/cine#1", "case/cine#2", "im2.dcm", "im10.dcm",
    ]  # fmt: skip
    assert (data.name, data.spec) == ("dicom", f"dicom:{folder}")
    assert {sample.label for sample in data.samples} == {None}
    cine, still, colour = data.samples[1], data.samples[3], data.samples[4]
    assert (cine.image_path, cine.frame, cine.patient_id) == ("case/cine", 1, still.patient_id)
    assert colour.patient_id != still.patient_id
    assert colour.laterality == "left"
    assert still.region == Roi(2, 4, 22, 34)
    assert still.pixel_spacing_mm == pytest.approx((0.1, 0.1))


def test_the_reader_gives_the_ultrasound_region_and_no_masks(folder: Path) -> None:
    data = load_dicom(str(folder))
    np.testing.assert_array_equal(data.reader.image(data.samples[1]), 255 - RAMP)
    # im2.dcm names a region, the cine none.
    np.testing.assert_array_equal(data.reader.image(data.samples[3]), RAMP[2:22, 4:34])
    assert data.reader.mask(data.samples[3]) is None


def test_what_was_left_out_is_told(folder: Path) -> None:
    broken, others = load_dicom(str(folder)).problems
    assert broken.path == "broken.dcm"
    assert "left out: " in broken.text
    assert "truncated" in broken.text
    assert (others.path, others.text) == (".", "2 files are not DICOM and were left out")


def test_a_single_file(folder: Path) -> None:
    data = load_dicom(str(folder / "case" / "cine"))
    assert [sample.sample_id for sample in data.samples] == ["cine#0", "cine#1", "cine#2"]
    assert data.problems == ()
    np.testing.assert_array_equal(data.reader.image(data.samples[2]), RAMP // 2)


def test_labels(folder: Path) -> None:
    (folder / "labels.csv").write_text(
        "path,label,patient\ncase/cine,Malignant,p1\nim2.dcm,,\nim10.dcm,benign,\ngone.dcm,normal,\n",
        encoding="utf-8-sig",
    )
    plain, data = load_dicom(str(folder / "im10.dcm")), load_dicom(str(folder))
    assert plain.samples[0].label is None
    labels = [sample.label for sample in data.samples]
    assert labels == ["malignant", "malignant", "malignant", None, "benign"]
    assert data.samples[0].patient_id == "p1"
    assert data.samples[4].patient_id == plain.samples[0].patient_id
    assert [problem.path for problem in data.problems] == ["broken.dcm", "gone.dcm", "."]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"path,finding\n", "lacks the column label"),
        (b"", "lacks the column label"),
        (b"path,label\nim2.dcm,cancer\n", "line 2 has label 'cancer'; use normal, benign, malignant"),
        (b"path,label\nim2.dcm,benign\n./im2.dcm,normal\n", "line 3 names im2.dcm a second time"),
        (b"path,label\nim2.dcm,\xff\xfe\n", "cannot be read as CSV in UTF-8"),
    ],
)
def test_labels_that_do_not_hold_together(folder: Path, content: bytes, rule: str) -> None:
    (folder / "labels.csv").write_bytes(content)
    with pytest.raises(DataError, match=rule):
        load_dicom(str(folder))


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        load_dicom(str(tmp_path / "missing"))
    with pytest.raises(DataError, match="no readable DICOM image among 0 files"):
        load_dicom(str(tmp_path))
    (tmp_path / "a.dcm").write_bytes(b"")
    with pytest.raises(DataError, match=r"among 1 files; the first: left out: .*the file is empty"):
        load_dicom(str(tmp_path))
