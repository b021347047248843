"""The filters of an enhancement chain, from their catalogue, signatures and docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from busight.preprocess.enhance.chain import CROPS, FILTERS_BY_TYPE
from generate.docstrings import sections_of, summary_of
from generate.tables import table


def filter_tables() -> str:
    """Return a table of filters for each type."""
    by_type = {**FILTERS_BY_TYPE, "crop": tuple(CROPS.values())}
    return "\n\n".join(f"## {name}\n\n{_table(filters)}" for name, filters in by_type.items())


def _table(filters: tuple[Callable[..., object], ...]) -> str:
    rows = [
        [f"`{_call(one)}`", _first_sentence(one), sections_of(inspect.getdoc(one) or "").get("Source", "")]
        for one in filters
    ]
    return table(["filter and defaults", "what it does", "source"], rows)


def _call(function: Callable[..., object]) -> str:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return f"{function.__name__}({', '.join(f'{one.name}={one.default!r}' for one in parameters)})"


def _first_sentence(function: Callable[..., object]) -> str:
    return summary_of(function).partition("\n\n")[0]
