"""A mass with the shape, margin, echoes and attenuation of its BI-RADS descriptors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from busight.simulate.anatomy import Tissue
from busight.simulate.descriptors import Descriptors
from busight.simulate.fields import Field, smooth_field, step
from busight.simulate.labels import MALIGNANT
from busight.simulate.outline import draw_outline
from busight.types import Mask

# dB per cm and MHz of the breast around a mass, and the frequency for which posterior features are meant.
_AROUND = 0.65
_NOMINAL_MHZ = 9.0

# Backscatter relative to subcutaneous fat in dB, lowest and highest.
_ECHO_DB = {
    "anechoic": (-38.0, -28.0),
    "hyperechoic": (7.0, 11.0),
    "complex cystic and solid": (-8.0, -3.0),
    "hypoechoic": (-13.0, -7.0),
    "isoechoic": (-2.5, 0.5),
    "heterogeneous": (-7.0, -2.0),
}
# Level behind the mass relative to its neighbourhood in dB. Fluid cannot enhance by more than the attenuation of the
# tissue that it replaces.
_BEHIND_DB = {
    "no posterior features": (-1.5, 1.5),
    "enhancement": (6.0, 12.0),
    "shadowing": (-22.0, -9.0),
    "combined pattern": (-20.0, -10.0),
}


@dataclass(frozen=True, slots=True)
class Lesion:
    """A patient's mass: the parameters that two images of it share.

    Attributes:
        descriptors: Its BI-RADS descriptors.
        diameter_mm: Diameter of the circle of the same area.
        aspect: Width over height.
        depth_share: Where between skin and chest wall the centre lies, 0–1.
        echo_db: Backscatter relative to subcutaneous fat.
        behind_db: Level behind the mass relative to its neighbourhood.
        halo_db: Brightness of the echogenic halo of invaded tissue around it; 0 for none.
        calcifications: Number of small bright points in it.
    """

    descriptors: Descriptors
    diameter_mm: float
    aspect: float
    depth_share: float
    echo_db: float
    behind_db: float
    halo_db: float
    calcifications: int


def draw_lesion(rng: np.random.Generator, label: str, descriptors: Descriptors) -> Lesion:
    """Draw the parameters of a mass given its descriptors. Only the size depends on the label itself, and weakly.

    Args:
        rng: Source of randomness.
        label: Benign or malignant.
        descriptors: Its BI-RADS descriptors.

    Returns:
        The mass.
    """
    median_mm = 14.5 if label == MALIGNANT else 10.5
    diameter = float(np.clip(rng.lognormal(np.log(median_mm), 0.35), 5.0, 22.0))
    if descriptors.shape == "round":
        aspect = rng.uniform(0.95, 1.05)
    else:
        aspect = rng.uniform(1.3, 2.1) if descriptors.orientation == "parallel" else rng.uniform(0.65, 0.9)
    invades = descriptors.margin != "circumscribed"
    return Lesion(
        descriptors=descriptors,
        diameter_mm=diameter,
        aspect=aspect,
        depth_share=rng.uniform(0.0, 1.0),
        echo_db=rng.uniform(*_ECHO_DB[descriptors.echo_pattern]),
        behind_db=rng.uniform(*_BEHIND_DB[descriptors.posterior]),
        halo_db=rng.uniform(3.0, 6.0) if invades and rng.random() < 0.5 else 0.0,
        calcifications=int(rng.integers(4, 15)) if rng.random() < (0.3 if invades else 0.06) else 0,
    )


def insert_lesion(
    rng: np.random.Generator, tissue: Tissue, lesion: Lesion, reachable_mm: tuple[float, float]
) -> tuple[Tissue, Mask]:
    """Insert a mass into tissue.

    Args:
        rng: Source of randomness: another generator gives another slice of the same mass.
        tissue: The tissue of the breast.
        lesion: The mass.
        reachable_mm: Depths between which a mass may lie (behind the skin, before the chest wall).

    Returns:
        The tissue with the mass and the mass's mask, bool HW.
    """
    spacing = tissue.spacing_mm
    size = tissue.echo_db.shape[0]
    height_mm = lesion.diameter_mm / np.sqrt(lesion.aspect)
    top = reachable_mm[0] + (0.75 if lesion.descriptors.margin == "spiculated" else 0.55) * height_mm
    bottom = max(top + 0.5, min(reachable_mm[1], 0.62 * size * spacing) - 0.3 * height_mm)
    centre = (rng.uniform(0.3, 0.7) * size * spacing, top + lesion.depth_share * (bottom - top))
    outline = draw_outline(rng, lesion.descriptors, lesion.diameter_mm, lesion.aspect)
    mask = _fill(outline + np.array(centre), size, spacing)
    edge_mm = _depth_inside(mask, spacing)
    softness = {"indistinct": 1.1, "spiculated": 0.35, "circumscribed": 0.15}.get(lesion.descriptors.margin, 0.25)
    inside = step(edge_mm, softness)
    echo = tissue.echo_db
    if lesion.halo_db:
        seam = step(edge_mm + np.float32(2.0), 0.8) * np.clip(smooth_field(rng, mask.shape, spacing, (2, 2)) + 1, 0, 2)
        echo = echo + np.float32(lesion.halo_db) * seam.astype(np.float32)
    echo = echo + inside * (_interior(rng, lesion, mask.shape, spacing) - echo)
    mirror = tissue.mirror * (1 - inside) + _capsule(edge_mm, lesion) + _calcifications(rng, lesion, mask)
    attenuation = tissue.attenuation + inside * (_attenuation(rng, lesion, mask, spacing) - tissue.attenuation)
    if lesion.descriptors.margin == "circumscribed":
        # A capsule attenuates little, but a beam along its flank crosses a lot of it: the edge shadow of a smooth mass.
        attenuation = attenuation + np.float32(0.7) * np.exp(-((edge_mm / np.float32(0.3)) ** 2))
    return replace(tissue, echo_db=echo, mirror=mirror, attenuation=attenuation), mask


def _fill(outline_mm: Field, size: int, spacing_mm: float) -> Mask:
    """Fill an outline (x, z in mm from the upper left corner of the image)."""
    fixed_point = np.rint((outline_mm / spacing_mm - 0.5) * 16).astype(np.int32)
    canvas = np.zeros((size, size), np.uint8)
    cv2.fillPoly(canvas, [fixed_point], 1, shift=4)
    return canvas.astype(bool)


def _depth_inside(mask: Mask, spacing_mm: float) -> Field:
    """Distance from the edge in mm, positive inside."""
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    signed: Field = (inside - outside) * np.float32(spacing_mm)
    return signed


def _interior(rng: np.random.Generator, lesion: Lesion, shape: tuple[int, ...], spacing_mm: float) -> Field:
    """Backscatter inside the mass, by its echo pattern."""
    size = (shape[0], shape[1])
    fine = smooth_field(rng, size, spacing_mm, (1.3, 1.6))
    coarse = smooth_field(rng, size, spacing_mm, (2.5, 3.5))
    pattern = lesion.descriptors.echo_pattern
    level = np.float32(lesion.echo_db)
    if pattern == "heterogeneous":
        fine, coarse = np.float32(1.5) * fine, np.float32(6.5) * coarse
    solid: Field = level + fine + np.float32(0.7) * coarse
    if pattern == "complex cystic and solid":
        solid = solid - np.float32(28.0) * step(coarse - np.float32(0.1), 0.15)
    return solid


def _capsule(edge_mm: Field, lesion: Lesion) -> Field:
    """The thin bright line of a circumscribed mass, where it faces the probe."""
    if lesion.descriptors.margin != "circumscribed":
        return np.zeros_like(edge_mm)
    slope = cv2.Sobel(edge_mm, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    across = cv2.Sobel(edge_mm, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    facing = (slope**2 / (slope**2 + across**2 + np.float32(1e-6))) ** 2
    line: Field = np.float32(1.6) * facing * np.exp(-np.float32(0.5) * (edge_mm / np.float32(0.15)) ** 2)
    return line


def _calcifications(rng: np.random.Generator, lesion: Lesion, mask: Mask) -> Field:
    """Single bright points: far smaller than the pulse, so one pixel each."""
    points = np.zeros(mask.shape, np.float32)
    if lesion.calcifications and mask.any():
        chosen = rng.choice(np.flatnonzero(mask), lesion.calcifications)
        points.flat[chosen] = rng.uniform(4.0, 12.0, lesion.calcifications)
    return points


def _attenuation(rng: np.random.Generator, lesion: Lesion, mask: Mask, spacing_mm: float) -> Field:
    """Attenuation in dB per cm and MHz that gives the wanted level behind the mass's thickest line."""
    thickest_cm = float(mask.sum(axis=0).max()) * spacing_mm / 10
    path = 2 * _NOMINAL_MHZ * max(thickest_cm, 0.2)
    if lesion.descriptors.echo_pattern == "anechoic":
        # Fluid attenuates next to nothing, independent of the draw.
        return np.full(mask.shape, 0.02, np.float32)
    value = np.full(mask.shape, np.clip(_AROUND - lesion.behind_db / path, 0.02, 4.0), np.float32)
    if lesion.descriptors.posterior == "combined pattern":
        # One side shadows, the other is nearly clear.
        columns = np.arange(mask.shape[1], dtype=np.float32)
        middle = np.float32(columns[mask.any(axis=0)].mean()) if mask.any() else np.float32(mask.shape[1] / 2)
        clear = step((columns - middle) * np.float32(spacing_mm * rng.choice((-1, 1))), 1.5)
        value = value + clear * (np.float32(0.05) - value)
    return value
