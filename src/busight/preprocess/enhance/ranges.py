"""Checks that the filters share."""

from __future__ import annotations

from busight.errors import RecipeError


def require_within(filter_name: str, argument: str, value: float, least: float, most: float) -> None:
    """Refuse a value out of range.

    Raises:
        RecipeError: It is below ``least`` or above ``most``.
    """
    if not least <= value <= most:
        raise RecipeError(f"{filter_name}: {argument} {value:g} must be {least:g} to {most:g}")


def require_odd(filter_name: str, argument: str, value: int, least: int, most: int) -> None:
    """Refuse a size that has no middle pixel.

    Raises:
        RecipeError: It is even, or out of range.
    """
    if value % 2 == 0 or not least <= value <= most:
        raise RecipeError(f"{filter_name}: {argument} {value} must be odd, {least}–{most} pixels")
