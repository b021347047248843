"""`get` ends with the data set's folder, whole, or with one line and the remedy."""

import hashlib
import io
import re
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from unreliable_server import CONTENT, DIGEST, Site, serving, zip_with

from busight.data import download, transfer
from busight.data.download import REMOTE, RemoteArchive, get, is_there
from busight.errors import DataError, OutputError


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(transfer, "PAUSE_S", 0.001)
    tiny = RemoteArchive("tiny", "https://example.org/tiny.zip", DIGEST, None, "Tiny", 3, "nobody", "any")
    monkeypatch.setitem(REMOTE, "tiny", tiny)
    with serving(Site()) as shown:
        yield shown


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_undisturbed_download_is_unpacked_and_cleaned_up(site: Site, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    folder = get("tiny", tmp_path / "new", url=site.url, progress=lambda have, total: seen.append((have, total)))
    assert folder == tmp_path / "new/Tiny"
    assert names_in(folder) == [f"benign ({number}).png" for number in range(3)]
    assert names_in(tmp_path / "new") == ["Tiny"]
    assert seen == sorted(seen)
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert site.asked == [None]


def interrupt_after(n_bytes: int) -> transfer.Progress:
    def progress(have: int, _: int | None) -> None:
        if have >= n_bytes:
            raise KeyboardInterrupt

    return progress


def test_ctrl_c_leaves_the_part_for_the_next_time(site: Site, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        get("tiny", tmp_path, url=site.url, progress=interrupt_after(100_000))
    part = tmp_path / ".tiny.download/part"
    have = part.stat().st_size
    assert have >= 100_000
    assert CONTENT.startswith(part.read_bytes())
    get("tiny", tmp_path, url=site.url)
    assert site.asked == [None, f"bytes={have}-"]


def test_an_archive_that_is_whole_already_needs_no_network(site: Site, tmp_path: Path) -> None:
    (tmp_path / ".tiny.download").mkdir()
    (tmp_path / ".tiny.download/archive.zip").write_bytes(CONTENT)
    get("tiny", tmp_path)  # example.org is never asked
    assert names_in(tmp_path) == ["Tiny"]


def test_pieces_of_two_versions_are_refused_and_removed(site: Site, tmp_path: Path) -> None:
    (tmp_path / ".tiny.download").mkdir()
    (tmp_path / ".tiny.download/part").write_bytes(zip_with(b"another")[:1000])
    with pytest.raises(DataError, match=f"expected sha256:{DIGEST} but got"):
        get("tiny", tmp_path, url=site.url)
    assert names_in(tmp_path) == []
    assert names_in(get("tiny", tmp_path, url=site.url)) == [f"benign ({number}).png" for number in range(3)]


def test_another_digest_is_refused_and_removed(site: Site, tmp_path: Path) -> None:
    site.content = b"<html>please log in</html>"
    with pytest.raises(DataError, match=rf"expected sha256:{DIGEST} but got [0-9a-f]{{64}}.*tiny:PATH/Tiny") as caught:
        get("tiny", tmp_path, url=site.url)
    assert "\n" not in str(caught.value)
    assert names_in(tmp_path) == []


def test_an_unsafe_archive_is_refused_and_removed(site: Site, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("Tiny/good", "1")
        archive.writestr("../evil", "2")
    site.content = stream.getvalue()
    target = tmp_path / "in"
    with pytest.raises(DataError, match=r"'\.\./evil' leaves the folder"):
        get("tiny", target, url=site.url, sha256=hashlib.sha256(site.content).hexdigest())
    assert names_in(tmp_path) == ["in"]
    assert names_in(target) == []


def test_an_archive_without_the_folder_is_refused(site: Site, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("Other/good", "1")
    site.content = stream.getvalue()
    with pytest.raises(DataError, match="holds no folder Tiny"):
        get("tiny", tmp_path, url=site.url, sha256=hashlib.sha256(site.content).hexdigest())
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("status", [403, 404, 410, 416, 503])
def test_http_errors_are_one_line_with_the_remedy(site: Site, tmp_path: Path, status: int) -> None:
    site.statuses = [status]
    with pytest.raises(DataError, match=rf"answered {status} .*https://example\.org/tiny\.zip by hand") as caught:
        get("tiny", tmp_path, url=site.url)
    assert "\n" not in str(caught.value)
    assert site.asked == [None]  # nothing had come, so nothing is tried again


def test_no_network_is_one_line_at_once(site: Site, tmp_path: Path) -> None:
    with socket.socket() as unused:  # bound, but nobody listens
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(DataError, match=r"no connection.*refused.*unzip it and use tiny:PATH/Tiny"):
            get("tiny", tmp_path, url=url)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    "url", ["ftp://a/b.zip", "file:///etc/passwd", "a.zip", "https://", "http://[::1", "http://ä..b/"]
)
def test_only_http_addresses_are_asked(tmp_path: Path, url: str) -> None:
    with pytest.raises(DataError, match="no address to download from"):
        get("busi", tmp_path / "x", url=url)
    assert names_in(tmp_path) == []


def test_the_catalogue_itself_is_https_with_digests() -> None:
    for name, archive in REMOTE.items():
        assert archive.name == name
        assert archive.url.startswith("https://")
        assert re.fullmatch("[0-9a-f]{64}", archive.sha256)


def test_what_is_there_is_not_downloaded_again(site: Site, tmp_path: Path) -> None:
    assert not is_there(REMOTE["tiny"], tmp_path)
    get("tiny", tmp_path, url=site.url)
    assert is_there(REMOTE["tiny"], tmp_path)
    assert get("tiny", tmp_path, url=site.url) == tmp_path / "Tiny"
    assert len(site.asked) == 1
    (tmp_path / "Tiny/benign (1).png").unlink()
    with pytest.raises(DataError, match="exists with 2 of 3 files and is never overwritten"):
        get("tiny", tmp_path, url=site.url)


def test_leftovers_of_a_killed_process_do_no_harm(site: Site, tmp_path: Path) -> None:
    (tmp_path / ".tiny.download/unpacked/Tiny").mkdir(parents=True)
    (tmp_path / ".tiny.download/unpacked/Tiny/half.png").write_bytes(b"ha")
    assert len(names_in(get("tiny", tmp_path, url=site.url))) == 3
    assert names_in(tmp_path) == ["Tiny"]


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'bussi': .*did you mean busi\? known: busi"):
        get("bussi", tmp_path)


def test_a_target_that_is_a_file_is_an_output_error(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="folder could not be made"):
        get("tiny", tmp_path / "file/x", url=site.url)


def test_the_catalogues_size_stands_in_where_the_server_states_none() -> None:
    seen: list[tuple[int, int | None]] = []
    progress = download._with_size(lambda have, total: seen.append((have, total)), 100)
    assert progress is not None
    progress(1, None)
    progress(2, 50)
    assert seen == [(1, 100), (2, 50)]
