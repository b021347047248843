"""The label schema: the classes, the positive class, the classes without a lesion."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from busight.errors import ConfigError, DataError

TaskName = Literal["multiclass", "binary", "lesion", "segmentation"]

_ORDER = ("normal", "benign", "malignant")
_POSITIVE = "malignant"
_WITHOUT_LESION = "normal"
_OR = " or "


@dataclass(frozen=True, slots=True)
class LabelSchema:
    """The classes of a model; it comes from the data source and is stored in the bundle.

    Attributes:
        names: Class names, in the order of every logit and probability vector.
        positive: The positive class, of thresholds, PPV and NPV (scikit-learn's ``pos_label``); None without one.
        without_lesion: Classes of images that show no lesion.
        members: For each class the labels of the source that belong to it; empty where each is a label itself.

    Example:
        >>> labels = LabelSchema(("normal", "benign", "malignant"), "malignant", ("normal",))
        >>> labels.index("benign"), labels.index(None), labels.lesion_pair
        (1, -1, (1, 2))
        >>> labels.for_task("binary").names
        ('not malignant', 'malignant')
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    names: tuple[str, ...]
    positive: str | None = None
    without_lesion: tuple[str, ...] = ()
    members: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        """Raise for classes that contradict each other: to take one class for another is the worst error."""
        if len(self.names) < 2 or len(set(self.names)) < len(self.names) or not all(self.names):
            raise ValueError(f"labels {', '.join(self.names) or 'none'}: at least two different names are needed")
        unknown = {*self.without_lesion, *([self.positive] if self.positive is not None else [])} - set(self.names)
        if unknown:
            raise ValueError(f"label {min(unknown)!r} is not one of the classes {', '.join(self.names)}")
        if self.positive in self.without_lesion:
            raise ValueError(f"label {self.positive!r} cannot be both positive and without a lesion")
        labels = [label for group in self.members for label in group]
        if self.members and (len(self.members) != len(self.names) or len(set(labels)) < len(labels)):
            raise ValueError("each class needs its own labels, and no label belongs to two classes")

    def index(self, label: str | None) -> int:
        """Return the index of the class that a source's label belongs to; -1 where it has none.

        A label of several classes (``"normal or benign"``) belongs to a class that holds all of them.
        """
        if label is None:
            return -1
        for place, group in enumerate(self.members or tuple((name,) for name in self.names)):
            if label in group:
                return place
        options = label.split(_OR)
        places = {self.index(option) for option in options} if len(options) > 1 else {-1}
        return places.pop() if len(places) == 1 else -1

    def class_of(self, label: str | None) -> str | None:
        """Return the name of the class that a source's label belongs to; None where it has none."""
        place = self.index(label)
        return None if place < 0 else self.names[place]

    @property
    def positive_index(self) -> int | None:
        """Index of the positive class in the vectors; None without one."""
        return None if self.positive is None else self.names.index(self.positive)

    @property
    def lesion_pair(self) -> tuple[int, int] | None:
        """Indices of the one negative and the positive lesion class; None unless these are the only lesion classes."""
        lesions = [name for name in self.names if name not in self.without_lesion]
        if self.positive is None or len(lesions) != 2 or self.members:
            return None
        negative = next(name for name in lesions if name != self.positive)
        return self.names.index(negative), self.names.index(self.positive)

    def is_mixed(self, name: str) -> bool:
        """Return whether a class holds several labels of the source, as "not malignant" holds normal and benign."""
        return bool(self.members) and len(self.members[self.names.index(name)]) > 1

    def for_task(self, task: TaskName) -> LabelSchema:
        """Return the classes of a task.

        Args:
            task: ``multiclass`` (every class of the source), ``binary`` (the positive class against all others),
                ``lesion`` or ``segmentation`` (images with against images without a lesion).

        Raises:
            ConfigError: There is no such task.
            DataError: The source has no positive class, or none without a lesion, that the task needs.
        """
        if task == "multiclass":
            return self
        if task == "binary":
            if self.positive is None:
                raise DataError(
                    f"task binary: the classes {', '.join(self.names)} have no positive one; name it in labels.json "
                    "beside the data, or use classify.task=multiclass"
                )
            others = tuple(name for name in self.names if name != self.positive)
            return LabelSchema((f"not {self.positive}", self.positive), self.positive, (), (others, (self.positive,)))
        if task not in ("lesion", "segmentation"):
            raise ConfigError(f"task {task!r}: known: {', '.join(get_args(TaskName))}")
        lesions = tuple(name for name in self.names if name not in self.without_lesion)
        if not self.without_lesion and task == "lesion":
            raise DataError(
                f"task lesion: none of the classes {', '.join(self.names)} is without a lesion; name it in labels.json "
                "beside the data, or use classify.task=multiclass"
            )
        return LabelSchema(("no lesion", "lesion"), "lesion", ("no lesion",), (self.without_lesion, lesions))

    def shows_lesion(self, label: str | None) -> bool:
        """Return whether a source's label is of an image with a lesion."""
        place = self.index(label)
        return place >= 0 and self.names[place] not in self.without_lesion


def infer_labels(names: Iterable[str]) -> LabelSchema:
    """Return the schema of class names without further knowledge.

    ``malignant`` is the positive class and ``normal`` the one without a lesion, where they occur; normal, benign and
    malignant come first, all others follow in natural order.

    Raises:
        DataError: Fewer than two classes.

    Example:
        >>> infer_labels({"malignant", "benign"})
        LabelSchema(names=('benign', 'malignant'), positive='malignant', without_lesion=(), members=())
    """
    known = set(names)
    ordered = [name for name in _ORDER if name in known]
    ordered += sorted(known - set(_ORDER), key=_natural)
    try:
        return LabelSchema(
            tuple(ordered),
            _POSITIVE if _POSITIVE in known else None,
            (_WITHOUT_LESION,) if _WITHOUT_LESION in known and len(known) > 1 else (),
        )
    except ValueError as error:
        raise DataError(f"{error}; add images of another class") from error


def union(schemas: Sequence[LabelSchema]) -> LabelSchema:
    """Return the schema of several data sets taken as one.

    Raises:
        DataError: The schemas disagree on the positive class, or on what shows no lesion.
    """
    names = list(dict.fromkeys(name for schema in schemas for name in schema.names))
    positives = {schema.positive for schema in schemas} - {None}
    without = tuple(dict.fromkeys(name for schema in schemas for name in schema.without_lesion))
    clash = any(name in schema.names and name not in schema.without_lesion for name in without for schema in schemas)
    if len(positives) > 1 or clash:
        raise DataError("the sets disagree on the positive class or on what shows no lesion; join sets of one kind")
    ordered = [name for name in _ORDER if name in names] + [name for name in names if name not in _ORDER]
    return LabelSchema(tuple(ordered), positives.pop() if positives else None, without)


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a sort key that puts "grade 2" before "grade 10"."""
    return [(int(text), "") if text.isdecimal() else (-1, text) for text in re.split(r"(\d+)", name)]


BREAST = LabelSchema(("normal", "benign", "malignant"), "malignant", ("normal",))
"""The classes of BUSI and of the phantoms."""

LESIONS = LabelSchema(("benign", "malignant"), "malignant")
"""The classes of sets in which every image shows a lesion."""
