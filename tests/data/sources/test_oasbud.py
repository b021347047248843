from pathlib import Path
from typing import Any

import numpy as np
import pytest
from published_sets import echoes, oasbud_lesion, small_oasbud
from scipy.io import loadmat, savemat

from busight.data.groups import group_samples
from busight.data.manifest import build_manifest
from busight.data.readers.b_mode import b_mode
from busight.data.sources import oasbud
from busight.data.sources.oasbud import load_oasbud
from busight.errors import DataError

SPACING = 38 / 510


def test_a_small_set_by_hand(tmp_path: Path) -> None:
    data = load_oasbud(str(small_oasbud(tmp_path)))
    assert data.problems == ()
    names = [f"{number:03d}-{plane}" for number in (1, 2, 3, 4) for plane in (1, 2)]
    assert [sample.sample_id for sample in data.samples] == names
    assert [sample.label for sample in data.samples][::2] == ["benign", "malignant", "benign", "malignant"]
    assert [sample.birads for sample in data.samples][::2] == [3, 4, 3, 4]
    fine = (("birads_subcategory", "4C"),)
    assert [sample.metadata for sample in data.samples][::2] == [(), fine, (), fine]
    assert [sample.view for sample in data.samples][:2] == ["first", "second"]
    assert {sample.pixel_spacing_mm for sample in data.samples} == {(SPACING, SPACING)}
    # both planes of a lesion, and lesions 3 and 4 of one woman
    assert group_samples(data.samples, []) == ("001-1",) * 2 + ("002-1",) * 2 + ("003-1",) * 4
    for sample in data.samples:
        image, mask = data.reader.image(sample), data.reader.mask(sample)
        assert image.shape == mask.shape == (round(1040 * 0.01925 / SPACING), 64) == (269, 64)
    assert build_manifest(data).dataset.problems == ()


def test_depth_and_width_of_a_lesion_are_those_of_its_region(tmp_path: Path) -> None:
    data = load_oasbud(str(small_oasbud(tmp_path)))
    first, second = (data.reader.mask(sample) for sample in data.samples[:2])
    rows, columns = np.flatnonzero(first.any(axis=1)), np.flatnonzero(first.any(axis=0))
    assert (rows[0], rows[-1] + 1) == pytest.approx((400 * 0.01925 / SPACING, 640 * 0.01925 / SPACING), abs=1)
    assert (columns[0], columns[-1] + 1) == (20, 45)
    assert np.flatnonzero(second.any(axis=0))[0] == 25


def test_each_plane_is_its_own_b_mode_image(tmp_path: Path) -> None:
    data = load_oasbud(str(small_oasbud(tmp_path)))
    for sample, seed in zip(data.samples, range(2, 10), strict=True):
        np.testing.assert_array_equal(data.reader.image(sample), b_mode(echoes(seed), 0.01925, SPACING))


