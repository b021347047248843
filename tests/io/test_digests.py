import hashlib
from pathlib import Path

from busight.io.digests import sha256_of_file, sha256_of_json


def test_digests(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "a").write_bytes(content)
    assert sha256_of_file(tmp_path / "a") == hashlib.sha256(content).hexdigest()
    assert sha256_of_json({"b": [1, None], "a": "ü"}) == hashlib.sha256('{"a":"ü","b":[1,null]}'.encode()).hexdigest()
    assert sha256_of_json({"a": 1, "b": 2}) == sha256_of_json({"b": 2, "a": 1}) != sha256_of_json({"a": 2, "b": 1})


def test_bytes_of_a_name_that_are_not_utf8_are_told_apart() -> None:
    assert sha256_of_json("\udcff") != sha256_of_json("\udcfe")
