"""What comes out of a zip archive stays inside the folder, or nothing comes out."""

import os
import stat
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from busight.data.unpack import unpack_zip
from busight.errors import DataError, OutputError


def zip_of(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def everything_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def refusal(archive: Path, target: Path) -> str | None:
    """Return the message of the refusal, None where the archive was unpacked; any other error is a failure."""
    try:
        unpack_zip(archive, target)
    except (DataError, OutputError) as error:
        return str(error)
    return None


def test_files_and_folders_come_out_as_they_went_in(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", {"d/benign (1).png": b"one", "d/e/": b"", "d/é.txt": b""})
    unpack_zip(archive, tmp_path / "out")
    assert everything_below(tmp_path / "out") == {"d", "d/benign (1).png", "d/e", "d/é.txt"}
    assert (tmp_path / "out/d/benign (1).png").read_bytes() == b"one"


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("../evil", "leaves the folder"),
        ("a/../../evil", "leaves the folder"),
        ("/evil", "leaves the folder"),
        ("a//evil", "leaves the folder"),
        ("a/.. /evil", "leaves the folder"),
        ("./evil", "leaves the folder"),
        ("C:evil", "drive letter"),
        ("C:/evil", "drive letter"),
        ("..\\evil", "drive letter"),
        ("\\\\server\\evil", "drive letter"),
        ("file.png:stream", "drive letter"),
        ("a\nevil", "drive letter"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str, fault: str) -> None:
    archive = zip_of(tmp_path / "a.zip", {"good": b"1", name: b"2"})
    with pytest.raises(DataError, match=fault) as caught:
        unpack_zip(archive, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert everything_below(tmp_path) == {"a.zip"}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    member = zipfile.ZipInfo("link")
    member.create_system, member.external_attr = 3, (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(member, "/etc")
    with pytest.raises(DataError, match="'link' is a link or a device"):
        unpack_zip(tmp_path / "a.zip", tmp_path / "out")
    assert everything_below(tmp_path) == {"a.zip"}


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["a/x", "a/x"], "comes twice"),
        (["a/x", "A/X"], "comes twice"),
        (["caf\u00e9", "cafe\u0301"], "comes twice"),
        (["a", "a/x"], "lies inside another file"),
        (["a/x", "A"], "lies inside another file"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_would_overwrite_each_other_are_refused(tmp_path: Path, names: list[str], fault: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            archive.writestr(name, name)
    with pytest.raises(DataError, match=fault):
        unpack_zip(tmp_path / "a.zip", tmp_path / "out")
    assert everything_below(tmp_path) == {"a.zip"}


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    content = bytearray(zip_of(tmp_path / "a.zip", {"a": b"secret"}).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 0x1  # general purpose flag, bit 0, in the central directory
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match="is encrypted"):
        unpack_zip(tmp_path / "a.zip", tmp_path / "out")


def test_packing_without_a_memory_bound_is_refused(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", {"a": b"x" * 1000}, zipfile.ZIP_LZMA)
    with pytest.raises(DataError, match="packed with method 14"):
        unpack_zip(archive, tmp_path / "out")


@pytest.mark.parametrize(("size", "max_bytes"), [(101, 100), (17 << 20, 1 << 30)])
def test_bombs_are_refused_by_size_and_by_ratio(tmp_path: Path, size: int, max_bytes: int) -> None:
    archive = zip_of(tmp_path / "a.zip", {"a": bytes(size)})
    with pytest.raises(DataError, match="zip bomb"):
        unpack_zip(archive, tmp_path / "out", max_bytes=max_bytes)
    assert everything_below(tmp_path) == {"a.zip"}


def test_a_bomb_whose_directory_lies_is_stopped_too(tmp_path: Path) -> None:
    content = bytearray(zip_of(tmp_path / "a.zip", {"a": bytes(1 << 20)}).read_bytes())
    at = content.index(b"PK\x01\x02") + 24  # uncompressed size in the central directory
    content[at : at + 4] = struct.pack("<I", 10)
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match="is damaged"):
        unpack_zip(tmp_path / "a.zip", tmp_path / "out", max_bytes=1000)
    assert everything_below(tmp_path) == {"a.zip"}


def test_a_changed_byte_is_noticed_and_nothing_stays(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", {"first": b"1", "a": b"pixels" * 20}, zipfile.ZIP_STORED)
    archive.write_bytes(archive.read_bytes().replace(b"pixels", b"pixelz", 1))
    with pytest.raises(DataError, match="member 'a' is damaged"):
        unpack_zip(archive, tmp_path / "out")
    assert everything_below(tmp_path) == {"a.zip"}


@pytest.mark.parametrize("content", [b"", b"<html>please log in</html>"])
def test_what_is_no_zip_archive_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match="no readable zip archive"):
        unpack_zip(tmp_path / "a.zip", tmp_path / "out")


def test_an_existing_folder_is_never_touched(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", {"a": b"new"})
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a").write_bytes(b"old")
    with pytest.raises(OutputError, match="exists already"):
        unpack_zip(archive, tmp_path / "out")
    assert (tmp_path / "out/a").read_bytes() == b"old"


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    zip_of(tmp_path / "a.zip", {"small": b"1", "large": os.urandom(200_000)})
    code = (
        "import resource, sys; from pathlib import Path; from busight.data.unpack import unpack_zip\n"
        "from busight.errors import OutputError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try: unpack_zip(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "except OutputError as error: sys.exit(str(error))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.zip", tmp_path / "out"], capture_output=True, text=True, check=False
    )
    assert "out: could not be written (File too large); free space" in done.stderr
    assert everything_below(tmp_path) == {"a.zip"}


NAMES = st.one_of(
    st.text(st.sampled_from("a.A/\\: ~\0\n|"), max_size=8),
    st.lists(st.sampled_from(["..", ".", "", "a", "b", "C:", "~", "x.png", ".. ", "\\.."]), max_size=5).map("/".join),
    st.text(max_size=12),
)


@settings(max_examples=200, deadline=None)
@given(names=st.lists(NAMES, min_size=1, max_size=4), is_link=st.booleans())
@example(names=["a", "a/../../evil"], is_link=False)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_name_ever_makes_a_file_outside_the_folder(names: list[str], is_link: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder) / "deep/enough/to/climb"
        room.mkdir(parents=True)
        with zipfile.ZipFile(room / "a.zip", "w") as archive:
            for name in names:
                member = zipfile.ZipInfo("x")
                member.filename = member.orig_filename = name.encode("utf-8", "replace").decode()
                member.external_attr = ((stat.S_IFLNK if is_link else stat.S_IFREG) | 0o777) << 16
                with archive.open(member, "w") as stream:
                    stream.write(b"../..")
        before = everything_below(Path(folder))
        refused = refusal(room / "a.zip", room / "out")
        assert refused or not is_link
        assert bool(refused) != (room / "out").exists()
        new = everything_below(Path(folder)) - before
        assert all(name == "deep/enough/to/climb/out" or name.startswith("deep/enough/to/climb/out/") for name in new)


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 500), value=st.integers(0, 255), cut=st.integers(0, 500))
def test_whatever_byte_is_changed_the_answer_is_one_of_ours(at: int, value: int, cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = zip_of(Path(folder) / "a.zip", {"a/b.png": b"pixels" * 30, "a/c.png": b"more"})
        content = bytearray(archive.read_bytes())
        content[at % len(content)] = value
        archive.write_bytes(content[cut % 50 :] if cut % 3 == 0 else content)
        if refused := refusal(archive, Path(folder) / "out"):
            assert "\n" not in refused
            assert everything_below(Path(folder)) == {"a.zip"}
