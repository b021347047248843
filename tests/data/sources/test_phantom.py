import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from busight.data.sources.phantom import load_phantoms
from busight.errors import ConfigError
from busight.simulate.injected_faults import plan_faults
from busight.simulate.near_duplicates import SIMPLE_KINDS
from busight.simulate.parallel import render_many
from busight.simulate.spec import parse_phantom_spec

PLANTED = "120,seed=7,duplicates=0.1,flips=0.05,overlays=0.1,wrong_labels=0.05"


@pytest.fixture(scope="module")
def planted():
    return load_phantoms(PLANTED)


@pytest.fixture(scope="module")
def thumbnails(planted):
    pixels = [cv2.resize(planted.reader.image(s), (32, 32), interpolation=cv2.INTER_AREA) for s in planted.samples]
    vectors = np.array(pixels, dtype=float).reshape(len(pixels), -1)
    vectors -= vectors.mean(axis=1, keepdims=True)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def tag_value(sample, prefix: str) -> str | None:
    return next((tag.removeprefix(prefix) for tag in sample.tags if tag.startswith(prefix)), None)


def test_samples_say_what_is_known(planted):
    assert planted.spec == "phantom:" + PLANTED
    assert planted.samples[0].sample_id == "phantom-00000"
    for sample in planted.samples:
        assert sample.patient_id
        assert sample.laterality in ("left", "right")
        assert sample.device.startswith("phantom-")
        assert sample.pixel_spacing_mm[0] in {depth / 256 for depth in (30, 35, 40, 45, 50)}
        assert 1 <= sample.birads <= 5


@pytest.mark.parametrize("count", [12, 13, 30])
@pytest.mark.parametrize("faults", ["", ",duplicates=0.2,flips=0.1,overlays=1,wrong_labels=0.2"])
def test_every_class_is_present_in_a_small_set(count, faults):
    assert set(load_phantoms(f"{count}{faults}").class_counts()) == {"normal", "benign", "malignant"}


def test_what_was_asked_for_is_planted(planted):
    kinds = [tag_value(sample, "duplicate-kind:") for sample in planted.samples]
    assert sum(kind in SIMPLE_KINDS for kind in kinds) == 12
    assert kinds.count("flip") == 6
    assert sum("overlay" in sample.tags for sample in planted.samples) == 12
    assert sum(tag_value(sample, "wrong-label:true=") is not None for sample in planted.samples) == 6


def test_planted_faults_keep_to_their_rules(planted):
    by_id = {sample.sample_id: sample for sample in planted.samples}
    for sample in planted.samples:
        source = by_id.get(tag_value(sample, "duplicate-of:") or "")
        if source is not None:
            assert source.label is sample.label
            assert source.patient_id != sample.patient_id
            assert tag_value(source, "duplicate-of:") is None
        true = tag_value(sample, "wrong-label:true=")
        assert true is None or true != sample.label
        if true is not None:
            assert planted.reader.mask(sample).any() == (true != "normal")


def test_a_patient_has_one_finding(planted):
    labels_of: dict[str, set[str]] = {}
    for sample in planted.samples:
        labels_of.setdefault(sample.patient_id, set()).add(sample.label)
    assert all(len(labels) == 1 for labels in labels_of.values())


def test_near_duplicates_are_those_planted(planted, thumbnails):
    alike = thumbnails @ thumbnails.T
    place = {sample.sample_id: index for index, sample in enumerate(planted.samples)}
    related = np.zeros(alike.shape, dtype=bool)
    family = [place.get(tag_value(s, "duplicate-of:") or "", i) for i, s in enumerate(planted.samples)]
    patients = [planted.samples[root].patient_id for root in family]
    for i in range(len(patients)):
        related[i] = [patients[i] == other for other in patients]
    assert alike[~related].max() < 0.95
    for index, sample in enumerate(planted.samples):
        if tag_value(sample, "duplicate-kind:") in SIMPLE_KINDS:
            assert alike[index, family[index]] > 0.97


