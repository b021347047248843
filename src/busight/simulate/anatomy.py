"""The layers of the breast from skin to chest wall, as maps of acoustic properties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from busight.simulate.fields import Field, sheets, smooth_curve, smooth_field, step

Composition = Literal["homogeneous fat", "homogeneous fibroglandular", "heterogeneous"]
"""Tissue composition in the words of BI-RADS Ultrasound."""


@dataclass(frozen=True, slots=True, eq=False)
class Tissue:
    """Acoustic properties of tissue.

    Attributes:
        echo_db: Diffuse backscatter in dB relative to subcutaneous fat, float32 HW.
        mirror: Amplitude of smooth surfaces facing the probe, relative to the speckle of fat, float32 HW.
        attenuation: dB per cm and MHz, one way, float32 HW.
        spacing_mm: Distance of pixel centres, the same along depth and across.
    """

    echo_db: Field
    mirror: Field
    attenuation: Field
    spacing_mm: float


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One patient's breast: the parameters that two images of it share. Lengths in mm.

    Attributes:
        composition: Tissue composition, the mixture of fat and gland.
        skin_mm: Thickness of the skin.
        fat_mm: Thickness of the subcutaneous fat.
        gland_mm: Thickness of the gland.
        retro_mm: Thickness of the fat behind the gland.
        muscle_mm: Thickness of the pectoral muscle.
        gland_db: Backscatter of the gland over fat.
        texture_mm: Size of fat islands and ducts in the gland.
        tilt: Slope of the layers, mm of depth per mm across.
        waviness_mm: Amplitude of the bending of the layers.
    """

    composition: Composition
    skin_mm: float
    fat_mm: float
    gland_mm: float
    retro_mm: float
    muscle_mm: float
    gland_db: float
    texture_mm: float
    tilt: float
    waviness_mm: float

    @property
    def chest_wall_mm(self) -> float:
        """Mean depth of the pleura."""
        return self.skin_mm + self.fat_mm + self.gland_mm + self.retro_mm + self.muscle_mm


def draw_anatomy(rng: np.random.Generator) -> Anatomy:
    """Draw a breast. The ranges are approximate, of adult breasts under light pressure of the probe."""
    compositions: tuple[Composition, ...] = ("homogeneous fat", "homogeneous fibroglandular", "heterogeneous")
    return Anatomy(
        composition=compositions[int(rng.choice(3, p=(0.22, 0.33, 0.45)))],
        skin_mm=rng.uniform(0.9, 2.2),
        fat_mm=rng.uniform(2.0, 11.0),
        gland_mm=rng.uniform(8.0, 20.0),
        retro_mm=rng.uniform(0.5, 4.0),
        muscle_mm=rng.uniform(5.0, 12.0),
        gland_db=rng.uniform(6.0, 12.0),
        texture_mm=rng.uniform(0.9, 2.4),
        tilt=float(np.clip(rng.normal(0.0, 0.1), -0.2, 0.2)),
        waviness_mm=rng.uniform(0.3, 1.3),
    )


def grow_tissue(rng: np.random.Generator, anatomy: Anatomy, size: int, depth_mm: float) -> Tissue:
    """Return the acoustic maps of a square image of a patient's breast.

    The layers are generated flat, each with its own texture, and then bent together, so that fibres follow their layer.

    Args:
        rng: Source of randomness: another generator gives another slice of the same breast.
        anatomy: The patient's breast.
        size: Rows and columns.
        depth_mm: Height of the image.

    Returns:
        The maps.
    """
    spacing = depth_mm / size
    tops = _layer_tops(rng, anatomy, size, spacing)
    depth = (np.arange(size, dtype=np.float32) * np.float32(spacing))[:, None]
    inside = [step(depth - top, 0.15) for top in tops]
    fat = _fat(rng, size, spacing)
    layers: tuple[tuple[Field, Field, Field], ...] = (
        _skin(rng, size, spacing),
        fat,
        _gland(rng, anatomy, fat, spacing),
        (fat[0] - np.float32(1.0), fat[1], fat[2]),
        _muscle(rng, size, spacing),
        _chest_wall(rng, depth - tops[4], spacing),
    )
    maps = [layers[0][kind] for kind in range(3)]
    for weight, layer in zip(inside, layers[1:], strict=True):
        maps = [maps[kind] + weight * (layer[kind] - maps[kind]) for kind in range(3)]
    # The skin's faces, the front of the muscle and the pleura are smooth surfaces of varying strength.
    for top, strength in zip((0 * tops[0], tops[0], tops[3], tops[4]), (4.0, 2.0, 1.5, 3.0), strict=True):
        uneven = np.clip(1 + smooth_curve(rng, size, spacing, 3.0), 0.05, 3)
        maps[1] += np.float32(strength) * uneven * np.exp(-np.float32(0.5) * ((depth - top) / np.float32(0.14)) ** 2)
    bent = _bend(rng, anatomy, maps, spacing)
    return Tissue(bent[0], bent[1], bent[2], spacing)


