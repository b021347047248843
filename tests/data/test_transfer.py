"""`ResumingDownloader` brings every byte home that a server gives, and begins again where pieces do not fit."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from unreliable_server import CONTENT, Site, serving

from busight.data import transfer
from busight.data.transfer import ResumingDownloader, reason


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(transfer, "PAUSE_S", 0.001)
    with serving(Site()) as shown:
        yield shown


def fetched(site: Site, folder: Path) -> bytes:
    """Fetch what the site has and return it."""
    ResumingDownloader(folder / "part")(site.url, str(folder / "whole"))
    assert not (folder / "part").exists()
    return (folder / "whole").read_bytes()


def test_a_cut_connection_is_continued_after_the_last_whole_piece(site: Site, tmp_path: Path) -> None:
    site.cuts = [70_000, 1, 100_000]
    assert fetched(site, tmp_path) == CONTENT
    # Pieces have 8192 bytes; 8 and then 12 of them arrived.
    assert site.asked == [None, "bytes=65536-", "bytes=65536-", "bytes=163840-"]


def test_a_silent_connection_counts_as_cut(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT_S", 0.2)
    site.cuts, site.stalls = [100_000], True
    assert fetched(site, tmp_path) == CONTENT
    assert site.asked == [None, "bytes=98304-"]


def test_a_busy_moment_in_between_is_waited_for(site: Site, tmp_path: Path) -> None:
    site.cuts = [10_000]
    downloader = ResumingDownloader(
        tmp_path / "part", progress=lambda have, _: site.statuses.extend([503] * (have == 8192))
    )
    downloader(site.url, str(tmp_path / "whole"))
    assert (tmp_path / "whole").read_bytes() == CONTENT
    assert site.asked == [None, "bytes=8192-", "bytes=8192-"]


def test_a_file_that_has_vanished_in_between_is_given_up_at_once(site: Site, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT[:1000])
    site.statuses = [404]
    with pytest.raises(requests.HTTPError, match="404"):
        fetched(site, tmp_path)
    assert site.asked == ["bytes=1000-"]


@pytest.mark.parametrize("server", [{"ranges": False}, {"wrong_start": 7}])
def test_servers_that_cannot_continue_still_give_the_whole_file(
    site: Site, tmp_path: Path, server: dict[str, object]
) -> None:
    vars(site).update(server)
    site.cuts = [10_000, 20_000]
    assert fetched(site, tmp_path) == CONTENT


def test_a_file_of_unknown_length_is_taken_to_its_end(site: Site, tmp_path: Path) -> None:
    site.says_length = False
    assert fetched(site, tmp_path) == CONTENT


@pytest.mark.parametrize(("left_over", "asked"), [(CONTENT, 1), (CONTENT + b"more", 2)])
def test_416_means_complete_or_start_again(site: Site, tmp_path: Path, left_over: bytes, asked: int) -> None:
    (tmp_path / "part").write_bytes(left_over)
    assert fetched(site, tmp_path) == CONTENT
    assert site.asked == [f"bytes={len(left_over)}-", None][:asked]


def test_a_server_that_never_gets_further_is_given_up_and_the_part_stays(site: Site, tmp_path: Path) -> None:
    site.cuts = [10_000] + [0] * 50
    with pytest.raises(requests.RequestException) as caught:
        fetched(site, tmp_path)
    assert "cut" in reason(caught.value)
    assert len(site.asked) == 6
    assert (tmp_path / "part").stat().st_size == 8192


@pytest.mark.parametrize("url", ["http://127.0.0.1:port/", "http://127.0.0.1:1/a b"])
def test_addresses_that_cannot_be_asked_are_one_line(tmp_path: Path, url: str) -> None:
    with pytest.raises(requests.RequestException) as caught:
        ResumingDownloader(tmp_path / "part")(url, str(tmp_path / "whole"))
    assert "no connection" in reason(caught.value)
    assert "\n" not in reason(caught.value)


def test_a_redirect_to_another_scheme_is_refused(site: Site, tmp_path: Path) -> None:
    site.redirect = "ftp://127.0.0.1/tiny.zip"
    with pytest.raises(requests.RequestException, match="ftp"):
        fetched(site, tmp_path)


def test_a_full_disk_keeps_a_part_that_can_be_continued(site: Site, tmp_path: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from busight.data.transfer import ResumingDownloader\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try: ResumingDownloader(Path(sys.argv[1]))(sys.argv[2], sys.argv[3])\n"
        "except OSError as error: sys.exit(error.strerror)\n"
    )
    command = [sys.executable, "-c", code, tmp_path / "part", site.url, tmp_path / "whole"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == "File too large\n"
    assert fetched(site, tmp_path) == CONTENT
    assert site.asked == [None, "bytes=100000-"]
