import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from picture_files import LESION, NOISE, picture, save, small_busi
from PIL import Image as Pillow

from busight.data.manifest import DatasetManifest, build_manifest, manifest_digest, pixel_digest
from busight.data.sources.busi import load_busi
from busight.data.sources.folder import load_folder
from busight.errors import DataError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_busi(tmp_path)


def inspected(root: Path) -> DatasetManifest:
    return build_manifest(load_busi(str(root)))


def test_a_sound_set(root: Path) -> None:
    told: list[tuple[int, int]] = []
    manifest = build_manifest(load_busi(str(root)), lambda done, total: told.append((done, total)))
    assert manifest.dataset.problems == ()
    assert len(manifest.rows) == len(manifest.dataset.samples) == 9
    assert manifest.thumbnails.shape == (9, 96, 96)
    assert told == [(done, 9) for done in range(1, 10)]
    first = manifest.rows[0]
    assert (first.sample.sample_id, first.height, first.width) == ("normal/normal (1)", 24, 32)
    assert first.image_digest == hashlib.sha256(b"(24, 32)" + picture(12).tobytes()).hexdigest()
    assert first.mask_digest == hashlib.sha256(b"(24, 32)" + bytes(24 * 32)).hexdigest()


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 5])


IMAGE_FAULTS = {
    "truncated": (truncate, "truncated or damaged"),
    "zero bytes": (lambda path: path.write_bytes(b""), r"the file is empty \(0 bytes\)"),
    "text": (lambda path: path.write_text("no picture\n"), "no image .* can be found in it"),
    "tiny": (lambda path: save(path, NOISE[:4, :4]), "4×4 pixels, needs at least 16 a side"),
}


@pytest.mark.parametrize("fault", IMAGE_FAULTS)
def test_an_unreadable_image_is_one_problem_and_nothing_else_is_lost(root: Path, fault: str) -> None:
    sound = inspected(root)
    spoil, rule = IMAGE_FAULTS[fault]
    spoil(root / "benign" / "benign (2).png")
    manifest = inspected(root)
    (problem,) = manifest.dataset.problems
    assert problem.path == "benign/benign (2).png"
    assert re.search(f"left out: .*{rule}.*; ", problem.text)
    assert manifest.rows == tuple(e for e in sound.rows if e.sample.sample_id != "benign/benign (2)")
    assert manifest.dataset.samples == tuple(entry.sample for entry in manifest.rows)
    assert manifest.thumbnails.shape == (8, 96, 96)


MASK_FAULTS = {
    "truncated": (truncate, "mask ignored: .*truncated or damaged"),
    "zero bytes": (lambda path: path.write_bytes(b""), "mask ignored: .*the file is empty"),
    "text": (lambda path: path.write_text("no picture\n"), "mask ignored: .*no image"),
    "another size": (lambda path: save(path, LESION[:, :20]), "mask ignored: it is 20×24, its image 32×24"),
    "transposed": (lambda path: save(path, LESION.T), "mask ignored: it is 24×32, its image 32×24"),
    "empty": (lambda path: save(path, LESION & False), "mask ignored: it is empty, but the image is labelled benign"),
    "picture": (lambda path: save(path, NOISE), r"mask ignored: .*a picture of \d+ greys, no mask; name the file"),
}


@pytest.mark.parametrize("fault", MASK_FAULTS)
def test_an_unusable_mask_is_one_problem_and_its_image_stays(root: Path, fault: str) -> None:
    sound = inspected(root)
    spoil, rule = MASK_FAULTS[fault]
    spoil(root / "benign" / "benign (2)_mask.png")
    manifest = inspected(root)
    (problem,) = manifest.dataset.problems
    assert problem.path == "benign/benign (2)_mask.png"
    assert re.search(rule, problem.text)
    for entry, before in zip(manifest.rows, sound.rows, strict=True):
        if entry.sample.sample_id != "benign/benign (2)":
            assert entry == before
            continue
        assert (entry.mask_digest, entry.sample.mask_paths) == ("", ())
        assert entry.image_digest == before.image_digest
        # What was reported is also what the reader gives from now on.
        assert manifest.dataset.reader.mask(entry.sample) is None


def test_orphans_stay_among_the_problems(root: Path) -> None:
    (root / "malignant" / "malignant (1).png").unlink()
    truncate(root / "malignant" / "malignant (2).png")
    problems = inspected(root).dataset.problems
    assert [problem.path for problem in problems] == [
        "malignant/malignant (1)_mask.png",
        "malignant/malignant (2).png",
    ]


def test_nothing_usable(tmp_path: Path) -> None:
    save(tmp_path / "benign" / "a.png", NOISE)
    truncate(tmp_path / "benign" / "a.png")
    with pytest.raises(DataError, match=r"folder:.*: no usable image \(first: left out: .*a.png: truncated"):
        build_manifest(load_folder(str(tmp_path)))


def test_the_digest_depends_on_pixels_labels_and_patients_only(root: Path) -> None:
    manifest = inspected(root)
    digest = manifest.digest
    with Pillow.open(root / "benign" / "benign (1).png") as file:
        file.convert("RGB").save(root / "benign" / "benign (1).png", compress_level=1)
    assert inspected(root).digest == digest
    entries = list(manifest.rows)
    assert manifest_digest(entries[::-1]) == digest
    first = entries[0]
    for other in (
        replace(first, sample=replace(first.sample, label="benign")),
        replace(first, sample=replace(first.sample, label=None)),
        replace(first, sample=replace(first.sample, patient_id="p")),
        replace(first, sample=replace(first.sample, sample_id="x")),
        replace(first, image_digest="0"),
        replace(first, mask_digest="0"),
    ):
        assert manifest_digest([other, *entries[1:]]) != digest
    changed = picture(10)
    changed[0, 0] ^= 1
    save(root / "benign" / "benign (1).png", changed)
    assert inspected(root).digest != digest


def test_pixel_digest_depends_on_shape_and_not_on_layout() -> None:
    assert pixel_digest(NOISE) == pixel_digest(np.asfortranarray(NOISE))
    assert pixel_digest(NOISE) != pixel_digest(NOISE.reshape(32, 24))


def test_a_lesion_in_a_class_without_lesions_is_told_and_kept(root: Path) -> None:
    save(root / "normal" / "normal (2)_mask.png", LESION)
    manifest = inspected(root)
    (problem,) = manifest.dataset.problems
    assert problem.path == "normal/normal (2)_mask.png"
    assert problem.text.startswith("mask shows a lesion, but the image is labelled normal; kept")
    (sample,) = [entry.sample for entry in manifest.rows if entry.sample.sample_id == "normal/normal (2)"]
    np.testing.assert_array_equal(manifest.dataset.reader.mask(sample), LESION)