def _layer_tops(rng: np.random.Generator, anatomy: Anatomy, size: int, spacing_mm: float) -> list[Field]:
    """Depth in mm at which fat, gland, retromammary fat, muscle and chest wall begin, each float32 (size,)."""
    thickness = (anatomy.skin_mm, anatomy.fat_mm, anatomy.gland_mm, anatomy.retro_mm, anatomy.muscle_mm)
    unevenness = (0.05, 0.22, 0.08, 0.2, 0.04)
    tops: list[Field] = []
    top = np.zeros(size, dtype=np.float32)
    for mean, spread in zip(thickness, unevenness, strict=True):
        curve = smooth_curve(rng, size, spacing_mm, 11.0)
        top = top + np.float32(mean) * np.maximum(np.float32(1 + spread * curve), np.float32(0.2))
        tops.append(top)
    return tops


def _skin(rng: np.random.Generator, size: int, spacing_mm: float) -> tuple[Field, Field, Field]:
    echo = np.float32(7.0) + smooth_field(rng, (size, size), spacing_mm, (0.5, 3.0))
    return echo, np.zeros_like(echo), np.full_like(echo, 1.2)


def _fat(rng: np.random.Generator, size: int, spacing_mm: float) -> tuple[Field, Field, Field]:
    """Lobules of fat between thin sheets of connective tissue."""
    lobules = smooth_field(rng, (size, size), spacing_mm, (3.2, 7.0))
    fine = smooth_field(rng, (size, size), spacing_mm, (1.4, 5.0))
    septa = sheets(lobules + np.float32(0.3), spacing_mm, 0.11) + np.float32(0.5) * sheets(fine, spacing_mm, 0.08)
    septa *= _patches(rng, (size, size), spacing_mm, (3.0, 4.0))
    echo = smooth_field(rng, (size, size), spacing_mm, (1.5, 3.0)) * np.float32(1.2)
    echo += septa * np.float32(5.0)
    return echo, np.float32(1.4) * septa, np.full_like(echo, 0.55)


def _gland(
    rng: np.random.Generator, anatomy: Anatomy, fat: tuple[Field, Field, Field], spacing_mm: float
) -> tuple[Field, Field, Field]:
    """Bright fibroglandular tissue with darker islands of fat and ducts, mixed by the composition."""
    shape = (fat[0].shape[0], fat[0].shape[1])
    length = anatomy.texture_mm
    islands = smooth_field(rng, shape, spacing_mm, (0.8 * length, 1.6 * length))
    large = smooth_field(rng, shape, spacing_mm, (5.0, 9.0))
    threshold = {"homogeneous fat": -1.1, "homogeneous fibroglandular": 1.6, "heterogeneous": 0.7}[anatomy.composition]
    amount = {"homogeneous fat": 0.5, "homogeneous fibroglandular": 0.3, "heterogeneous": 1.0}[anatomy.composition]
    glandular = step(np.float32(threshold) + np.float32(amount) * large - islands, 0.45)
    strands = sheets(smooth_field(rng, shape, spacing_mm, (1.0, 4.5)), spacing_mm, 0.12)
    strands *= _patches(rng, shape, spacing_mm, (3.0, 5.0))
    bright = np.float32(anatomy.gland_db) + np.float32(1.2) * islands + np.float32(1.5) * large
    echo = fat[0] - np.float32(3) + glandular * (bright - fat[0] + np.float32(3)) + np.float32(3.0) * strands
    mirror = fat[1] * (1 - glandular) + np.float32(1.1) * strands
    return echo, mirror, np.float32(0.55) + np.float32(0.25) * glandular


