from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from picture_files import picture, save
from typer.testing import CliRunner

from busight.cli.app import app
from busight.data.sources.catalogue import load_data
from busight.experiments.bench import filters
from busight.experiments.bench.filters import MEASURES, UNTOUCHED, compare_filters
from busight.preprocess.enhance.chain import FILTERS, apply_chain, parse_chain


def call(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["enhance", *map(str, arguments)])
    return found.exit_code, found.output


def bench(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["bench", "filters", *map(str, arguments)])
    return found.exit_code, found.output


def test_pictures_are_enhanced_and_shown_before_and_after(tmp_path: Path) -> None:
    for name in ("a/one.png", "b/one.png"):
        save(tmp_path / "in" / name, picture(len(name)))
    code, said = call(tmp_path / "in", "--chain", "median(5) | clahe", "--out", tmp_path / "out")
    assert (code, "enhanced: 2 images" in said) == (0, True)
    names = ["00001_one_0.png", "00002_one_0.png"]  # one name in two folders
    assert sorted(path.name for path in (tmp_path / "out" / "images").iterdir()) == names
    assert sorted(path.name for path in (tmp_path / "out" / "panels").iterdir()) == names
    found = cv2.imread(str(tmp_path / "out" / "images" / names[0]), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(found, apply_chain(picture(len("a/one.png")), parse_chain("median(5) | clahe")))


def test_an_unreadable_file_is_told_and_the_others_are_done(tmp_path: Path) -> None:
    save(tmp_path / "in" / "good.png", picture(1))
    (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
    code, said = call(tmp_path / "in", "--chain", "median", "--out", tmp_path / "out")
    assert code == 1
    assert "bad.png" in said
    assert "enhanced: 1 images" in said


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["--chain", "median", "--out", "out"], "enhance: Missing argument 'PATHS...'; see busight enhance --help"),
        (["x.png", "--chain", "median"], "enhance: Missing option '--out'; see busight enhance --help"),
        (["x.png", "--out", "out"], "enhance: Missing option '--chain'"),
        (["x.png", "--chain", " ", "--out", "out"], "enhance: --chain names no filter"),
        (["x.png", "--chain", "medain", "--out", "out"], "no filter 'medain'; did you mean median?"),
        (["x.png", "--chain", "lee(4)", "--out", "out"], "lee: size 4 must be odd"),
        (["empty", "--chain", "median", "--out", "out"], "no image or DICOM file in it"),
    ],
)
def test_wrong_calls(arguments: list[str], rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    code, said = call(*arguments)
    assert (code, rule in said) == (2, True), said
    assert not (tmp_path / "out").exists()


def test_every_filter_is_measured_on_phantoms(tmp_path: Path) -> None:
    code, said = bench("phantom:16,size=64", "--out", tmp_path / "out")
    assert code == 0, said
    rows = list(csv.DictReader((tmp_path / "out" / "filters.csv").read_text().splitlines()))
    assert [row["chain"].partition("(")[0] for row in rows[1:]] == list(FILTERS)
    assert rows[0]["chain"] == UNTOUCHED
    assert all(float(row["psnr_low"]) <= float(row["psnr"]) <= float(row["psnr_high"]) for row in rows[1:])
    assert (tmp_path / "out" / "filters.png").stat().st_size > 10_000
    assert said.count("\n") >= len(FILTERS) + 3


def test_filters_do_what_they_are_for() -> None:
    found = compare_filters(load_data("phantom:24,seed=2"), ["speckle_nlm", "gaussian(4.0)"])
    raw, careful, blunt = (row.measures for row in found.rows)
    assert careful["psnr"].low > raw["psnr"].value
    assert careful["gcnr"].value > raw["gcnr"].value
    assert careful["edges"].value > blunt["edges"].value
    assert raw["psnr"].images == 24
    assert 0 < raw["gcnr"].images < 24  # normal pictures have no lesion


def test_without_masks_and_clean_pictures_nothing_is_claimed(tmp_path: Path) -> None:
    for index in range(3):
        save(tmp_path / "benign" / f"{index}.png", picture(index))
    found = compare_filters(load_data(f"folder:{tmp_path}"), ["median"], limit=2)
    assert found.images == 2
    for row in found.rows:
        assert all(
            row.measures[key].images == 0 and row.measures[key].value != row.measures[key].value for key in MEASURES
        )


def test_after_ctrl_c_what_was_kept_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(3):
        save(tmp_path / "in" / f"{index}.png", picture(index))
    write = filters.write_enhanced
    seen: list[object] = []

    at = 0

    def interrupted(*arguments: Any) -> tuple[np.ndarray, np.ndarray]:
        seen.append(arguments)
        if len(seen) == at:
            raise KeyboardInterrupt
        return write(*arguments)

    monkeypatch.setattr(filters, "write_enhanced", interrupted)
    for at, kept in ((1, 0), (3, 2)):
        seen.clear()
        out = tmp_path / f"out{at}"
        code, said = call(tmp_path / "in", "--chain", "median(3)", "--out", out)
        told = f"the images so far are in {out / 'images'}" if kept else "nothing was written yet"
        assert (code, said) == (1, f"busight: interrupted; {told}\n")
        assert len(list(out.rglob("images/*.png"))) == kept
        assert out.exists() == (kept > 0)
