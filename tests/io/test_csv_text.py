import csv
import io

from hypothesis import example, given
from hypothesis import strategies as st

from busight.io.csv_text import csv_text


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\0")), min_size=2, max_size=2), min_size=1))
@example([["a\rb", "c"], ["\r\n", '"']])
def test_every_cell_of_a_csv_reads_back_as_it_was(rows: list[list[str]]) -> None:
    assert list(csv.reader(io.StringIO(csv_text(rows), newline=""))) == rows
