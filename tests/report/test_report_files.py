"""The written report: one page and one PDF, opened with the programs a reader would use."""

from __future__ import annotations

import base64
import io
import re
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from synthetic_record import synthetic_crossval, synthetic_record

from busight.errors import OutputError
from busight.report.catalogue import FIGURES
from busight.report.write import write_report
from busight.results.records import ResultRecord, TrainingRunRecord

RequireProgram = Callable[[str], Path]
RECORD = synthetic_record(counts=(4, 9, 6), images=6)
HOSTILE = '"\'><script>alert(1)</script><img src=http://example.org/x.png>$\\frac{#panic("x")\x00\udc80\u202e中]]>--'


class Page(HTMLParser):
    """Collects what a browser would load, show as images, or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.open: list[str] = []
        self.tags: list[str] = []
        self.figures: list[str] = []
        self.captions = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)
        self.loaded += [given[name] or "" for name in ("src", "srcset", "data", "poster") if name in given]
        if tag == "link":
            self.loaded.append(given["href"] or "")
        if tag == "img":
            self.images.append(given)
        if tag == "figure":
            self.figures.append(given["id"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.captions += data.startswith("How to read it.")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    told: list[str] = []
    page = write_report(RECORD, folder, told.append)
    assert page == folder / "report.html"
    assert told[-2:] == ["report.html", "report.pdf"]
    assert f"figure {next((folder / 'figures').glob('stages-1*.svg')).stem}" in told
    return folder


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    write_report(synthetic_record(counts=(2, 2, 2), images=2, prefix=HOSTILE + "a" * 200), folder)
    return folder


def test_every_figure_is_written_twice_and_nothing_is_left_half_written(folder: Path) -> None:
    names = figure_names(RECORD)
    files = {path.name for path in (folder / "figures").iterdir()}
    assert files == {f"{name}{suffix}" for name in names for suffix in (".svg", ".png")}
    assert {path.name for path in folder.iterdir()} == {"figures", "report.html", "report.pdf"}


def figure_names(record: ResultRecord) -> list[str]:
    """Return the names of a record's figures, by the catalogue."""
    return [spec.name for specs_of in FIGURES.values() for spec in specs_of(record)]


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing(folder: Path) -> None:
    text = (folder / "report.html").read_text()
    page = Page(text)
    assert not page.open
    assert page.loaded
    assert all(address.startswith("data:") for address in page.loaded)
    assert "script" not in page.tags
    assert not re.search(r"url\(|@import", text)
    assert len(text) < 10e6


def test_every_figure_stands_on_the_page_with_alt_text_and_how_to_read_it(folder: Path) -> None:
    page = Page((folder / "report.html").read_text())
    assert sorted(page.figures) == sorted(f"figure-{name}" for name in figure_names(RECORD))
    assert len(page.images) == page.captions == len(page.figures)
    for image in page.images:
        assert len(image["alt"] or "") > 30
        kind, content = re.fullmatch(r"data:image/(png|svg\+xml);base64,(.+)", image["src"] or "").groups()
        content = base64.b64decode(content)
        if kind == "png":
            Image.open(io.BytesIO(content)).verify()
        else:
            assert ElementTree.fromstring(content).tag.endswith("svg")


def test_the_page_holds_what_was_asked_for(folder: Path) -> None:
    text = (folder / "report.html").read_text()
    wanted = (
        "97.4 %",
        "99 %",
        "92.01%",
        "0.2904",
        "Near-duplicate",
        "learning_rate = 0.0003",
        "3f" * 32,
        "onnxruntime",
    )
    assert not [word for word in wanted if word not in text]
    anchors = re.findall(r'<a href="#([a-z]+)">', text.partition("<main")[0])
    assert anchors == re.findall(r'<section id="([a-z]+)"', text)
    assert {"summary", "data", "split", "training", "metrics", "acting", "images", "limitations"} < set(anchors)


