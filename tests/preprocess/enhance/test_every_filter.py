"""The contract of every filter."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from busight.errors import ConfigError
from busight.preprocess.enhance.chain import CROPS, FILTERS, FILTERS_BY_TYPE, apply_chain, parse_chain
from busight.preprocess.enhance.parameters import Above, Odd, OneOf, Parameter, Value, Within, parameters_of

DENOISE = [function.__name__ for function in FILTERS_BY_TYPE["denoise"]]
STEPS = {**FILTERS, **CROPS}
IMAGE = np.random.default_rng(4).integers(0, 256, (24, 30), dtype=np.uint8)


def allowed_and_refused(parameter: Parameter) -> tuple[list[Value], list[Value]]:
    """Values at the ends of a parameter's range, and just beyond."""
    if not parameter.constraints:
        return [], []
    (constraint,) = parameter.constraints
    match constraint:
        case Odd(low, high):
            return [low, high], [low - 2, low - 1, low + 1, high + 1, high + 2]
        case Within(low, high) if parameter.type is int:
            return [low, high], [low - 1, high + 1]
        case Within(low, high):
            return [low, high], [np.nextafter(low, -1e9), np.nextafter(high, 1e9), float("nan")]
        case Above(low, high):
            return [low + 0.01, high], [low, np.nextafter(high, 1e9), float("nan")]
        case OneOf(choices):
            return list(choices), ["", "other"]
        case _:
            return [parameter.default], ["", "other"]


RANGES = [
    (name, parameter)
    for name, function in STEPS.items()
    for parameter in parameters_of(function)
    if name != "stretch"  # the ends of one percentile are not allowed with the default of the other
]


def run(name: str, image: np.ndarray) -> np.ndarray:
    return apply_chain(image, parse_chain(name))


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (1, 50), (50, 1), (2, 2), (3, 5), (17, 40)])
def test_small_and_narrow_images_keep_their_shape(name: str, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    filtered = run(name, image)
    assert (filtered.dtype, filtered.shape) == (np.uint8, shape)


@pytest.mark.parametrize("name", FILTERS)
@settings(max_examples=15, deadline=None)
@given(image=arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24))))
def test_any_image_keeps_its_shape_and_gives_the_same_twice(name: str, image: np.ndarray) -> None:
    before = image.copy()
    first, second = run(name, image), run(name, image)
    assert (first.dtype, first.shape) == (np.uint8, image.shape)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(image, before)
    assert not np.shares_memory(first, image)


@pytest.mark.parametrize("name", FILTERS)
def test_memory_is_that_of_a_few_images(name: str) -> None:
    """In float32 images, as NumPy counts them; total variation is scikit-image's."""
    image = np.random.default_rng(3).integers(1, 256, (256, 300), dtype=np.uint8)
    run(name, image)
    tracemalloc.start()
    run(name, image)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak / (4 * image.size) < (12 if name == "total_variation" else 6.5)


@pytest.mark.parametrize("name", [*DENOISE, "remove_overlays"])
@pytest.mark.parametrize("grey", [0, 1, 90, 255])
def test_where_there_is_no_noise_nothing_changes(name: str, grey: int) -> None:
    flat = np.full((40, 40), grey, np.uint8)
    np.testing.assert_array_equal(run(name, flat), flat)


@pytest.mark.parametrize("name", DENOISE)
def test_noise_becomes_less_and_the_mean_stays(name: str) -> None:
    rng = np.random.default_rng(2)
    noisy = np.clip(100 * (1 + 0.2 * rng.standard_normal((96, 96))), 0, 255).astype(np.uint8)
    filtered = run(name, noisy)
    assert filtered.std() < 0.8 * noisy.std()
    assert abs(filtered.mean() - noisy.mean()) < 2.5


@pytest.mark.parametrize("name", DENOISE)
def test_a_strong_edge_stays_where_it_is(name: str) -> None:
    step = np.full((64, 64), 40, np.uint8)
    step[:, 32:] = 200
    filtered = run(name, step).astype(int)
    steepest = np.abs(np.diff(filtered, axis=1)).argmax(axis=1)
    assert (steepest == 31).all()


@pytest.mark.parametrize(("name", "parameter"), RANGES, ids=[f"{name}-{p.name}" for name, p in RANGES])
def test_a_range_says_what_a_filter_takes(name: str, parameter: Parameter) -> None:
    allowed, refused = allowed_and_refused(parameter)
    assert allowed
    for value in allowed:
        STEPS[name](IMAGE, **{parameter.name: value})
        assert dict(parse_chain(f"{name}({parameter.name}={value!r})")[0].arguments)[parameter.name] == value
    for value in refused:
        with pytest.raises(ConfigError, match=f"^{name}: {parameter.name} .* must be ") as called:
            STEPS[name](IMAGE, **{parameter.name: value})
        assert str(value) in str(called.value)
        assert str(called.value).endswith(f"must be {parameter.constraints[0]}")


@pytest.mark.parametrize("name", STEPS)
def test_a_chain_and_a_call_refuse_with_the_same_words(name: str) -> None:
    for parameter in parameters_of(STEPS[name]):
        value: Value = -1000 if parameter.type is not str else "other"
        with pytest.raises(ConfigError, match=f"^{name}: {parameter.name} ") as called:
            STEPS[name](IMAGE, **{parameter.name: value})
        with pytest.raises(ConfigError) as parsed:
            parse_chain(f"{name}({parameter.name}={value!r})")
        assert str(called.value) == str(parsed.value)


@pytest.mark.parametrize("name", STEPS)
def test_every_filter_documents_its_arguments(name: str) -> None:
    text = STEPS[name].__doc__ or ""
    assert "image: uint8 HW" in text
    for parameter in parameters_of(STEPS[name]):
        assert f"\n        {parameter.name}: " in text
        assert "ConfigError" in text