def _muscle(rng: np.random.Generator, size: int, spacing_mm: float) -> tuple[Field, Field, Field]:
    """Dark muscle with long thin fibres."""
    fibres = sheets(smooth_field(rng, (size, size), spacing_mm, (0.6, 14.0)), spacing_mm, 0.08)
    fibres *= _patches(rng, (size, size), spacing_mm, (1.5, 6.0))
    echo = np.float32(-3.0) + np.float32(4.0) * fibres
    return echo, np.float32(1.2) * fibres, np.full_like(echo, 0.7)


def _chest_wall(rng: np.random.Generator, behind_mm: Field, spacing_mm: float) -> tuple[Field, Field, Field]:
    """Lung behind the pleura: no true echoes, only reverberations that decay; sometimes a rib and its shadow."""
    size = behind_mm.shape[0]
    ringing = np.float32(4.0) * np.exp(-np.maximum(behind_mm, 0) / np.float32(5.0))
    echo = np.float32(-12.0) + ringing + np.float32(2.0) * smooth_field(rng, (size, size), spacing_mm, (0.8, 8.0))
    attenuation = np.full_like(echo, 1.2)
    if rng.random() < 0.4:
        across = np.arange(size, dtype=np.float32) * np.float32(spacing_mm)
        centre, half = rng.uniform(0, size * spacing_mm), rng.uniform(4, 8)
        attenuation += np.float32(5.0) * step(np.float32(half) - np.abs(across - np.float32(centre)), 0.5)
    return echo, np.zeros_like(echo), attenuation


def _patches(
    rng: np.random.Generator, shape: tuple[int, int], spacing_mm: float, length_mm: tuple[float, float]
) -> Field:
    """Echo strength of fibres from place to place, 0 to about 3: few are strong, most are faint."""
    patches: Field = (
        np.float32(0.5) * np.clip(smooth_field(rng, shape, spacing_mm, length_mm) + np.float32(0.7), 0, 2.5) ** 2
    )
    return patches


def _bend(rng: np.random.Generator, anatomy: Anatomy, maps: list[Field], spacing_mm: float) -> list[Field]:
    """Tilt and bend the flat layers together; the skin lies on the probe and stays straight."""
    size = maps[0].shape[0]
    axis = np.arange(size, dtype=np.float32)
    wave = smooth_field(rng, (size, size), spacing_mm, (12.0, 18.0)) * np.float32(anatomy.waviness_mm)
    tilt = (axis - np.float32(size / 2)) * np.float32(spacing_mm * anatomy.tilt)
    freedom = np.clip((axis * np.float32(spacing_mm) - np.float32(anatomy.skin_mm)) / np.float32(12.0), 0, 1)[:, None]
    shift = (wave + tilt) * freedom
    rows = axis[:, None] + shift / np.float32(spacing_mm)
    # A smooth surface that leans away from the beam sends its echo past the probe.
    lean = cv2.Sobel(shift, cv2.CV_32F, 1, 0, ksize=3, scale=1 / (8 * spacing_mm))
    echo, mirror, attenuation = maps
    columns = np.broadcast_to(axis, (size, size)).copy()
    border = cv2.BORDER_REFLECT_101
    return [
        np.asarray(cv2.remap(flat, columns, rows, cv2.INTER_LINEAR, borderMode=border), dtype=np.float32)
        for flat in (echo, mirror * np.exp(np.float32(-8.0) * lean * lean), attenuation)
    ]
