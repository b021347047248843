import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busight.errors import DataError
from busight.io.csv_table import number_of, read_table, whole_number_of
from busight.io.csv_text import csv_text

_CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def read(folder: Path, content: bytes | str, *known: str) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    (folder / "t.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    table = read_table(folder / "t.csv", known or ("path", "label"))
    return [row.cells for row in table.rows], table.notes


@given(st.lists(st.tuples(_CELL, _CELL), min_size=1, max_size=4))
def test_what_busight_writes_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    found, notes = read(tmp_path_factory.mktemp("t"), csv_text([("path", "label"), *rows]))
    assert found == [{"path": path, "label": label} for path, label in rows]
    assert notes == ()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("index", [True, False])
def test_every_separator_encoding_and_index_column(tmp_path: Path, separator: str, encoding: str, index: bool) -> None:
    rows = [("path", "label"), ("a;b.png", "x\ny"), ('ä"c.png', ""), ("d,e\tf.png", "z|")]
    with (tmp_path / "p.csv").open("w", encoding=encoding, newline="") as stream:
        for number, row in enumerate(rows):
            first = ("" if number == 0 else str(number - 1),) if index else ()
            csv.writer(stream, delimiter=separator).writerow((*first, *row))
    found, notes = read(tmp_path, (tmp_path / "p.csv").read_bytes())
    assert found == [{"path": path, "label": label} for path, label in rows[1:]]
    assert ["Windows-1252" in note for note in notes] == [True] * (encoding == "cp1252")


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\npath;label\na.png;benign\n",
        "\n\npath,label,,\na.png,benign,,\n,,,\n",
        "Unnamed: 0,PATH,LABEL\n0,a.png,benign\n",
        '"path,label"\n"a.png,benign"\n',
        "path,label\r a.png , benign \r",
        "\ufeffPath\tLabel\na.png\tbenign",
        "path , la_bel\na.png,benign,,,\n",
    ],
)
def test_forms_of_one_table(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == ([{"path": "a.png", "label": "benign"}], ())


def test_a_column_of_text_without_a_name_is_told(tmp_path: Path) -> None:
    found, notes = read(tmp_path, "path,,label\na.png,left,benign\n")
    assert found == [{"path": "a.png", "label": "benign"}]
    assert notes == ("column 2 has no name and was ignored; name it, or remove it",)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"PK\x03\x04 a zip", "a workbook, not a CSV table; save it as CSV, UTF-8"),
        (b"\xd0\xcf\x11\xe0", "a workbook, not a CSV table"),
        (b"path,label\n\x81\x8d,benign\n", "not a CSV table in UTF-8 .*save it as CSV, UTF-8"),
        (b'path,label\n"a.png,benign\n', "not a CSV table in UTF-8"),
        (b"path,Path\na.png,b.png\n", "has two columns path; keep the one that counts"),
        (b"path,label\na.png,benign\nb,c.png,benign\n", "line 3 has more cells than the header; put cells with commas"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: bytes, rule: str) -> None:
    with pytest.raises(DataError, match=rf"t\.csv: {rule}") as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="cannot be read"):
        read_table(tmp_path / "none.csv", ())


def test_numbers_with_a_decimal_comma() -> None:
    assert [number_of(text) for text in ("0.1", "0,1", "-3", "1e-3")] == [0.1, 0.1, -3, 0.001]
    assert [whole_number_of(text) for text in ("17", "17,0", "17.0")] == [17, 17, 17]
    for text in ("", "one", "1,000.5", "17,5"):
        with pytest.raises(ValueError, match=r"."):
            whole_number_of(text)


def test_a_table_has_a_largest_size_which_is_checked_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "samples.csv"
    path.write_text("path,label\n" + "a.png,benign\n" * 10, encoding="utf-8")
    assert len(read_table(path, ("path", "label"), max_bytes=path.stat().st_size).rows) == 10
    assert len(read_table(path, ("path", "label"), max_bytes=None).rows) == 10
    with pytest.raises(DataError, match=r"samples\.csv: 141 bytes, tables have at most 140; split it"):
        read_table(path, ("path", "label"), max_bytes=140)
