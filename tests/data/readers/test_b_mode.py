import numpy as np
import pytest
from scipy.signal import hilbert

from busight.data.readers.b_mode import axial_spacing_mm, b_mode, square_mask, square_pixels


def tone(amplitude: np.ndarray, lines: int = 32) -> np.ndarray:
    """A tone of a quarter of the sampling frequency with an amplitude for each sample."""
    carrier = np.cos(2 * np.pi * 0.25 * np.arange(len(amplitude)))
    return np.repeat((amplitude * carrier)[:, None], lines, axis=1)


def test_half_the_amplitude_is_6_db_darker() -> None:
    amplitude = np.repeat([1.0, 0.5, 10 ** (-60 / 20)], 400)
    image = b_mode(tone(amplitude), 0.25, 1.0)
    assert image.shape == (300, 32)
    assert image.dtype == np.uint8
    # 20·log10(0.5) = −6.02 dB of 50: 255·0.1204 = 30.7 darker. The steps ring, so white is found there.
    assert np.unique(image[20:80]) in (254, 255)
    assert np.unique(image[120:180]) == pytest.approx(image[50, 0] - 30.7, abs=1)
    np.testing.assert_array_equal(image[240:280], 0)


def test_it_is_the_envelope_of_each_line_averaged_over_a_pixel() -> None:
    rf = np.random.default_rng(0).normal(size=(480, 40))
    envelope = np.abs(hilbert(rf, axis=0)).reshape(120, 4, 40).mean(axis=1)
    expected = 255 * (1 + np.maximum(20 * np.log10(envelope / envelope.max()), -30) / 30)
    assert np.abs(b_mode(rf, 0.25, 1.0, 30) - expected).max() <= 0.51


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_gain_and_number_type_do_not_matter(dtype: type) -> None:
    rf = np.random.default_rng(1).integers(-32768, 32768, (480, 40))
    rf[0, 0] = -32768  # has no positive counterpart in 16 bits
    np.testing.assert_array_equal(b_mode(rf.astype(dtype), 0.25, 1.0), b_mode(rf.astype(float) / 7, 0.25, 1.0))


def test_a_circle_in_millimetres_is_round_in_the_image() -> None:
    axial, lateral = axial_spacing_mm(40e6), 38 / 510
    assert axial == pytest.approx(1540 / (2 * 40e6) * 1000)
    depth, width = np.mgrid[:1824, :510]
    roi = (depth * axial - 17) ** 2 + (width * lateral - 19) ** 2 < 5**2
    mask = square_mask(roi.astype(np.uint8), axial, lateral)
    assert mask.shape == (round(1824 * axial / lateral), 510) == (471, 510)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert len(rows) == pytest.approx(10 / lateral, abs=2)
    assert len(columns) == pytest.approx(10 / lateral, abs=2)
    assert mask.sum() * lateral**2 == pytest.approx(np.pi * 25, rel=0.01)


def test_pixels_may_become_smaller_too() -> None:
    assert square_pixels(np.ones((20, 30), np.float32), 2.0, 1.0).shape == (40, 30)
