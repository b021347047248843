import numpy as np
import pytest

from busight.simulate.anatomy import Tissue
from busight.simulate.scanner import DEVICES, Device, Gain, attenuation_db, pulse_sigmas_mm, scan

SIZE = 128
SPACING = 0.16
ONE_LOOK = Device("test", 7.5, 3.0, 2.2, looks=1, dynamic_range_db=120.0)


def uniform_tissue() -> Tissue:
    zeros = np.zeros((SIZE, SIZE), np.float32)
    return Tissue(zeros, zeros.copy(), zeros + np.float32(0.5), SPACING)


def flat_gain(tgc_db: np.ndarray | None = None) -> Gain:
    zeros = np.zeros(SIZE, np.float32)
    return Gain(10.0, zeros if tgc_db is None else tgc_db, zeros, brightness=0.5, noise_db=-200.0)


def test_attenuation_by_hand():
    tissue = uniform_tissue()
    # 0.5 dB/cm/MHz, 7.5 MHz, there and back, 128 rows of 0.016 cm.
    assert attenuation_db(tissue, 7.5)[-1, 64] == pytest.approx(0.5 * 7.5 * 2 * 128 * 0.016, rel=1e-5)


def test_perfect_compensation_leaves_a_flat_clean_picture():
    tissue = uniform_tissue()
    tgc = attenuation_db(tissue, ONE_LOOK.frequency_mhz)[:, 0]
    _, clean = scan(np.random.default_rng(0), tissue, ONE_LOOK, flat_gain(tgc))
    assert int(np.ptp(clean)) <= 1


def test_one_look_has_rayleigh_speckle():
    """The mean over the standard deviation of a Rayleigh amplitude is 1.913."""
    tissue = uniform_tissue()
    tgc = attenuation_db(tissue, ONE_LOOK.frequency_mhz)[:, 0]
    ratios = []
    for seed in range(4):
        image, _ = scan(np.random.default_rng(seed), tissue, ONE_LOOK, flat_gain(tgc))
        amplitude = 10 ** (image.astype(float) * ONE_LOOK.dynamic_range_db / 255 / 20)
        ratios.append(amplitude.mean() / amplitude.std())
    assert np.mean(ratios) == pytest.approx(1.913, rel=0.04)


def test_clean_is_the_expected_echo():
    """Averaged over many pictures the power with speckle tends to that of the clean one."""
    tissue = uniform_tissue()
    gain = flat_gain()
    power = np.zeros((SIZE, SIZE))
    for seed in range(40):
        image, clean = scan(np.random.default_rng(seed), tissue, ONE_LOOK, gain)
        power += 10 ** (image.astype(float) * ONE_LOOK.dynamic_range_db / 255 / 10) / 40
    clean_db = clean.astype(float) * ONE_LOOK.dynamic_range_db / 255
    assert np.median(10 * np.log10(power) - clean_db) == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize(("inside", "darker"), [(2.5, True), (0.02, False)])
def test_posterior_features_come_from_the_attenuation(inside, darker):
    tissue = uniform_tissue()
    tissue.attenuation[30:70, 50:78] = inside
    _, clean = scan(np.random.default_rng(0), tissue, ONE_LOOK, flat_gain())
    behind, beside = float(clean[80:120, 60:68].mean()), float(clean[80:120, 5:20].mean())
    assert (behind < beside - 3) is darker
    assert (behind > beside + 3) is not darker


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_beam_is_narrowest_at_the_focus(device):
    across = [pulse_sigmas_mm(device, 18.0, depth)[1] for depth in (2.0, 18.0, 40.0)]
    assert across[1] == min(across)
    # At the focus the full width at half maximum is wavelength times f-number.
    assert across[1] * 2.355 == pytest.approx(1.54 / device.frequency_mhz * device.f_number)


def test_speckle_is_wider_away_from_the_focus():
    tissue = uniform_tissue()
    gain = flat_gain(attenuation_db(tissue, 7.5)[:, 0])
    image, _ = scan(np.random.default_rng(3), tissue, ONE_LOOK, Gain(2.0, gain.tgc_db, gain.contact_db, 0.5, -200.0))
    rows = image.astype(float)

    def neighbour_correlation(part: np.ndarray) -> float:
        return float(np.corrcoef(part[:, :-3].ravel(), part[:, 3:].ravel())[0, 1])

    assert neighbour_correlation(rows[-40:]) > neighbour_correlation(rows[:30]) + 0.1
