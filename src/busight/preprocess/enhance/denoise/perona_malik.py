"""Perona–Malik diffusion: smooth within regions, not across edges."""

from __future__ import annotations

import numpy as np

from busight.preprocess.enhance.ranges import require_within
from busight.preprocess.enhance.rounding import as_grey
from busight.types import Image


def perona_malik(image: Image, steps: int = 20, edge: float = 15.0, rate: float = 0.2) -> Image:
    """Diffuse with the conductance exp(-(difference / edge)^2) towards each neighbour.

    Args:
        image: uint8 HW.
        steps: Time steps, 1–500.
        edge: Grey difference that counts as an edge, 1–255.
        rate: Length of a time step, 0.01–0.25; above, the scheme is unstable.

    Returns:
        uint8 HW.

    Raises:
        RecipeError: A value out of range.

    Source:
        Perona and Malik, Scale-space and edge detection using anisotropic diffusion, IEEE Transactions on Pattern
        Analysis and Machine Intelligence 12 (1990) 629–639, eq. 7 with the first conductance of section V.
    """
    require_within("perona_malik", "steps", steps, 1, 500)
    require_within("perona_malik", "edge", edge, 1, 255)
    require_within("perona_malik", "rate", rate, 0.01, 0.25)
    values = image.astype(np.float32)
    sharpness = np.float32(-1 / edge**2)
    for _ in range(steps):
        # What one pixel gives, its neighbour takes: two flows are enough for four neighbours.
        down, right = np.diff(values, axis=0), np.diff(values, axis=1)
        for flow in (down, right):
            conductance = np.square(flow)
            conductance *= sharpness
            np.exp(conductance, out=conductance)
            flow *= conductance
            flow *= np.float32(rate)
        values[:-1] += down
        values[1:] -= down
        values[:, :-1] += right
        values[:, 1:] -= right
    return as_grey(values)
