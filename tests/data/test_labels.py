from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busight.data.labels import BREAST, LabelSchema, infer_labels, union
from busight.errors import ConfigError, DataError


def test_tasks_of_the_breast_schema() -> None:
    assert BREAST.for_task("multiclass") is BREAST
    binary = BREAST.for_task("binary")
    assert (binary.names, binary.positive) == (("not malignant", "malignant"), "malignant")
    assert [binary.index(name) for name in (*BREAST.names, None, "cyst")] == [0, 0, 1, -1, -1]
    lesion = BREAST.for_task("lesion")
    assert [lesion.class_of(name) for name in BREAST.names] == ["no lesion", "lesion", "lesion"]
    assert BREAST.for_task("segmentation").names == lesion.names


def test_a_label_that_leaves_several_open_belongs_to_a_class_that_holds_them_all() -> None:
    assert BREAST.for_task("binary").class_of("normal or benign") == "not malignant"
    assert BREAST.class_of("normal or benign") is None
    assert BREAST.for_task("binary").class_of("benign or malignant") is None


def test_kinds_of_lesions_are_graded_where_there_are_two() -> None:
    assert BREAST.lesion_pair == (1, 2)
    assert LabelSchema(("benign", "malignant"), "malignant").lesion_pair == (0, 1)
    assert BREAST.for_task("binary").lesion_pair is None
    assert LabelSchema(("a", "b", "c", "d")).lesion_pair is None
    assert [BREAST.shows_lesion(name) for name in (*BREAST.names, None)] == [False, True, True, False]


def test_schemas_are_inferred_from_names() -> None:
    assert infer_labels(["malignant", "normal", "benign"]) == BREAST
    grades = infer_labels({"grade 10", "grade 2", "normal"})
    assert grades == LabelSchema(("normal", "grade 2", "grade 10"), None, ("normal",))
    with pytest.raises(DataError, match="at least two different names"):
        infer_labels(["one"])


def test_sets_are_joined() -> None:
    assert union([LabelSchema(("benign", "malignant"), "malignant"), BREAST]) == BREAST
    assert union([infer_labels(["a", "b"]), infer_labels(["b", "c"])]).names == ("a", "b", "c")
    with pytest.raises(DataError, match="disagree"):
        union([LabelSchema(("a", "b"), "a"), LabelSchema(("a", "b"), "b")])
    with pytest.raises(DataError, match="disagree"):
        union([LabelSchema(("a", "b"), None, ("a",)), LabelSchema(("a", "c"))])


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"names": ("a",)}, "at least two"),
        ({"names": ("a", "a")}, "at least two"),
        ({"names": ("a", "")}, "at least two"),
        ({"names": ("a", "b"), "positive": "c"}, "'c' is not one of the classes a, b"),
        ({"names": ("a", "b"), "without_lesion": ("c",)}, "'c' is not one of"),
        ({"names": ("a", "b"), "positive": "a", "without_lesion": ("a",)}, "both positive and without a lesion"),
        ({"names": ("a", "b"), "members": (("a", "b"), ("b",))}, "no label belongs to two classes"),
        ({"names": ("a", "b"), "members": (("a", "b"),)}, "each class needs its own labels"),
    ],
)
def test_contradictions_are_refused(fields: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        LabelSchema(**fields)


@pytest.mark.parametrize("task", ["binary", "lesion"])
def test_a_task_that_a_source_cannot_have_is_one_line(task: Any) -> None:
    with pytest.raises(DataError, match=f"task {task}: .*labels.json beside the data"):
        LabelSchema(("a", "b", "c")).for_task(task)


@given(st.sets(st.text(min_size=1, max_size=6), min_size=2, max_size=6))
def test_any_names_have_an_order_and_their_own_places(names: set[str]) -> None:
    schema = infer_labels(names)
    assert set(schema.names) == names
    assert infer_labels(sorted(names)) == schema
    assert [schema.index(name) for name in schema.names] == list(range(len(names)))


def test_a_task_that_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError, match="task 'grading': known: multiclass, binary, lesion, segmentation"):
        BREAST.for_task("grading")  # type: ignore[arg-type]
