"""A linear-array scanner: attenuation, a point-spread function that widens away from the focus, gain, log compression.

The scanner works on demodulated (IQ) echoes. A scatterer's place within its pixel, uniform over many half wavelengths,
gives its echo a uniform carrier phase, so diffuse tissue is a complex Gaussian field; convolved with the envelope of
the pulse it gives fully developed speckle with Rayleigh amplitude (Wagner et al., IEEE Trans. Sonics Ultrason. 30
(1983) 156–163). Smooth surfaces add a coherent echo. The wavefront's curvature and side lobes are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.simulate.anatomy import Tissue
from busight.simulate.fields import Field, smooth_curve
from busight.types import Image

SOUND_SPEED_MM_PER_US = 1.54
_ZONES = 6


@dataclass(frozen=True, slots=True)
class Device:
    """One scanner with its settings.

    Attributes:
        name: Value of the sample's ``device``.
        frequency_mhz: Centre frequency.
        cycles: Length of the pulse in periods.
        f_number: Focal depth over aperture: the beam at the focus is this many wavelengths wide.
        looks: Directions that spatial compounding averages.
        dynamic_range_db: Echo range shown between black and white.
    """

    name: str
    frequency_mhz: float
    cycles: float
    f_number: float
    looks: int
    dynamic_range_db: float


DEVICES = (
    Device("phantom-7.5MHz", 7.5, 3.0, 2.2, 2, 60.0),
    Device("phantom-10MHz", 10.0, 3.2, 2.4, 3, 58.0),
    Device("phantom-12MHz", 12.0, 3.5, 2.6, 4, 55.0),
)


@dataclass(frozen=True, slots=True, eq=False)
class Gain:
    """The settings of one image.

    Attributes:
        focus_mm: Depth of the focus.
        tgc_db: Time-gain compensation, float32 (H,).
        contact_db: Loss under the probe, float32 (W,): hair, air or a probe that is tilted off the skin.
        brightness: Share of the grey scale at which the image's median echo lies, 0–1.
        noise_db: Electronic noise before the gain, relative to the speckle of fat at the surface.
    """

    focus_mm: float
    tgc_db: Field
    contact_db: Field
    brightness: float
    noise_db: float


def draw_gain(rng: np.random.Generator, device: Device, size: int, depth_mm: float) -> Gain:
    """Draw the settings of an operator and the contact of the probe: compensation is right on average only."""
    spacing = depth_mm / size
    depth_cm = np.arange(size, dtype=np.float32) * np.float32(spacing / 10)
    assumed = rng.normal(0.64, 0.04)
    tgc = np.minimum(np.float32(2 * device.frequency_mhz * assumed) * depth_cm, np.float32(50.0))
    tgc += np.float32(rng.uniform(0.5, 2.5)) * smooth_curve(rng, size, spacing, 10.0)
    contact = np.float32(rng.uniform(0.5, 1.5)) * smooth_curve(rng, size, spacing, 8.0)
    if rng.random() < 0.25:
        at_left = rng.random() < 0.5
        width = rng.uniform(2.0, 7.0)
        across = np.arange(size, dtype=np.float32) * np.float32(spacing)
        lost = 1 - np.clip((across if at_left else across[::-1]) / np.float32(width), 0, 1)
        contact -= np.float32(rng.uniform(10, 30)) * lost
    return Gain(
        focus_mm=rng.uniform(0.35, 0.6) * depth_mm,
        tgc_db=tgc,
        contact_db=contact,
        brightness=rng.uniform(0.30, 0.46),
        noise_db=-64.0,
    )


def scan(rng: np.random.Generator, tissue: Tissue, device: Device, gain: Gain) -> tuple[Image, Image]:
    """Simulate an image of tissue.

    Args:
        rng: Source of the scatterers and the electronic noise.
        tissue: The acoustic maps.
        device: The scanner.
        gain: The settings of the image.

    Returns:
        The image with speckle and the clean one (the expected echo power without noise), both uint8 HW.
    """
    loss_db = attenuation_db(tissue, device.frequency_mhz) - gain.contact_db
    loss = np.power(np.float32(10), loss_db * np.float32(-1 / 20))
    diffuse = np.power(np.float32(10), tissue.echo_db * np.float32(1 / 20)) * loss
    mirror = tissue.mirror * loss
    noise = np.float32(10 ** (gain.noise_db / 20))
    envelope = np.zeros_like(diffuse)
    for _ in range(device.looks):
        # The receive filter shapes the noise as it shapes the echoes, so both enter before it: their powers add.
        echoes = rng.standard_normal((*diffuse.shape, 2), dtype=np.float32)
        echoes *= np.sqrt((diffuse * diffuse + noise * noise) * np.float32(0.5))[..., None]
        echoes[..., 0] += mirror
        iq = _convolve(echoes, tissue.spacing_mm, device, gain.focus_mm, power=False)
        envelope += np.hypot(iq[..., 0], iq[..., 1])
    speckle_db = _decibel((envelope / device.looks) ** 2) + gain.tgc_db[:, None]
    coherent = _convolve(mirror, tissue.spacing_mm, device, gain.focus_mm, power=False)
    expected = _convolve(diffuse * diffuse, tissue.spacing_mm, device, gain.focus_mm, power=True) + coherent * coherent
    clean_db = _decibel(expected) + gain.tgc_db[:, None]
    # One level for both: the operator sets the gain by the image's median.
    level = float(np.median(clean_db)) - gain.brightness * device.dynamic_range_db
    return _grey(speckle_db - np.float32(level), device), _grey(clean_db - np.float32(level), device)


def attenuation_db(tissue: Tissue, frequency_mhz: float) -> Field:
    """Integrate the attenuation down every line, there and back.

    Shadows and enhancement behind a mass come out of this integral alone. The aperture has many directions around an
    obstacle, which a lateral blur approximates.

    Args:
        tissue: The acoustic maps.
        frequency_mhz: Centre frequency.

    Returns:
        Loss in dB, float32 HW.

    Example:
        >>> import numpy as np
        >>> water = np.zeros((20, 20), np.float32)
        >>> slab = Tissue(water, water, water + np.float32(0.5), spacing_mm=1.0)
        >>> round(float(attenuation_db(slab, 10.0)[-1, 0]), 3)  # 2 cm x 0.5 dB/cm/MHz x 10 MHz x 2 ways
        20.0
    """
    per_row = tissue.attenuation * np.float32(2 * frequency_mhz * tissue.spacing_mm / 10)
    loss = np.cumsum(per_row, axis=0, dtype=np.float32)
    return np.asarray(cv2.blur(loss, (1 + 2 * round(0.8 / tissue.spacing_mm), 1)), dtype=np.float32)


def pulse_sigmas_mm(device: Device, focus_mm: float, depth_mm: float) -> tuple[float, float]:
    """Return the pulse's standard deviations along depth and across, in mm, of its amplitude at a depth.

    Along depth half the pulse length is its full width at half maximum; across, wavelength times f-number at the
    focus, wider away from it as a Gaussian beam whose depth of field is 4 wavelengths times the f-number squared.
    """
    wavelength = SOUND_SPEED_MM_PER_US / device.frequency_mhz
    along = device.cycles * wavelength / 2 / 2.355
    field = 4 * wavelength * device.f_number**2
    across = wavelength * device.f_number / 2.355 * math.hypot(1.0, 0.5 * (depth_mm - focus_mm) / field)
    return along, across


def _convolve(
    echoes: NDArray[np.float32], spacing_mm: float, device: Device, focus_mm: float, *, power: bool
) -> NDArray[np.float32]:
    """Convolve with the pulse of each depth zone and blend neighbouring zones; ``power`` squares the pulse."""
    size = echoes.shape[0]
    # Rows beyond a zone that its pulse still reaches, up to the 1024 rows that a set may ask for.
    margin = 16
    centres = np.linspace(0, size - 1, _ZONES)
    gap = (size - 1) / (_ZONES - 1)
    rows = np.arange(size, dtype=np.float32)
    total = np.zeros_like(echoes)
    for centre in centres:
        first, last = max(0, math.ceil(centre - gap)), min(size, math.floor(centre + gap) + 1)
        start = max(0, first - margin)
        along, across = pulse_sigmas_mm(device, focus_mm, float(centre) * spacing_mm)
        kernel_x, kernel_z = (_kernel(sigma / spacing_mm, power) for sigma in (across, along))
        zone = cv2.sepFilter2D(echoes[start : last + margin], cv2.CV_32F, kernel_x, kernel_z)[first - start :]
        weight = 1 - np.abs(rows[first:last] - np.float32(centre)) / np.float32(gap)
        weight = np.maximum(weight, 0).astype(np.float32).reshape((-1,) + (1,) * (echoes.ndim - 1))
        total[first:last] += zone[: last - first] * weight
    return total


def _kernel(sigma_px: float, power: bool) -> Field:
    """A Gaussian amplitude of unit energy, or its square: diffuse tissue then keeps its power."""
    radius = max(1, math.ceil(3 * sigma_px))
    amplitude = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma_px) ** 2)
    amplitude /= math.sqrt(float((amplitude**2).sum()))
    return (amplitude**2 if power else amplitude).astype(np.float32)


def _decibel(power: Field) -> Field:
    decibel: Field = np.float32(10) * np.log10(power + np.float32(1e-20))
    return decibel


def _grey(level_db: Field, device: Device) -> Image:
    scaled = level_db * np.float32(255 / device.dynamic_range_db)
    grey: Image = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return grey
