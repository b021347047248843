import csv
from dataclasses import replace
from pathlib import Path

import pytest
from picture_files import NOISE, save, small_busbra

from busight.data.manifest import build_manifest
from busight.data.manifest_file import COLUMNS, read_image_digests, write_manifest
from busight.data.sources.busbra import load_busbra
from busight.data.sources.folder import load_folder


def test_one_line_for_each_image(tmp_path: Path) -> None:
    small_busbra(tmp_path / "data")
    (tmp_path / "data" / "Masks" / "mask_0002-s.png").unlink()
    manifest = build_manifest(load_busbra(str(tmp_path / "data")))
    write_manifest(tmp_path / "manifest.csv", manifest, ("g1", "g1", 'g"2,x'))
    with (tmp_path / "manifest.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert [row["sample_id"] for row in rows] == ["bus_0001-l", "bus_0001-r", "bus_0002-s"]
    assert [row["group"] for row in rows] == ["g1", "g1", 'g"2,x']
    entry = manifest.rows[0]
    assert rows[0] == {
        "sample_id": "bus_0001-l",
        "label": "benign",
        "patient_id": "busbra-0001",
        "group": "g1",
        "height": "24",
        "width": "32",
        "birads": "3",
        "device": "GE Logiq 7",
        "official_subset": "1",
        "image_sha256": entry.image_digest,
        "origin": "",
        "mask_sha256": entry.mask_digest,
    }
    assert rows[2]["mask_sha256"] == ""


def test_a_name_like_a_formula_comes_back(tmp_path: Path) -> None:
    for name in ("=1+1.png", "-a.png"):
        save(tmp_path / "data" / "+cyst" / name, NOISE)
    data = load_folder(str(tmp_path / "data"))
    manifest = build_manifest(data)
    manifest = replace(
        manifest,
        rows=tuple(replace(e, sample=replace(e.sample, sample_id=e.sample.sample_id[6:])) for e in manifest.rows),
    )
    write_manifest(tmp_path / "manifest.csv", manifest, ("=g", "@g"))
    lines = (tmp_path / "manifest.csv").read_text().splitlines()[1:]
    assert [line.split(",")[:4] for line in lines] == [
        ["'-a.png", "'+cyst", "", "'=g"],
        ["'=1+1.png", "'+cyst", "", "'@g"],
    ]
    assert list(read_image_digests(tmp_path / "manifest.csv")) == ["-a.png", "=1+1.png"]


def test_groups_of_another_number(tmp_path: Path) -> None:
    manifest = build_manifest(load_busbra(str(small_busbra(tmp_path / "data"))))
    with pytest.raises(ValueError, match="shorter"):
        write_manifest(tmp_path / "manifest.csv", manifest, ("g1",))
    assert not (tmp_path / "manifest.csv").exists()
