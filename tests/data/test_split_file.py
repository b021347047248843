import json
from dataclasses import replace
from pathlib import Path

import pytest

from busight.data.split import Split
from busight.data.split_file import FORMAT, read_split, write_split
from busight.errors import DataError
from busight.types import Sample

SAMPLES = [Sample(f"benign/ü ({number})", "test", None) for number in range(6)]
SPLIT = Split("grouped", 3, *(tuple(s.sample_id for s in SAMPLES[a:b]) for a, b in ((0, 3), (3, 4), (4, 6))))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_split(tmp_path / "split.json", SPLIT, "data" * 16)
    return tmp_path / "split.json"


def rewrite(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def resealed(path: Path, **parts: list[str]) -> None:
    """Change parts and make the digest fit, as somebody who edits on purpose would."""
    split = replace(SPLIT, **{name: tuple(ids) for name, ids in parts.items()})
    rewrite(path, digest=split.digest, **parts)


def test_what_was_written_is_read_back(path: Path) -> None:
    assert read_split(path, SAMPLES) == SPLIT
    document = json.loads(path.read_text(encoding="utf-8"))
    assert (document["digest"], document["data_digest"]) == (SPLIT.digest, "data" * 16)


def test_another_order_and_further_samples_do_no_harm(path: Path) -> None:
    rewrite(path, train=list(SPLIT.train[::-1]))
    split = read_split(path, [*SAMPLES, Sample("more", "test", None)])
    assert split.digest == SPLIT.digest


@pytest.mark.parametrize(
    "changes",
    [{"train": ["benign/ü (0)"]}, {"val": [], "test": [*SPLIT.val, *SPLIT.test]}, {"digest": "0" * 64}],
)
def test_a_changed_file(path: Path, changes: dict[str, object]) -> None:
    rewrite(path, **changes)
    with pytest.raises(DataError, match=r"split.json: its parts do not match its digest; it was changed"):
        read_split(path, SAMPLES)


def test_a_sample_in_two_parts(path: Path) -> None:
    resealed(path, val=[SPLIT.train[0]])
    with pytest.raises(DataError, match=r"split.json: a sample stands in two parts; make the split anew"):
        read_split(path, SAMPLES)


def test_samples_of_another_data_set(path: Path) -> None:
    with pytest.raises(DataError, match=r"2 of its 6 samples are not in this data set .first: benign/ü .4.*; use the"):
        read_split(path, SAMPLES[:4])


@pytest.mark.parametrize("further", [{}, {"folds": 5}])
def test_a_newer_format_is_called_newer(path: Path, further: dict[str, object]) -> None:
    rewrite(path, format=FORMAT + 1, **further)
    with pytest.raises(DataError, match=rf"split format {FORMAT + 1} is newer than {FORMAT}; update busight"):
        read_split(path, SAMPLES)


@pytest.mark.parametrize(
    "content",
    [b"", b"not JSON", b"[]", b"{}", b'{"format": 1}', b"\xff\xfe", b'{"format": "x"}', b'{"format": 1, "train": 5}'],
)
def test_files_that_are_no_split(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"split.json: not a split file of BUSight; give --split a split.json"):
        read_split(path, SAMPLES)


def test_an_unknown_field_is_refused(path: Path) -> None:
    rewrite(path, comment="mine")
    with pytest.raises(DataError, match="not a split file of BUSight"):
        read_split(path, SAMPLES)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for wrong, reason in ((tmp_path / "none.json", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(DataError, match=rf"the split cannot be read \({reason}.*give --split an existing"):
            read_split(wrong, SAMPLES)
