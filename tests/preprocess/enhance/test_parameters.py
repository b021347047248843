from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import pytest

from busight.errors import ConfigError
from busight.preprocess.enhance.parameters import (
    Above,
    Below,
    Constraint,
    Odd,
    OneOf,
    Parameter,
    Within,
    parameters_of,
    validate_params,
)
from busight.types import Image

IMAGE = np.zeros((4, 4), np.uint8)


@validate_params
def shift(
    image: Image,
    low: Annotated[int, Within(0, 9), Below("high")] = 1,
    high: Annotated[float, Above(0, 9)] = 5.0,
    mode: Literal["wrap", "clip"] = "wrap",
) -> Image:
    """Filter of this test."""
    return image + np.uint8(low)


@pytest.mark.parametrize(
    ("constraint", "allowed", "refused", "text"),
    [
        (Within(0.5, 2), [0.5, 1, 2.0], [0.49, 2.01, float("nan"), float("inf")], "0.5 to 2"),
        (Within(-100, 100), [-100, 100], [-101, 101], "-100 to 100"),
        (Above(0, 40), [1e-9, 40], [0, -1, 40.1, float("nan")], "above 0 and at most 40"),
        (Odd(3, 7), [3, 5, 7], [-3, 1, 2, 4, 8, 9], "odd, 3–7 pixels"),
        (OneOf(("mean", "gaussian")), ["mean", "gaussian"], ["", "Mean", "mea"], "mean or gaussian"),
    ],
)
def test_constraints(constraint: Constraint, allowed: list[object], refused: list[object], text: str) -> None:
    assert all(constraint.allows(value) for value in allowed)
    assert not any(constraint.allows(value) for value in refused)
    assert str(constraint) == text


def test_parameters_are_read_from_the_signature() -> None:
    assert parameters_of(shift) == (
        Parameter("low", int, 1, (Within(0, 9),), (Below("high"),)),
        Parameter("high", float, 5.0, (Above(0, 9),)),
        Parameter("mode", str, "wrap", (OneOf(("wrap", "clip")),)),
    )
    assert shift.__name__ == "shift"


def test_a_parameter_without_a_range_is_a_mistake_of_its_author() -> None:
    def blur(image: Image, sigma: float = 1.0) -> Image:
        return image

    with pytest.raises(TypeError, match="sigma: state the allowed values"):
        validate_params(blur)


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"low": -1}, "shift: low -1 must be 0 to 9"),
        ({"low": 2.0}, "shift: low 2.0 must be of type int"),
        ({"low": True}, "shift: low True must be of type int"),
        ({"low": "2"}, "shift: low '2' must be of type int"),
        ({"low": 5}, "shift: low 5 must be below high 5.0"),
        ({"high": 0.5}, "shift: low 1 must be below high 0.5"),
        ({"low": 5, "high": None}, "shift: high None must be of type float"),
        ({"low": 5, "high": float("nan")}, "shift: high nan must be above 0 and at most 9"),
        ({"mode": "warp"}, "shift: mode 'warp' must be wrap or clip"),
    ],
)
def test_calls_with_wrong_values_are_refused(arguments: dict[str, object], rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        shift(IMAGE, **arguments)
    assert str(caught.value) == rule


def test_numbers_of_numpy_are_taken() -> None:
    assert (shift(IMAGE, np.int64(3), np.float32(4), "clip") == 3).all()
    assert (shift(IMAGE, high=np.int16(4)) == 1).all()
