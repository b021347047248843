"""Elements of a DICOM header that may be missing or malformed: what cannot be read is told, and costs nothing else."""

from __future__ import annotations

import re
from collections.abc import MutableSequence
from typing import TYPE_CHECKING, Any

from busight.data.readers.source import DAMAGE
from busight.errors import ImageError

if TYPE_CHECKING:
    from pydicom import Dataset

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


def element(header: Dataset, keyword: str, warnings: list[str]) -> Any:
    """Return an element's value, None where it is missing, empty or cannot be read; the last adds a warning."""
    try:
        return header.get(keyword)
    except DAMAGE:  # its text may quote the value
        warnings.append(f"{keyword} cannot be read and was ignored")
        return None


def numbers(header: Dataset, keyword: str, warnings: list[str]) -> tuple[float, ...]:
    """Return the numbers of an element; none where it is missing or one of them cannot be read.

    A decimal comma is read as a decimal point, with a warning.
    """
    value = element(header, keyword, warnings)
    if value is None:
        return ()
    values = list(value) if isinstance(value, MutableSequence | tuple) else [value]
    try:
        return tuple(_number(item, keyword, warnings) for item in values)
    except DAMAGE:
        warnings.append(f"{keyword} is no number and was ignored")
        return ()


def whole_number(name: str, header: Dataset, keyword: str, warnings: list[str]) -> int | None:
    """Return the whole number of an element by which pixels are read; None where it is missing or empty.

    Raises:
        ImageError: The element is there and is no whole number.
    """
    unread: list[str] = []
    found = numbers(header, keyword, unread)
    if unread and not found:
        raise ImageError(f"{name}: {keyword} is no number, and pixels cannot be read without it; export it again")
    warnings += unread
    if not found:
        return None
    if len(found) > 1 or not found[0].is_integer():
        raise ImageError(f"{name}: {keyword} is no whole number, and pixels cannot be read without it; export it again")
    return int(found[0])


def text(header: Dataset, keyword: str, warnings: list[str]) -> str | None:
    """Return the text of an element, None where it is missing, blank or cannot be read."""
    value = element(header, keyword, warnings)
    return (str(value).strip() or None) if value is not None else None


def _number(value: Any, keyword: str, warnings: list[str]) -> float:
    written = str(value).strip() if isinstance(value, str) else ""
    if _DECIMAL_COMMA.fullmatch(written):
        told = f"{keyword} is written with a decimal comma, read as a decimal point"
        if told not in warnings:
            warnings.append(told)
        return float(written.replace(",", "."))
    return float(value)
