import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from busight.io.csv_text import csv_number, csv_rows, csv_text

_TEXT = st.text(st.characters(exclude_characters="\0")) | st.from_regex(
    r"'{0,3}[=+\-@\t\r\n ;]+[=A-Z0-9 ]*", fullmatch=True
)


@given(st.lists(st.lists(_TEXT, min_size=2, max_size=2), min_size=1))
@example([["a\rb", "c"], ["\r\n", '"']])
@example([["=1+1", "'=1+1"], ["''=1", "-"], ["-0.5", "'-0.5"], ["+1e5", "'"], [" a", "b "], ["\t=1", "@SUM(1)"]])
def test_every_cell_of_a_csv_reads_back_as_it_was(rows: list[list[str]]) -> None:
    assert csv_rows(csv_text(rows)) == rows


@given(st.lists(_TEXT, min_size=2, max_size=5))
def test_no_spreadsheet_finds_a_formula(cells: list[str]) -> None:
    """Excel takes what begins with = + - @ for a formula, behind a tab or line break too, and leaves numbers alone."""
    for cell in next(csv.reader(io.StringIO(csv_text([cells]), newline=""))):
        assert not re.match(r"[\s=@＝＠]|[+\-＋－](?!\d+\.?\d*(e[+-]?\d+)?\Z)", cell, re.I)


@given(st.floats())
def test_numbers_stay_numbers(value: float) -> None:
    (row,) = csv_rows(csv_text([["a", csv_number(value), value]]))
    assert repr(float(row[1] or "nan")) == repr(float(row[2])) == repr(value)
    if value == value and abs(value) != float("inf"):
        assert csv_text([["a", csv_number(value)]]) == f"a,{value!r}\n"


@pytest.mark.parametrize("text", ['a,"b', 'a,"b"c\n'])
def test_quotes_that_do_not_fit_are_refused(text: str) -> None:
    with pytest.raises(csv.Error):
        csv_rows(text)
