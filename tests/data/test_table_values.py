from dataclasses import replace

import pytest

from busight.data.table_values import birads_category, birads_subcategory, known, known_label, one_patient_warning
from busight.types import Sample


@pytest.mark.parametrize("text", ["nan", "NaN", "NA", " n/a ", "None", "UNKNOWN", "", "  ", "<NA>", "null", "-"])
def test_words_for_unknown(text: str) -> None:
    assert known(text) is None


@pytest.mark.parametrize("text", ["p-17", "0", "Nancy", "NA-12", "none-1"])
def test_texts_that_are_known(text: str) -> None:
    assert known(text) == text


def test_a_class_may_be_called_none() -> None:
    assert [known_label(text) for text in ("none", "unknown", "nan", "", "NA")] == ["none", "unknown", None, None, None]


@pytest.mark.parametrize(
    ("text", "category", "subcategory"),
    [
        ("4A", 4, "4A"), ("4b", 4, "4B"), (" 4 c ", 4, "4C"), ("4.0", 4, None), ("4,0", 4, None), ("0", 0, None),
        ("BI-RADS 4a", 4, "4A"), ("BIRADS5", 5, None), ("bi-rads: 2", 2, None), ("nan", None, None), ("", None, None),
    ],
)  # fmt: skip
def test_birads(text: str, category: int | None, subcategory: str | None) -> None:
    assert (birads_category(text), birads_subcategory(text)) == (category, subcategory)


@pytest.mark.parametrize("text", ["7", "4D", "3A", "²", "4.5", "44", "4/5", "benign"])
def test_what_is_no_category(text: str) -> None:
    with pytest.raises(ValueError, match="is not a category 0–6 or 4A–4C"):
        birads_category(text)


def test_one_patient_over_many_images_is_told() -> None:
    samples = [Sample(f"{k}", "folder", "benign", patient_id="p1") for k in range(10)]
    (warning,) = one_patient_warning(samples)
    assert warning.text.startswith("all 10 images name one patient, so no split can separate them")
    assert "p1" not in warning.text
    assert one_patient_warning(samples[:9]) == []
    for other in ("p2", None):
        assert one_patient_warning([*samples, replace(samples[0], patient_id=other)]) == []
