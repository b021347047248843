from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from picture_files import LESION, NOISE, breastmnist_arrays, save

from busight.audit.duplicates.near_duplicates import find_near_duplicates
from busight.data.labels import LabelSchema
from busight.data.manifest import DatasetManifest, build_manifest
from busight.data.resize import write_shrunk
from busight.data.shrink import shrink
from busight.data.sources.busbra import load_busbra
from busight.data.sources.catalogue import load_data
from busight.data.sources.folder import load_folder
from busight.errors import DataError, OutputError
from busight.io.digests import sha256_of_json


def test_everything_that_was_known_is_kept(busbra_root: Path, tmp_path: Path) -> None:
    data = load_busbra(str(busbra_root))
    kept = DatasetManifest(data, build_manifest(data).rows[:7], np.zeros((7, 96, 96), np.uint8), "d")
    write_shrunk(kept, tmp_path / "small", 128)
    found = load_folder(str(tmp_path / "small"))
    assert len(found.samples) == 7
    facts = (
        "sample_id",
        "label",
        "patient_id",
        "laterality",
        "view",
        "birads",
        "histology",
        "device",
        "official_subset",
    )
    for entry, sample in zip(kept.rows, found.samples, strict=True):
        for fact in facts:
            assert getattr(sample, fact) == getattr(entry.sample, fact), fact
        image, mask = found.reader.image(sample), found.reader.mask(sample)
        np.testing.assert_array_equal(image, shrink(data.reader.image(entry.sample), 128))
        assert mask is not None
        assert mask.shape == image.shape
        assert max(image.shape) == 128


def test_a_copy_is_known_under_the_digest_of_its_original(tmp_path: Path) -> None:
    before = build_manifest(load_data("phantom:2,size=128"))
    write_shrunk(before, tmp_path / "small", 64)
    after = build_manifest(load_folder(str(tmp_path / "small")))
    for original, shrunk in zip(before.rows, after.rows, strict=True):
        assert original.digest_aliases == {original.short_digest}
        assert shrunk.digest_aliases == {shrunk.short_digest, original.short_digest}


def test_the_pixel_distance_grows_as_the_picture_shrinks(tmp_path: Path) -> None:
    data = load_data("phantom:2,size=256")
    write_shrunk(build_manifest(data), tmp_path / "small", 64)
    found = load_folder(str(tmp_path / "small"))
    for before, after in zip(data.samples, found.samples, strict=True):
        assert before.pixel_spacing_mm is not None
        assert after.pixel_spacing_mm == pytest.approx([4 * side for side in before.pixel_spacing_mm], rel=1e-5)


def test_what_the_labels_mean_is_kept(tmp_path: Path) -> None:
    for name in ("b", "a", "empty"):
        save(tmp_path / "in" / name / "1.png", NOISE)
    meaning = {"names": ["empty", "b", "a"], "positive": "b", "without_lesion": ["empty"]}
    (tmp_path / "in" / "labels.json").write_text(json.dumps(meaning))
    before = load_folder(str(tmp_path / "in"))
    write_shrunk(build_manifest(before), tmp_path / "small", 32)
    assert load_folder(str(tmp_path / "small")).labels == before.labels
    assert before.labels == LabelSchema(("empty", "b", "a"), "b", ("empty",))


def test_further_columns_and_names_like_formulas_are_kept(tmp_path: Path) -> None:
    save(tmp_path / "in" / "a.png", NOISE)
    (tmp_path / "in" / "samples.csv").write_text("path,label,id,patient,age,site,-x\na.png,benign,'=1+1,-p,50,@x,1\n")
    before = load_folder(str(tmp_path / "in"))
    write_shrunk(build_manifest(before), tmp_path / "small", 32)
    write_shrunk(build_manifest(load_folder(str(tmp_path / "small"))), tmp_path / "smaller", 16)
    (sample,) = load_folder(str(tmp_path / "smaller")).samples
    assert (sample.sample_id, sample.patient_id) == ("=1+1", "-p")
    assert sample.metadata == before.samples[0].metadata == (("age", "50"), ("site", "@x"), ("-x", "1"))
    assert "'=1+1,images/000001.png,benign,'-p" in (tmp_path / "small" / "samples.csv").read_text()


