"""The outline of a mass by its shape, orientation and margin descriptors."""

from __future__ import annotations

import numpy as np

from busight.simulate.descriptors import Descriptors
from busight.types import FloatArray

_POINTS = 720


def draw_outline(rng: np.random.Generator, descriptors: Descriptors, diameter_mm: float, aspect: float) -> FloatArray:
    """Draw a closed outline around the origin.

    Args:
        rng: Source of randomness.
        descriptors: Shape and margin are used.
        diameter_mm: Diameter of the circle of the same area.
        aspect: Width over height.

    Returns:
        float64, shape (720, 2): x (across) and z (depth) in mm.
    """
    angle = np.linspace(0, 2 * np.pi, _POINTS, endpoint=False)
    radius = 1 + _waves(rng, angle, descriptors.shape == "irregular")
    if descriptors.margin == "angular":
        radius = _corners(rng, angle, radius)
    elif descriptors.margin == "microlobulated":
        radius = radius + _lobules(rng, angle, diameter_mm)
    elif descriptors.margin == "spiculated":
        radius = radius + _spicules(rng, angle)
    unit = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    outline = unit * np.array([np.sqrt(aspect), 1 / np.sqrt(aspect)])
    turn = rng.normal(0, 0.15)
    outline = outline @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    # The shoelace formula gives the area, which is scaled to that of the circle.
    x, z = outline.T
    area = 0.5 * abs(float(np.sum(x * np.roll(z, -1) - z * np.roll(x, -1))))
    scaled: FloatArray = outline * (0.5 * diameter_mm * np.sqrt(np.pi / area))
    return scaled


def _waves(rng: np.random.Generator, angle: FloatArray, irregular: bool) -> FloatArray:
    """Slow undulation: at most two or three gentle ones in an oval mass, many strong ones in an irregular one."""
    orders = np.arange(2, 8) if irregular else np.arange(2, 4)
    strength = 0.22 if irregular else 0.03
    heights = strength * rng.normal(0, 1, orders.size) / np.sqrt(orders)
    phases = rng.uniform(0, 2 * np.pi, orders.size)
    waves: FloatArray = (heights[:, None] * np.cos(orders[:, None] * angle + phases[:, None])).sum(axis=0)
    return np.clip(waves, -0.45, 0.6)


def _corners(rng: np.random.Generator, angle: FloatArray, radius: FloatArray) -> FloatArray:
    """Replace the outline by straight edges between a few corners, some of them sharp."""
    count = int(rng.integers(5, 9))
    corners = np.sort((np.arange(count) + rng.uniform(-0.3, 0.3, count)) * 2 * np.pi / count % (2 * np.pi))
    reach = np.interp(corners, angle, radius, period=2 * np.pi) * rng.uniform(0.75, 1.3, count)
    # On the edge between two corners 1 / radius is a sinusoid of the angle; interpolate with its exact weights.
    following = np.searchsorted(corners, angle % (2 * np.pi)) % count
    before = following - 1
    span = (corners[following] - corners[before]) % (2 * np.pi)
    passed = (angle - corners[before]) % (2 * np.pi)
    inverse = (np.sin(span - passed) / reach[before] + np.sin(passed) / reach[following]) / np.sin(span)
    # A fifth of the former curve keeps the edges from being exactly straight.
    edges: FloatArray = 0.8 / inverse + 0.2 * radius
    return edges


def _lobules(rng: np.random.Generator, angle: FloatArray, diameter_mm: float) -> FloatArray:
    """Many small lobules of about 2.5 mm with notches between them."""
    count = max(7, round(np.pi * diameter_mm / 2.5))
    # Uneven widths and heights: no two lobules are equal. Whole waves only, so that the outline closes.
    uneven = sum(rng.uniform(0.2, 0.5) * np.sin(order * angle + rng.uniform(0, 2 * np.pi)) for order in (1, 2, 3, 5))
    height = 0.08 + 0.05 * np.sin(2 * angle + rng.uniform(0, 2 * np.pi)) * np.cos(3 * angle)
    lobules: FloatArray = height * np.abs(np.sin(0.5 * (count * angle + 2 * uneven) + rng.uniform(0, np.pi)))
    return lobules


def _spicules(rng: np.random.Generator, angle: FloatArray) -> FloatArray:
    """Thin spikes that radiate into the surroundings."""
    spikes = np.zeros_like(angle)
    for _ in range(int(rng.integers(8, 15))):
        away = np.abs((angle - rng.uniform(0, 2 * np.pi) + np.pi) % (2 * np.pi) - np.pi)
        height, width = rng.uniform(0.12, 0.55), rng.uniform(0.07, 0.2)
        spikes = np.maximum(spikes, height * np.clip(1 - away / width, 0, 1) ** 1.3)
    return spikes
