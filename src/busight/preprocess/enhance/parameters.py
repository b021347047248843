"""Parameters of filters as data: type, default and allowed values, read from the signature.

    @validate_params
    def gaussian(image: Image, sigma: Annotated[float, Within(0.3, 20)] = 1.0) -> Image: ...

`parse_chain` checks a chain against them without running a filter; the decorator checks calls from Python.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from numbers import Integral, Real
from typing import Annotated, Any, Literal, ParamSpec, Protocol, TypeVar, get_args, get_origin, get_type_hints

from busight.errors import ConfigError

Value = int | float | str
"""An argument of a filter."""

_ACCEPTED: dict[type, type] = {int: Integral, float: Real, str: str}
"""A whole number may stand for a float; NumPy's scalars are accepted like Python's."""

P = ParamSpec("P")
R = TypeVar("R")


class Constraint(Protocol):
    """Allowed values of one parameter; its text completes "must be …"."""

    def allows(self, value: Any) -> bool:
        """Return whether a value of the parameter's type is allowed."""
        ...


@dataclass(frozen=True, slots=True)
class Within:
    """Closed interval."""

    low: float
    high: float

    def allows(self, value: float) -> bool:
        """Return whether the value lies in the interval; NaN does not."""
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Above:
    """Interval without its lower end."""

    low: float
    high: float

    def allows(self, value: float) -> bool:
        """Return whether the value lies in the interval; NaN does not."""
        return self.low < value <= self.high

    def __str__(self) -> str:
        return f"above {self.low:g} and at most {self.high:g}"


@dataclass(frozen=True, slots=True)
class Odd:
    """Odd sizes in pixels: a neighbourhood with a centre pixel."""

    low: int
    high: int

    def allows(self, value: int) -> bool:
        """Return whether the value is odd and in the interval."""
        return value % 2 == 1 and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"odd, {self.low}–{self.high} pixels"


@dataclass(frozen=True, slots=True)
class OneOf:
    """Named choices; what ``Literal`` in a signature becomes."""

    choices: tuple[str, ...]

    def allows(self, value: str) -> bool:
        """Return whether the value is one of the choices."""
        return value in self.choices

    def __str__(self) -> str:
        return " or ".join(self.choices)


@dataclass(frozen=True, slots=True)
class Below:
    """Relation to another parameter of the same filter: less than its value."""

    parameter: str

    def __str__(self) -> str:
        return f"below {self.parameter}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a filter.

    Attributes:
        name: As in the signature.
        type: int, float or str.
        default: As in the signature.
        constraints: Allowed values, whatever the other parameters are.
        relations: Allowed values given those of other parameters.
    """

    name: str
    type: type
    default: Value
    constraints: tuple[Constraint, ...]
    relations: tuple[Below, ...] = ()


@cache
def parameters_of(function: Callable[..., object]) -> tuple[Parameter, ...]:
    """Return the parameters of a filter in the order of its signature, without the image.

    Raises:
        TypeError: A parameter states no allowed values: a mistake in the filter, raised on import.

    Example:
        >>> from busight.preprocess.enhance.denoise.median import median
        >>> parameters_of(median)
        (Parameter(name='size', type=<class 'int'>, default=3, constraints=(Odd(low=3, high=31),), relations=()),)
    """
    hints = get_type_hints(function, include_extras=True)
    _, *signature = inspect.signature(function).parameters.values()
    return tuple(_parameter(entry.name, hints[entry.name], entry.default) for entry in signature)


def check_arguments(filter_name: str, parameters: tuple[Parameter, ...], arguments: Mapping[str, Any]) -> None:
    """Raise for the first argument that is not allowed.

    Args:
        filter_name: For the message.
        parameters: Parameters of the filter.
        arguments: A value for each parameter, by name.

    Raises:
        ConfigError: A value of another type, out of range, or in conflict with another argument.
    """

    def refusal(name: str, rule: str) -> ConfigError:
        value = arguments[name]
        shown = repr(value) if isinstance(value, str) else str(value)
        return ConfigError(f"{filter_name}: {name} {shown} must be {rule}")

    for parameter in parameters:
        value = arguments[parameter.name]
        if isinstance(value, bool) or not isinstance(value, _ACCEPTED[parameter.type]):
            raise refusal(parameter.name, f"of type {parameter.type.__name__}")
        for constraint in parameter.constraints:
            if not constraint.allows(value):
                raise refusal(parameter.name, str(constraint))
    # After the loop above every value has its type, so that two of them can be compared.
    for parameter in parameters:
        for relation in parameter.relations:
            if not arguments[parameter.name] < arguments[relation.parameter]:
                raise refusal(parameter.name, f"{relation} {arguments[relation.parameter]}")


def validate_params(function: Callable[P, R]) -> Callable[P, R]:
    """Return the filter with its arguments checked against its signature before each call."""
    signature, parameters = inspect.signature(function), parameters_of(function)

    @wraps(function)
    def validated(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        check_arguments(function.__name__, parameters, bound.arguments)
        return function(*args, **kwargs)

    return validated


def _parameter(name: str, hint: Any, default: Value) -> Parameter:
    if get_origin(hint) is Literal:
        return Parameter(name, str, default, (OneOf(get_args(hint)),))
    if get_origin(hint) is not Annotated:
        raise TypeError(f"{name}: state the allowed values, e.g. Annotated[float, Within(0, 1)] or a Literal")
    value_type, *rules = get_args(hint)
    relations = tuple(rule for rule in rules if isinstance(rule, Below))
    constraints = tuple(rule for rule in rules if not isinstance(rule, Below))
    return Parameter(name, value_type, default, constraints, relations)
