import cv2
import numpy as np
import pytest

from busight.simulate.case import generate_case, label_of, patient_of

CASES = range(40)


@pytest.fixture(scope="module")
def cases():
    return [generate_case(7, index) for index in CASES]


def test_same_seed_same_bytes(cases):
    again = generate_case(7, 5)
    assert again.image.tobytes() == cases[5].image.tobytes()
    assert again.clean.tobytes() == cases[5].clean.tobytes()
    assert not np.array_equal(generate_case(8, 5).image, cases[5].image)


@pytest.mark.parametrize("size", [64, 256, 320])
def test_shapes_and_types(size):
    case = generate_case(1, 0, size)
    assert case.image.shape == case.clean.shape == case.mask.shape == (size, size)
    assert (case.image.dtype, case.clean.dtype, case.mask.dtype) == (np.uint8, np.uint8, np.bool_)


def test_masks_and_descriptors_follow_the_finding(cases):
    for index, case in zip(CASES, cases, strict=True):
        normal = patient_of(7, index).label == "normal"
        assert case.mask.any() != normal
        assert (case.descriptors is None) == normal


def test_pictures_are_exposed(cases):
    for case in cases:
        assert 40 < case.image.mean() < 160
        assert case.image.std() > 20
        assert (case.image == 255).mean() < 0.1


def test_clean_has_less_grain(cases):
    def grain(picture: np.ndarray) -> float:
        return float(np.abs(picture.astype(float) - cv2.medianBlur(picture, 5)).mean())

    assert all(grain(case.clean) < 0.6 * grain(case.image) for case in cases)


def test_echo_pattern_shows_against_the_surroundings(cases):
    """Hypoechoic and anechoic masses are darker than the seam around them; most of them clearly."""
    dark = [case for case in cases if case.descriptors and case.descriptors.echo_pattern in ("hypoechoic", "anechoic")]
    contrasts = []
    for case in dark:
        seam = cv2.dilate(case.mask.astype(np.uint8), np.ones((25, 25), np.uint8)).astype(bool) & ~case.mask
        contrasts.append(case.image[seam].mean() - case.image[case.mask].mean())
    assert len(dark) >= 10
    assert np.median(contrasts) > 20


def test_two_views_of_a_patient_share_her_and_not_the_pixels(cases):
    first, second = patient_of(7, 3), patient_of(7, 4)
    assert (first.number, first.view, second.view) == (second.number, 0, 1)
    assert first.anatomy == second.anatomy
    assert first.descriptors == second.descriptors
    assert not np.array_equal(cases[3].image, cases[4].image)


def test_shares_of_findings():
    label_ids = [label_of(number) for number in range(100)]
    assert [label_ids.count(finding) for finding in ("normal", "benign", "malignant")] == [17, 56, 27]
    for start in range(100):
        assert {label_of(number) for number in range(start, start + 12)} == {"normal", "benign", "malignant"}
