"""Values of tables that people write in several ways: what is unknown, BI-RADS categories, who is the patient."""

from __future__ import annotations

import re
from collections.abc import Sequence

from busight.types import DataWarning, Sample

_NOT_GIVEN = frozenset({
    "", "nan", "nat", "na", "n/a", "<na>", "#n/a", "n.a.", "null", "nil", "none", "unknown", "unk", "undefined",
    "missing", "not known", "not available", "not given", "anonymous", "anonymized", "anonymised", "?", "-", "--", "–",
})  # fmt: skip
"""Words, in lower case, by which people and programs write that a value is not known."""

_LABEL_NOT_GIVEN = frozenset({"", "nan", "nat", "na", "n/a", "<na>", "#n/a", "null"})
"""Of a label only what programs write: "none" and "unknown" may be names of classes."""

_BIRADS = re.compile(r"(?:bi-?rads[\s:-]*)?(?:category\s*)?([0-6])(?:[.,]0+)?(?:\s*([a-c]))?", re.IGNORECASE)

_MANY_IMAGES = 10


def known(text: str | None) -> str | None:
    """Return a cell's text; None where it says that the value is not known.

    Example:
        >>> known("p-17"), known("NaN"), known(" Unknown "), known("")
        ('p-17', None, None, None)
    """
    return None if text is None or text.strip().casefold() in _NOT_GIVEN else text


def known_label(text: str | None) -> str | None:
    """Return a cell's label; None where it is empty or a program's word for a missing value."""
    return None if text is None or text.strip().casefold() in _LABEL_NOT_GIVEN else text


def birads_category(text: str | None) -> int | None:
    """Return the BI-RADS assessment category of a cell, 4 for 4A, 4B and 4C; None where it is not known.

    Raises:
        ValueError: The text is no category.

    Example:
        >>> birads_category("4a"), birads_category("4.0"), birads_category("BI-RADS 3"), birads_category("nan")
        (4, 4, 3, None)

    Source:
        ACR BI-RADS Atlas, 5th edition: categories 0 to 6, of which 4 is divided into 4A, 4B and 4C.
    """
    if known(text) is None:
        return None
    match = _BIRADS.fullmatch(str(text).strip())
    if match is None or (match[2] and match[1] != "4"):
        raise ValueError(f"BI-RADS {text!r} is not a category 0–6 or 4A–4C")
    return int(match[1])


def birads_subcategory(text: str | None) -> str | None:
    """Return 4A, 4B or 4C of a cell that `birads_category` reads; None for a category without a letter."""
    match = _BIRADS.fullmatch((text or "").strip())
    return f"4{match[2].upper()}" if match is not None and match[2] else None


def one_patient_warning(samples: Sequence[Sample]) -> list[DataWarning]:
    """Return a warning where all of many images name one patient or examination, as a column of one text does."""
    named = {
        "patient": {sample.patient_id for sample in samples},
        "examination": {sample.exam_id for sample in samples},
    }
    return [
        DataWarning(
            ".",
            f"all {len(samples)} images name one {kind}, so no split can separate them; if that is not so, leave the "
            f"{kind} empty",
        )
        for kind, values in named.items()
        if len(samples) >= _MANY_IMAGES and len(values) == 1 and None not in values
    ]
