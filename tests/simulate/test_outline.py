import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busight.simulate.descriptors import Descriptors
from busight.simulate.outline import draw_outline

MARGINS = ("circumscribed", "indistinct", "angular", "microlobulated", "spiculated")


def words(shape: str, margin: str) -> Descriptors:
    return Descriptors(shape, "parallel", margin, "hypoechoic", "no posterior features")


def area(outline: np.ndarray) -> float:
    x, z = outline.T
    return 0.5 * abs(float(np.sum(x * np.roll(z, -1) - z * np.roll(x, -1))))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.sampled_from(("oval", "round", "irregular")),
    margin=st.sampled_from(MARGINS),
    diameter=st.floats(4, 26),
    aspect=st.floats(0.6, 2.2),
)
def test_area_is_that_of_the_circle_and_the_outline_closes(seed, shape, margin, diameter, aspect):
    outline = draw_outline(np.random.default_rng(seed), words(shape, margin), diameter, aspect)
    assert np.isfinite(outline).all()
    assert area(outline) == pytest.approx(np.pi * diameter**2 / 4)
    steps = np.hypot(*(np.roll(outline, -1, axis=0) - outline).T)
    assert steps[-1] < 0.15 * diameter


def test_margin_roughness_is_ordered():
    """Circumference squared over area grows from smooth to spiculated."""

    def roughness(margin: str) -> float:
        values = []
        for seed in range(10):
            outline = draw_outline(np.random.default_rng(seed), words("oval", margin), 12.0, 1.5)
            values.append(np.hypot(*(np.roll(outline, -1, axis=0) - outline).T).sum() ** 2 / area(outline))
        return float(np.mean(values))

    assert roughness("circumscribed") < roughness("microlobulated") < roughness("spiculated")


def test_aspect_is_width_over_height():
    outline = draw_outline(np.random.default_rng(1), words("oval", "circumscribed"), 12.0, 2.0)
    width, height = np.ptp(outline, axis=0)
    assert 1.5 < width / height < 2.3
