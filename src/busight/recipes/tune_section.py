"""The recipe's ``tune`` section: what `busight tune` searches, and by which metric."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_CLOSED = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Range(BaseModel):
    """Numbers from ``low`` to ``high``; whole ones where both are written without a point.

    Attributes:
        low: The lowest value.
        high: The highest value.
        log: Search the logarithm.
    """

    model_config = _CLOSED

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(f"low {self.low}, high {self.high}: low below high, and above 0 where log is true")
        return self


class Choices(BaseModel):
    """Some values.

    Attributes:
        choices: The values.
    """

    model_config = _CLOSED

    choices: Annotated[tuple[bool | int | float | str, ...], Field(min_length=2)]


class TuneSection(BaseModel):
    """The search of `busight tune`; other commands ignore it.

    Attributes:
        metric: The metric to improve, as `metrics.json` names it.
        of: Whose: a class, ``macro``, ``overall`` ...
        direction: Whether more of it or less is better.
        folds: Inner folds, by group, over training and validation subset; the test subset is never read.
        space: From the dotted key of a recipe to its range ``{low, high, log}`` or its ``{choices}``.
    """

    model_config = _CLOSED

    metric: str = "auroc"
    of: str = "macro"
    direction: Literal["maximize", "minimize"] = "maximize"
    folds: Annotated[int, Field(ge=2, le=20)] = 3
    space: dict[str, Range | Choices] = {}
