import subprocess
from pathlib import Path

import gdcm
import numpy as np
import pytest
from dicom_files import RAMP, RGB, recompress, region, write_dicom
from pydicom import Dataset

from busight.data.concat import concat
from busight.data.image_spec import ImageSpec
from busight.data.manifest import build_manifest
from busight.data.sources.dicom import load_dicom
from busight.errors import DataError
from busight.types import DataWarning, Roi


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
        "path,label,patient\ncase\\cine,Malignant,p1\nim2.dcm,,\nim10.dcm,benign,\ngone.dcm,normal,\n",
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
        (b"path,label\nim2.dcm,\xff\xfe\n", "line 2 has label 'ÿþ'"),
        (b'path,label\n"im2.dcm,benign\n', "not a CSV table in UTF-8"),
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


def test_what_was_assumed_of_a_file_is_among_the_problems_once(tmp_path: Path) -> None:
    """Of the header when it is listed; of the pixels when they are read, also in a joined set and as RGB."""
    grey = np.repeat(RAMP[..., None], 3, axis=2)
    ybr = np.stack([RAMP, np.full_like(RAMP, 128), np.full_like(RAMP, 128)], axis=-1)
    (tmp_path / "a").mkdir()
    write_dicom(tmp_path / "a" / "cine.dcm", np.stack([ybr] * 3), "RGB")
    write_dicom(tmp_path / "a" / "comma.dcm", grey[None], "RGB", NumberOfFrames=2, PixelData=grey.tobytes() * 3)
    (tmp_path / "b").mkdir()
    write_dicom(tmp_path / "b" / "plain.dcm", RAMP[None])
    data = load_dicom(str(tmp_path / "a"))
    header = DataWarning("comma.dcm", "its pixels are those of 3 frames, of which NumberOfFrames names 2")
    pixels = DataWarning("cine.dcm", "PhotometricInterpretation is RGB, read as YBR: its pixels are grey only so")
    assert data.problems == (header,)
    assert build_manifest(data).dataset.problems == (header, pixels)
    np.testing.assert_array_equal(data.reader.image(data.samples[2]), RAMP)
    joined = build_manifest(concat([data, load_dicom(str(tmp_path / "b"))]).read_as(ImageSpec(channels=3)))
    assert [problem.text for problem in joined.dataset.problems].count(pixels.text) == 1


def test_frames_of_a_cine_as_samples_are_decoded_by_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cine = np.stack([np.roll(RAMP, number, axis=1) for number in range(4)])
    recompress(write_dicom(tmp_path / "a.dcm", cine), tmp_path / "b.dcm", gdcm.TransferSyntax.JPEGLSLossless)
    (tmp_path / "a.dcm").unlink()
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **options: started.append(1) or popen(*args, **options))
    data = load_dicom(str(tmp_path))
    for sample in data.samples:
        np.testing.assert_array_equal(data.reader.image(sample), cine[sample.frame])
    assert len(started) == 1
    # Another file of the same name is read anew.
    write_dicom(tmp_path / "b.dcm", 255 - cine)
    np.testing.assert_array_equal(data.reader.image(data.samples[0]), 255 - cine[0])


def test_spacing_and_region_of_each_frame(tmp_path: Path) -> None:
    groups = []
    for delta, last in [(0.01, 33), (0.02, 29)]:
        group = Dataset()
        group.SequenceOfUltrasoundRegions = [
            region(PhysicalDeltaX=delta, PhysicalDeltaY=delta, RegionLocationMaxX1=last)
        ]
        groups.append(group)
    write_dicom(tmp_path / "a.dcm", np.stack([RAMP, RAMP]), PerFrameFunctionalGroupsSequence=groups)
    first, second = load_dicom(str(tmp_path)).samples
    assert (first.pixel_spacing_mm, second.pixel_spacing_mm) == (pytest.approx((0.1, 0.1)), pytest.approx((0.2, 0.2)))
    assert (first.region, second.region) == (Roi(2, 4, 22, 34), Roi(2, 4, 22, 30))
    assert load_dicom(str(tmp_path)).reader.image(second).shape == (20, 26)
