"""`fetch` brings every byte home, whatever the server does."""

import io
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPMessage
from pathlib import Path

import pytest
from unreliable_server import CONTENT, Site, serving, zip_with

from busight.data import transfer
from busight.data.transfer import Part, fetch
from busight.errors import DataError


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(transfer, "PAUSE_S", 0.001)
    with serving(Site()) as shown:
        yield shown


def fetched(site: Site, folder: Path) -> bytes:
    """Fetch what the site has and return it."""
    part = Part(folder / "file.part", site.url)
    fetch(part, remedy="ask the authors")
    return part.path.read_bytes()


@pytest.mark.parametrize("validator", [{}, {"etag": None, "modified": "Wed, 01 Jan 2020 00:00:00 GMT"}])
def test_a_cut_connection_is_continued_where_it_stopped(site: Site, tmp_path: Path, validator: dict[str, str]) -> None:
    vars(site).update(validator)
    site.cuts = [70_000, 1, 100_000]
    assert fetched(site, tmp_path) == CONTENT
    assert site.asked == [None, "bytes=70000-", "bytes=70001-", "bytes=170001-"]


def test_a_silent_connection_counts_as_cut(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT_S", 0.2)
    site.cuts, site.stalls = [1000], True
    assert fetched(site, tmp_path) == CONTENT
    assert site.asked == [None, "bytes=1000-"]


def test_a_busy_moment_in_between_is_waited_for(site: Site, tmp_path: Path) -> None:
    site.cuts = [1000]
    part = Part(tmp_path / "file.part", site.url)
    fetch(part, remedy="", progress=lambda have, _: site.statuses.extend([503] * (have == 1000)))
    assert part.path.read_bytes() == CONTENT
    assert site.asked == [None, "bytes=1000-", "bytes=1000-"]


@pytest.mark.parametrize("heeds_if_range", [True, False])
def test_a_file_that_changed_in_between_is_started_again(site: Site, tmp_path: Path, heeds_if_range: bool) -> None:
    part = Part(tmp_path / "file.part", site.url)
    part.start('"v1"')
    part.path.write_bytes(CONTENT[:1000])
    site.content, site.etag, site.heeds_if_range = zip_with(b"second"), '"v2"', heeds_if_range
    assert fetched(site, tmp_path) == site.content
    assert site.asked == (["bytes=1000-"] if heeds_if_range else ["bytes=1000-", None])


@pytest.mark.parametrize("server", [{"ranges": False}, {"wrong_start": 7}, {"heeds_if_range": False}])
def test_servers_that_cannot_continue_still_give_the_whole_file(
    site: Site, tmp_path: Path, server: dict[str, object]
) -> None:
    vars(site).update(server)
    site.cuts = [1000, 2000]
    assert fetched(site, tmp_path) == CONTENT


@pytest.mark.parametrize("etag", ['W/"weak"', None])
def test_without_a_strong_version_the_file_is_started_again(site: Site, tmp_path: Path, etag: str | None) -> None:
    site.etag, site.cuts = etag, [1000, 2000]
    assert fetched(site, tmp_path) == CONTENT
    assert site.asked == [None, None, None]


def test_a_file_of_unknown_length_is_taken_to_its_end(site: Site, tmp_path: Path) -> None:
    site.says_length = False
    assert fetched(site, tmp_path) == CONTENT


@pytest.mark.parametrize(("left_over", "ends_with"), [(CONTENT, "416"), (CONTENT + b"more", "200")])
def test_416_means_complete_or_start_again(site: Site, tmp_path: Path, left_over: bytes, ends_with: str) -> None:
    part = Part(tmp_path / "file.part", site.url)
    part.start(site.etag)
    part.path.write_bytes(left_over)
    assert fetched(site, tmp_path) == CONTENT
    assert site.asked == [f"bytes={len(left_over)}-", None][: 1 if ends_with == "416" else 2]


@pytest.mark.parametrize("note", ["", 'http://elsewhere/\n"v1"\n', "no version"])
def test_a_part_of_unknown_origin_is_not_continued(site: Site, tmp_path: Path, note: str) -> None:
    part = Part(tmp_path / "file.part", site.url)
    part.path.write_bytes(b"something else")
    part.note.write_text(note)
    assert fetched(site, tmp_path) == CONTENT
    assert site.asked == [None]


def test_a_server_that_never_gets_further_is_given_up_and_the_part_stays(site: Site, tmp_path: Path) -> None:
    site.cuts = [1000] + [0] * 50
    with pytest.raises(DataError, match=r"cut after 1000 of .*run again to continue, or ask the authors"):
        fetched(site, tmp_path)
    assert len(site.asked) == 6
    assert (tmp_path / "file.part").stat().st_size == 1000


@pytest.mark.parametrize("url", ["http://127.0.0.1:port/", "http://127.0.0.1/a b", "http://ä..b/"])
def test_addresses_that_cannot_be_asked_are_one_line(tmp_path: Path, url: str) -> None:
    with pytest.raises(DataError, match="no connection") as caught:
        fetch(Part(tmp_path / "file.part", url), remedy="")
    assert "\n" not in str(caught.value)


def test_a_redirect_is_followed_but_not_to_other_schemes(site: Site, tmp_path: Path) -> None:
    site.redirect = "ftp://127.0.0.1/tiny.zip"
    with pytest.raises(DataError, match=r"answered 302 redirect .* refused"):
        fetched(site, tmp_path)
    handler, request = transfer._NoDowngrade(), urllib.request.Request("https://a/", headers={"Range": "bytes=5-"})
    with pytest.raises(urllib.error.HTTPError, match="without https"):
        handler.redirect_request(request, io.BytesIO(), 302, "Found", HTTPMessage(), "http://a/")
    followed = handler.redirect_request(request, io.BytesIO(), 302, "Found", HTTPMessage(), "https://b/")
    assert followed is not None
    assert followed.get_header("Range") == "bytes=5-"


def test_a_full_disk_says_so_and_keeps_a_part_that_can_be_continued(site: Site, tmp_path: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from busight.data.transfer import Part, fetch\n"
        "from busight.errors import OutputError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try: fetch(Part(Path(sys.argv[1]), sys.argv[2]), remedy='')\n"
        "except OutputError as error: sys.exit(str(error))\n"
    )
    command = [sys.executable, "-c", code, tmp_path / "file.part", site.url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "could not be written (File too large); free space" in done.stderr
    assert done.stderr.count("\n") == 1
    assert fetched(site, tmp_path) == CONTENT
    assert site.asked == [None, "bytes=100000-"]