def test_the_same_record_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_report(synthetic_record(counts=(4, 9, 6), images=6), tmp_path)
    for name in ("report.html", "report.pdf"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("which", ["folder", "hostile"])
def test_every_page_of_the_pdf_says_research_use_only(
    which: str, request: pytest.FixtureRequest, require_program: RequireProgram
) -> None:
    pdf = request.getfixturevalue(which) / "report.pdf"
    text = subprocess.run([require_program("pdftotext"), pdf, "-"], capture_output=True, check=True).stdout.decode()
    pages = text.split("\f")[:-1]
    assert len(pages) > 5
    assert all("Research use only" in page for page in pages)
    assert "The recipe in full" in text


def test_hostile_text_is_shown_and_not_obeyed(hostile: Path, require_program: RequireProgram) -> None:
    text = (hostile / "report.html").read_text()
    page = Page(text)
    assert "script" not in page.tags
    assert all(address.startswith("data:") for address in page.loaded)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert not set(text) & {"\x00", "\u202e"}
    run = subprocess.run([require_program("pdftotext"), hostile / "report.pdf", "-"], capture_output=True, check=True)
    assert '#panic("x")' in run.stdout.decode()


@pytest.mark.parametrize("which", ["folder", "hostile"])
def test_chromium_shows_the_page_offline_without_a_complaint(
    which: str, request: pytest.FixtureRequest, require_program: RequireProgram, tmp_path: Path
) -> None:
    page = request.getfixturevalue(which) / "report.html"
    title, console = browse(require_program("chromium"), page, tmp_path)
    assert title.startswith("Training and evaluation: ")
    assert title.endswith(" · BUSight")
    assert console == []


def test_the_browser_would_have_told(require_program: RequireProgram, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<title>bad</title><script>console.error('seen')</script>")
    title, console = browse(require_program("chromium"), page, tmp_path)
    assert title == "bad"
    assert "seen" in "".join(console)


def browse(chromium: Path, page: Path, profile: Path) -> tuple[str, list[str]]:
    """Return the title and the console lines of a page in a fresh browser that can reach no host."""
    flags = "--headless --no-sandbox --disable-gpu --disable-background-networking --enable-logging=stderr --dump-dom"
    offline = ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile / 'profile'}"]
    run = subprocess.run(
        [chromium, *flags.split(), *offline, page.as_uri()], capture_output=True, check=True, timeout=120
    )
    title = re.search(r"<title>(.*?)</title>", run.stdout.decode(), re.DOTALL)
    assert title
    return title[1], [line for line in run.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize(
    "parts",
    [
        {"classes": ("_re$t", "中\x00malignant"), "counts": (5, 4), "segmented": False, "trained": False},
        {"counts": (0, 4, 3)},
        {"counts": (0, 1, 0), "images": 1},
        {"counts": (2, 2, 2), "images": 0, "trained": False},
    ],
    ids=["two classes, no masks, no training", "a class without cases", "one case", "no images"],
)
def test_poor_records_still_make_a_report(parts: dict, tmp_path: Path) -> None:
    record = synthetic_record(**{"images": 2, **parts})
    text = write_report(record, tmp_path).read_text()
    assert Page(text).images
    trained = isinstance(record, TrainingRunRecord)
    assert ("Nothing was trained here" in text) == (not trained)
    assert ("undefined: no test case of normal" in text) == (0 in record.metrics.support)
    assert ("The paper’s results" in text) == (trained and record.comparable_with_paper)


def test_a_cross_validation_shows_folds_and_ensemble_and_no_single_model(tmp_path: Path) -> None:
    record = synthetic_crossval()
    page = write_report(record, tmp_path)
    text = page.read_text()
    assert sorted(Page(text).figures) == sorted(f"figure-{name}" for name in figure_names(record))
    assert "<title>Cross-validation: default" in text
    anchors = re.findall(r'<section id="([a-z]+)"', text)
    assert {"folds", "paper"} < set(anchors)
    assert "split" not in anchors
    assert "4 networks were trained, one a fold" in text
    assert "Ensemble of 2 networks" in text
    assert record.ensemble is not None
    for metrics in (record.metrics, record.ensemble):
        estimate = metrics.get("auroc", "macro")
        assert f'{estimate.value:.3f} <span class="interval">({estimate.low:.3f}–{estimate.high:.3f})' in text


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file in the way")
    with pytest.raises(OutputError, match="could not be written"):
        write_report(synthetic_record(counts=(1, 1, 1), images=0), tmp_path / "report")