def test_masks_move_with_flipped_pixels(planted):
    by_id = {sample.sample_id: sample for sample in planted.samples}
    flipped = [s for s in planted.samples if tag_value(s, "duplicate-kind:") == "flip"]
    assert flipped
    for sample in flipped:
        source = by_id[tag_value(sample, "duplicate-of:")]
        np.testing.assert_array_equal(planted.reader.image(sample)[:, ::-1], planted.reader.image(source))
        np.testing.assert_array_equal(planted.reader.mask(sample)[:, ::-1], planted.reader.mask(source))


def test_case_agrees_with_image_and_mask(planted):
    for sample in planted.samples[:3]:
        case = planted.reader.case(sample)
        np.testing.assert_array_equal(case.image, planted.reader.image(sample))
        np.testing.assert_array_equal(case.mask, planted.reader.mask(sample))


def test_normal_mask_is_empty_and_not_none():
    phantoms = load_phantoms("4,size=64")
    normal = next(sample for sample in phantoms.samples if sample.label == "normal")
    assert phantoms.reader.mask(normal).shape == (64, 64)
    assert not phantoms.reader.mask(normal).any()


def test_a_reader_cannot_be_changed_from_outside():
    phantoms = load_phantoms("2,size=64")
    phantoms.reader.image(phantoms.samples[0])[:] = 0
    assert phantoms.reader.image(phantoms.samples[0]).any()


def test_bytes_do_not_depend_on_workers_or_count():
    spec = parse_phantom_spec("8,seed=3,overlays=0.3")
    faults = plan_faults(spec)
    alone, together = (render_many(spec, faults, range(8), workers=workers) for workers in (1, 3))
    for (image, bits), (other_image, other_bits) in zip(alone, together, strict=True):
        assert image.tobytes() == other_image.tobytes()
        assert bits.tobytes() == other_bits.tobytes()
    few, many = load_phantoms("2,seed=9"), load_phantoms("6,seed=9")
    np.testing.assert_array_equal(few.reader.image(few.samples[1]), many.reader.image(many.samples[1]))


def test_bytes_are_the_same_in_another_process():
    script = (
        "import hashlib\n"
        "from busight.data.sources.phantom import load_phantoms\n"
        "d = load_phantoms('5,seed=4')\n"
        "print(hashlib.sha256(b''.join(d.reader.image(s).tobytes() for s in d.samples)).hexdigest())\n"
    )
    # No __main__ guard on purpose: a plain script must work, and leave no warning.
    digests = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", script], check=True, capture_output=True, text=True, env=os.environ
        ).stdout
        for _ in range(2)
    ]
    assert len(digests[0].strip()) == 64
    assert digests[0] == digests[1]


def test_pictures_are_made_when_asked_for():
    count = 200  # a set that is only listed must cost nothing, and the first picture must not wait for the last
    phantoms = load_phantoms(f"{count},size=64")
    last_first = phantoms.reader.image(phantoms.samples[-1])
    in_order = [load_phantoms(f"{count},size=64").reader.image(phantoms.samples[i]) for i in (0, count - 1)]
    np.testing.assert_array_equal(last_first, in_order[1])
    assert not np.array_equal(in_order[0], in_order[1])


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("", r"phantom count '': must be a whole number from 1 to 100000"),
        ("0", "from 1 to 100000"),
        ("100001", "from 1 to 100000"),
        ("-5", "from 1 to 100000"),
        ("12.5", "from 1 to 100000"),
        ("9" * 40, "from 1 to 100000"),
        ("10,duplicate=0.1", "did you mean 'duplicates'.*Allowed: seed, size, duplicates"),
        ("10,wrong_label=0.1", "did you mean 'wrong_labels'"),
        ("10,seed=x", "seed 'x': must be a whole number from 0"),
        ("10,size=32", "size '32': must be a whole number from 64 to 1024"),
        ("10,duplicates=0.9", "duplicates '0.9': must be a share from 0 to 0.2"),
        ("10,overlays=nan", "overlays 'nan': must be a share"),
        ("10,seed=1,seed=2", "'seed' must be given once"),
        ("10,seed", "'seed' must be given once, as seed=VALUE"),
        ("10,", "unknown key ''"),
    ],
)
def test_bad_arguments(argument, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_phantoms(argument)
    assert "\n" not in str(caught.value)
