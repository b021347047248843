import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from published_sets import write_workbook

from busight.data.sources import published
from busight.data.sources.published import below, birads_of, entry, published_root, published_rows
from busight.errors import DataError

COLUMNS = ("Image", "Label")
ROWS = [{"Image": "ä.png", "Label": "Benign"}, {"Image": "b.png", "Label": ""}]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_as_a_spreadsheet_writes_it(tmp_path: Path, mark: str, encoding: str) -> None:
    lines = (mark.join(COLUMNS), f'"ä.png"{mark}Benign', f"b.png{mark}", mark, "")
    (tmp_path / "t.csv").write_bytes("\r\n".join(lines).encode(encoding))
    assert published_rows(tmp_path / "t.csv", COLUMNS)[0] == ROWS


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_quoted_cells_may_hold_any_delimiter(tmp_path: Path, mark: str) -> None:
    lines = (f"Image{mark}Label{mark}Notes", f'a.png{mark}Benign{mark}"two, or; more\tlesions"', "")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    expected = {"Image": "a.png", "Label": "Benign", "Notes": "two, or; more\tlesions"}
    assert published_rows(tmp_path / "t.csv", COLUMNS)[0] == [expected]


def test_names_in_capitals_short_rows_and_further_columns(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("NOTE, LABEL ,image\nx,Benign,a.png\ny\n")
    assert published_rows(tmp_path / "t.csv", COLUMNS) == (
        [{"NOTE": "x", "Label": "Benign", "Image": "a.png"}, {"NOTE": "y", "Label": "", "Image": ""}],
        [],
    )


def test_what_was_assumed_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("Image,Label\nä.png,Benign\n".encode("cp1252"))
    ((problem),) = published_rows(tmp_path / "t.csv", COLUMNS)[1]
    assert (problem.path, "read as Windows-1252" in problem.text) == ("t.csv", True)


def test_a_workbook_of_several_sheets(tmp_path: Path, require_package: Callable[[str, str], None]) -> None:
    require_package("openpyxl", "sources")
    rows = [{"Image": 1, "Label": "Benign"}, {"Image": 2.0, "Label": " x "}, {"Image": 0.5, "Label": None}]
    table = write_workbook(tmp_path / "t.XLSX", COLUMNS, rows)
    assert published_rows(table, COLUMNS)[0] == [
        {"Image": "1", "Label": "Benign"},
        {"Image": "2", "Label": "x"},
        {"Image": "0.5", "Label": ""},
    ]


def test_workbooks_that_cannot_be_read(
    tmp_path: Path, require_package: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    require_package("openpyxl", "sources")
    table = write_workbook(tmp_path / "t.xlsx", COLUMNS, [{"Image": 1, "Label": "x"}])
    with pytest.raises(DataError, match=r"t.xlsx: no table with the columns Image, Type; get it again"):
        published_rows(table, ("Image", "Type"))
    whole = table.read_bytes()
    for content in (b"", b"PK\x03\x04", whole[: len(whole) // 2], b"<html>not found</html>"):
        table.write_bytes(content)
        with pytest.raises(DataError, match=r"t.xlsx: not a readable workbook"):
            published_rows(table, COLUMNS)
    with zipfile.ZipFile(table, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(DataError, match=r"t.xlsx: not a readable workbook"):
        published_rows(table, COLUMNS)
    with zipfile.ZipFile(table, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(65 << 20))
    with pytest.raises(DataError, match=r"t.xlsx: more than 64 MB unpacked"):
        published_rows(table, COLUMNS)
    table.write_bytes(whole)
    monkeypatch.setattr(published, "_MOST_ROWS", 1)
    with pytest.raises(DataError, match=r"t.xlsx: more than 1 rows"):
        published_rows(table, COLUMNS)


@pytest.mark.parametrize("content", [b"", b"Image\n", b"\x00\x01\x02", b'"Image,Label\n', b"\xff\xfeI"])
def test_no_table(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"t.csv: ") as caught:
        published_rows(tmp_path / "t.csv", COLUMNS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "category", "subcategory"),
    [
        *((str(grade), grade, None) for grade in range(7)),
        ("4.0", 4, None),
        ("4a", 4, "4A"),
        (" 4C ", 4, "4C"),
        ("", None, None),
    ],
)
def test_birads(text: str, category: int | None, subcategory: str | None) -> None:
    metadata = () if subcategory is None else (("birads_subcategory", subcategory),)
    assert birads_of(text, "a.png") == (category, metadata, [])


@pytest.mark.parametrize("text", ["7", "4d", "4.5", "-1", "²", "IV", "44"])
def test_what_is_no_birads_is_told(text: str) -> None:
    category, metadata, problems = birads_of(text, "a.png")
    assert (category, metadata) == (None, ())
    assert [(problem.path, problem.text) for problem in problems] == [
        ("a.png", f"BI-RADS {text!r} is not a category 0–6 or 4A–4C; taken as unknown")
    ]


def test_hidden_files_are_no_files_and_order_is_natural(tmp_path: Path) -> None:
    for name in ("10.png", "2.PNG", "._2.png", ".DS_Store", "a.txt", "sub/3.png", "__MACOSX/._4.png", ".git/5.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    found = [path.relative_to(tmp_path).as_posix() for path in below(tmp_path, {".png"})]
    assert found == ["2.PNG", "10.png", "sub/3.png"]


def test_a_root_is_found_in_nested_folders_of_any_case(tmp_path: Path) -> None:
    root = tmp_path / "BUS_UC" / "BUS_UC"
    for name in ("benign", "MALIGNANT"):
        (root / name).mkdir(parents=True)
    assert published_root(tmp_path, "Benign", "Malignant") == root
    assert published_root(root, "Benign", "Malignant") == root
    assert published_root(tmp_path, "Benign", "Normal") is None
    assert entry(root, "Benign") == root / "benign"