def test_a_label_that_leaves_two_classes_open_is_kept(tmp_path: Path) -> None:
    np.savez(tmp_path / "breast.npz", **breastmnist_arrays())
    before = load_data(f"breastmnist:{tmp_path / 'breast.npz'}")
    write_shrunk(build_manifest(before), tmp_path / "small", 32)
    after = load_folder(str(tmp_path / "small"))
    assert after.labels == before.labels
    assert [sample.label for sample in after.samples] == [sample.label for sample in before.samples]


def test_unknown_stays_unknown(tmp_path: Path) -> None:
    save(tmp_path / "in" / "a.png", NOISE)
    save(tmp_path / "in" / "m.png", LESION)
    (tmp_path / "in" / "samples.csv").write_text("path,label,mask\na.png,,m.png\n")
    write_shrunk(build_manifest(load_folder(str(tmp_path / "in"))), tmp_path / "small", 4096)
    (sample,) = load_folder(str(tmp_path / "small")).samples
    assert (sample.sample_id, sample.label, sample.patient_id, sample.birads) == ("a.png", None, None, None)


@pytest.mark.slow
def test_busi_becomes_small_and_stays_the_same_set(busi: DatasetManifest, tmp_path: Path) -> None:
    busi = busi.kept(range(240))
    assert write_shrunk(busi, tmp_path / "small", 256) < 240 * 45e3
    assert json.loads((tmp_path / "small" / "source.json").read_text())["digest"] == busi.digest
    small = build_manifest(load_folder(str(tmp_path / "small")))
    assert [e.sample.sample_id for e in small.rows] == [e.sample.sample_id for e in busi.rows]
    assert [e.sample.label for e in small.rows] == [e.sample.label for e in busi.rows]
    # Nothing is lost but resolution: the copies within the set are still found.
    found, before = (
        {(c.first, c.second) for c in find_near_duplicates(one.thumbnails, [e.image_digest for e in one.rows])}
        for one in (small, busi)
    )
    assert len(before) > 20
    assert len(found & before) >= 0.98 * len(found | before)


def test_the_same_set_gives_the_same_bytes(tmp_path: Path) -> None:
    manifest = build_manifest(load_data("phantom:3,size=64"))
    for name in ("a", "b"):
        write_shrunk(manifest, tmp_path / name, 32)
    contents = [
        sha256_of_json([[p.name, p.read_bytes().hex()] for p in sorted((tmp_path / name).rglob("*")) if p.is_file()])
        for name in ("a", "b")
    ]
    assert contents[0] == contents[1]


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shrunk(build_manifest(load_data("phantom:3,size=64")), tmp_path / "small", 32, stop)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    manifest = build_manifest(load_data("phantom:2,size=64"))
    write_shrunk(manifest, tmp_path / "small", 32)  # empty: may be used
    with pytest.raises(OutputError, match="exists already and is never overwritten"):
        write_shrunk(manifest, tmp_path / "small", 32)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="nothing may be written"):
        write_shrunk(build_manifest(load_data("phantom:2,size=64")), tmp_path / "small", 32)


@pytest.mark.parametrize("spacing", ["0.1", "0.1;", "a;b", "0.1;0", "nan;1", "inf;1", "1;2;3"])
def test_a_spacing_that_is_none_is_one_line(tmp_path: Path, spacing: str) -> None:
    save(tmp_path / "a.png", NOISE)
    (tmp_path / "samples.csv").write_text(f"path,label,spacing_mm\na.png,benign,{spacing}\n")
    with pytest.raises(DataError, match=r"line 2: spacing_mm .* is not ROW;COLUMN from 0.001 to 10 mm"):
        load_folder(str(tmp_path))


def test_an_id_names_a_sample_once(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        save(tmp_path / name, NOISE)
    (tmp_path / "samples.csv").write_text("path,label,id\na.png,benign,one\nb.png,benign,one\n")
    with pytest.raises(DataError, match="line 3 repeats the id one; name each image once"):
        load_folder(str(tmp_path))
