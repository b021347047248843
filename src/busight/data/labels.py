"""The tasks: which classes a network tells apart, and how a finding becomes one of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from busight.types import Finding

TaskName = Literal["finding", "malignancy", "lesion", "segmentation"]


@dataclass(frozen=True, slots=True)
class Task:
    """A labelling of images.

    Attributes:
        name: The task's name in a recipe.
        classes: Class names; the index of a name is the target.
        index_of: Target of each finding. Findings that are not in it take no part.
    """

    name: str
    classes: tuple[str, ...]
    index_of: dict[Finding, int]

    def target(self, finding: Finding | None) -> int:
        """Return the target of a finding; -1 where it has none.

        Example:
            >>> TASKS["malignancy"].target(Finding.BENIGN), TASKS["malignancy"].target(None)
            (0, -1)
        """
        return -1 if finding is None else self.index_of.get(finding, -1)


def grades_lesions(classes: Collection[str]) -> bool:
    """Say whether benign and malignant lesions are classes of their own.

    Example:
        >>> grades_lesions(TASKS["finding"].classes), grades_lesions(TASKS["malignancy"].classes)
        (True, False)
    """
    return {"benign", "malignant"} <= set(classes)


TASKS: dict[str, Task] = {
    "finding": Task(
        "finding",
        ("normal", "benign", "malignant"),
        {Finding.NORMAL: 0, Finding.BENIGN: 1, Finding.MALIGNANT: 2},
    ),
    "malignancy": Task(
        "malignancy",
        ("not malignant", "malignant"),
        {Finding.NORMAL: 0, Finding.BENIGN: 0, Finding.MALIGNANT: 1},
    ),
    "lesion": Task(
        "lesion",
        ("no lesion", "lesion"),
        {Finding.NORMAL: 0, Finding.BENIGN: 1, Finding.MALIGNANT: 1},
    ),
}