def test_the_folder_will_do(tmp_path: Path) -> None:
    file = small_oasbud(tmp_path)
    assert load_oasbud(str(tmp_path)).samples == load_oasbud(str(file)).samples
    file.rename(tmp_path / "oasbud.MAT")
    assert len(load_oasbud(str(tmp_path)).samples) == 8


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the classes be told without a hundred images."""
    monkeypatch.setattr(
        oasbud, "_add_plane", lambda sample, rf, roi, images, masks: images.update({sample.sample_id: rf})
    )


@pytest.mark.parametrize("swapped", [False, True])
def test_the_published_counts_say_which_class_is_malignant(
    tmp_path: Path, swapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    small = {"rf1": np.ones((2, 2)), "rf2": np.ones((2, 2)), "roi1": np.ones((2, 2)), "roi2": np.ones((2, 2))}
    classes = [1] * 52 + [0] * 48
    lesions = [
        oasbud_lesion(
            number, **small, birads="5" if kind else "3", **{"class": np.uint8(1 - kind if swapped else kind)}
        )
        for number, kind in enumerate(classes)
    ]
    data = load_oasbud(str(small_oasbud(tmp_path, lesions)))
    assert [sample.label for sample in data.samples][::2] == ["malignant"] * 52 + ["benign"] * 48
    told = [problem.text for problem in data.problems]
    assert told == (
        ["52 of 100 lesions have class 0, and 52 are published as malignant; class 0 is read as malignant"]
        if swapped
        else []
    )


def test_birads_that_contradict_the_classes_are_told(tmp_path: Path) -> None:
    lesions = [oasbud_lesion(1, birads="5"), oasbud_lesion(2, birads=np.float64(3))]
    data = load_oasbud(str(small_oasbud(tmp_path, lesions)))
    assert [sample.birads for sample in data.samples] == [5, 5, 3, 3]
    assert [problem.text for problem in data.problems] == [
        "its malignant lesions have lower BI-RADS than its benign ones; check which class is which"
    ]


def test_fields_that_do_not_fit_are_named_and_nothing_else_is_lost(tmp_path: Path) -> None:
    roi = np.zeros((1040, 64), np.uint8)
    lesions = [
        oasbud_lesion(1, rf1=np.zeros((1040, 64)), birads="x", id=7),
        oasbud_lesion(2, **{"class": 2}),
        oasbud_lesion(3, rf1=np.full((1040, 64), np.nan), rf2=echoes(1, (58, 64)), roi1=roi, roi2=roi),
        oasbud_lesion(4, roi1=roi[:-1], rf2=echoes(1, (1040, 12)), id="NaN"),
    ]
    data = load_oasbud(str(small_oasbud(tmp_path, lesions)))
    assert [(problem.path, problem.text) for problem in data.problems] == [
        ("001-1", "echoes are not a table of numbers that vary ((1040, 64) float64); left out"),
        ("001-2", "BI-RADS 'x' is not a category 0–6 or 4A–4C; taken as unknown"),
        ("lesion 2", "class '2' is not 0 or 1; left out"),
        ("003-1", "echoes are not a table of numbers that vary ((1040, 64) float64); left out"),
        ("003-2", "64×15 pixels, needs at least 16 a side; left out"),
        ("004-1", "region ignored: it is (1039, 64), its echoes (1040, 64); the lesion outline counts as unknown"),
        ("004-2", "12×269 pixels, needs at least 16 a side; left out"),
    ]
    assert [(sample.sample_id, sample.patient_id) for sample in data.samples] == [
        ("001-2", "oasbud-7"),
        ("004-1", None),
    ]
    assert data.reader.mask(data.samples[1]) is None


def test_no_plane_is_usable(tmp_path: Path) -> None:
    small_oasbud(tmp_path, [oasbud_lesion(1, **{"class": 9})])
    with pytest.raises(DataError, match=r"OASBUD.mat: no plane is usable \(first: class '9' is not 0 or 1; left out\)"):
        load_oasbud(str(tmp_path))


@pytest.mark.parametrize("content", [{}, {"data": np.ones(3)}, {"data": np.zeros(1, dtype=[("id", object)])}])
def test_a_file_of_something_else(tmp_path: Path, content: dict[str, Any]) -> None:
    savemat(tmp_path / "OASBUD.mat", content)
    with pytest.raises(DataError, match=r"OASBUD.mat: no struct array data with the field (id|birads); get it again"):
        load_oasbud(str(tmp_path))


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"nowhere: no such folder; write --data oasbud:PATH"):
        load_oasbud(str(tmp_path / "nowhere"))
    (tmp_path / "a.txt").touch()
    with pytest.raises(DataError, match=r"OASBUD.mat: not found; oasbud:PATH needs OASBUD.mat or the folder"):
        load_oasbud(str(tmp_path))
    file = small_oasbud(tmp_path)
    whole = file.read_bytes()
    for content in (b"", b"MATLAB", whole[: len(whole) // 2], whole[:200], b"<html>" * 100):
        file.write_bytes(content)
        with pytest.raises(DataError, match=r"OASBUD.mat: cannot be read as a MATLAB file \([\w ]+\); get it again"):
            load_oasbud(str(file))
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    file.write_bytes(header.ljust(512, b"\x00") + b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(DataError, match=r"it is of MATLAB 7.3; save it as -v7"):
        load_oasbud(str(file))
    file.write_bytes(whole)
    unpacked = sum(np.asarray(lesion[name]).nbytes for lesion in loadmat(file)["data"][0] for name in ("rf1", "roi1"))
    assert len(whole) < unpacked
    monkeypatch.setattr(oasbud, "_MAX_BYTES", unpacked)
    with pytest.raises(DataError, match=r"OASBUD.mat: more than \d+ MB once unpacked"):
        load_oasbud(str(file))


@pytest.mark.parametrize(
    "script", ["import os; os.abort()", "print(1)", "import sys; sys.stdout.buffer.write(bytes(7) + b'x12')"]
)
def test_a_reader_that_crashes_or_stops_is_one_line(
    tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SciPy 1.17 ends its process (SIGSEGV, SIGBUS) on some damaged files."""
    file = small_oasbud(tmp_path)
    (tmp_path / "script.py").write_text(script)
    monkeypatch.setattr(oasbud.mat_in_subprocess, "__file__", str(tmp_path / "script.py"))
    with pytest.raises(
        DataError, match=r"OASBUD.mat: cannot be read as a MATLAB file \(its reader ended\); get it again"
    ):
        load_oasbud(str(file))
