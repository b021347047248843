"""README and documentation: commands parse, Python runs, tables name what the code has, the site builds.

The log (`docs/log`) is left out: it holds commands and names of its day.
"""

from __future__ import annotations

import csv
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from generate import GENERATORS, MARKER, filled
from generate.commands import commands
from generate.schema import type_text
from test_architecture import LAYERS
from typer.main import get_command
from typer.testing import CliRunner

import busight
from busight.cli.app import app
from busight.data.labels import LabelSchema
from busight.data.readers import decode_in_subprocess, decoder_process, dicom_header, source
from busight.data.sources.table import COLUMNS as COLUMNS_OF_A_TABLE
from busight.io.arrays import MAX_BYTES
from busight.metrics.compute import ScoredCases, compute_metrics
from busight.metrics.mask_scores import MASK_SCORES
from busight.model.bundle.card import Card
from busight.model.lesion_table import COLUMNS
from busight.model.model import PIXELS_AT_ONCE
from busight.preprocess.resize import as_network_input, resize_or_pad
from busight.recipes.load import load_recipe, recipe_names, recipe_toml
from busight.results.cases_file import write_cases
from busight.results.prediction_record import csv_header
from busight.strategies.catalogue import STRATEGIES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md")))
    if "log" not in path.relative_to(ROOT).parts
}
README = TEXTS["README.md"]
CLASSES = ("normal", "benign", "malignant")
LABELS = LabelSchema(CLASSES, "malignant", ("normal",))


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language, also indented ones."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, flags=re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE) for indent, body in found]


def spans(text: str) -> list[str]:
    """The inline code of a page, blocks left out."""
    without_blocks = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", without_blocks)]


# Commands


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """Every command line to be typed: those in `sh` blocks, and those of the table of results."""
    for page, text in TEXTS.items():
        lines = [line for block in blocks(text, "sh") for line in block.splitlines()]
        if page == "docs/results.md":
            lines += spans(text)
        for line in lines:
            words = shlex.split(line, comments=True)
            if words and Path(words[0]).name == "busight":
                yield page, words[1:]


COMMAND_LINES = list(command_lines())


@pytest.mark.parametrize(("page", "words"), COMMAND_LINES, ids=[f"{page}: {' '.join(w)}" for page, w in COMMAND_LINES])
def test_a_command_line_parses(page: str, words: list[str]) -> None:
    command, rest = get_command(app), list(words)
    while hasattr(command, "commands") and not (command.invoke_without_command and (not rest or rest[0][0] == "-")):
        assert rest[0] in command.commands, f"{page}: no command {rest[0]}"
        command = command.commands[rest.pop(0)]
    context = command.make_context("busight", rest)
    overrides = context.params.get("set_") or []
    if overrides:
        load_recipe(context.params["recipe"], overrides)


def test_command_lines_are_found() -> None:
    assert len(COMMAND_LINES) > 60
    assert sum(page == "README.md" for page, _ in COMMAND_LINES) >= 5


def test_a_wrong_command_line_would_be_noticed() -> None:
    for wrong in (
        ["predict", "--model", "runs/a", "x.png", "--nonsense"],
        ["evaluate", "runs/a"],
        ["run", "--set", "a.b=1"],
    ):
        with pytest.raises(Exception, match=r"nonsense|data|a\.b"):
            test_a_command_line_parses("", wrong)


def options_of(command: Any) -> set[str]:
    return {name for one in command.params for name in (*one.opts, *one.secondary_opts) if name.startswith("--")}


@pytest.mark.parametrize("page", TEXTS)
def test_commands_options_and_keys_that_a_page_mentions_exist(page: str) -> None:
    known = {name.removeprefix("busight "): options_of(command) for name, command in commands()}
    groups = {name.partition(" ")[0] for name in known}
    every_option = set().union(*known.values(), {"--help", "--version"})
    keys = recipe_keys()
    for span in spans(TEXTS[page]):
        if match := re.match(r"busight ([a-z][\w-]*)(?: ([a-z]+))?", span):
            name = " ".join(filter(None, match.groups()))
            name = name if name in known else match[1]
            assert name in known or name in groups, f"{page}: {span}"
        for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", span):
            if not span.startswith(("pip ", "python ", "npm ")):
                assert option in every_option, f"{page}: {span}"
        key = re.match(r"(?:--set )?((?:data|split|enhance|segment|classify|train|assess)\.[a-z_.]+)(?=[ =]|$)", span)
        if key and not span.endswith((".json", ".toml")):
            assert key[1] in keys or any(one.startswith(f"{key[1]}.") for one in keys), f"{page}: {span}"


def recipe_keys() -> set[str]:
    """Every key of a resolved recipe (``train.augment.flip``), from a recipe itself and not from its schema."""

    def below(table: dict[str, Any], start: str = "") -> Iterator[str]:
        for key, value in table.items():
            yield from below(value, f"{start}{key}.") if isinstance(value, dict) and value else [f"{start}{key}"]

    return set(below(tomllib.loads(recipe_toml(load_recipe("default")))))


# The generated reference


def test_every_marker_has_a_generator_and_every_generator_a_page() -> None:
    markers = [name for text in TEXTS.values() for name in MARKER.findall(text)]
    assert sorted(markers) == sorted(GENERATORS)
    assert MARKER.search("".join(map(filled, TEXTS.values()))) is None


def test_a_page_read_as_markdown_says_where_its_generated_part_is_to_be_found() -> None:
    lines = [line for text in TEXTS.values() for line in text.splitlines() if MARKER.fullmatch(line)]
    assert [
        line
        for line in lines
        if not re.search(r"`(busight .*|make docs|python .*|src/.*|pyproject.toml)`|README", line)
    ] == []
    assert filled("Run `busight --help`. <!-- generated: sources -->\n") == f"{GENERATORS['sources']()}\n"


def test_the_command_reference_has_every_command_and_option_of_the_help() -> None:
    sections = dict(
        re.findall(r"^## (busight [a-z ]+)$(.*?)(?=^## |\Z)", GENERATORS["cli"](), re.DOTALL | re.MULTILINE)
    )
    helped = CliRunner().invoke(app, ["--help"]).output
    assert {name.split()[1] for name in sections} == set(re.findall(r"^  ([a-z]+) +[A-Z]", helped, re.MULTILINE))
    for name, section in sections.items():
        text = CliRunner().invoke(app, [*name.split()[1:], "--help"]).output
        named = set(re.findall(r"^  (--[a-z][a-z-]*)", text, re.MULTILINE)) - {"--help"}
        assert {option for option in named if f"`{option}" not in section} == set(), name


def test_the_recipe_reference_has_every_key_and_says_what_it_means() -> None:
    rows = {}
    section = ""
    for line in GENERATORS["recipe"]().splitlines():
        if line.startswith("## "):
            section = "" if line == "## Top of the file" else f"{line[3:]}."
        elif match := re.match(r"\| `(\w+)` \|(.*)\|$", line):
            rows[section + match[1]] = match[2].split("|")[-1].strip()
    assert set(rows) == recipe_keys()
    assert {key for key, meaning in rows.items() if not meaning} == set()
    shown = GENERATORS["recipes"]()
    assert all(f'"`{name}`: {load_recipe(name).description}"' in shown for name in recipe_names())


def test_types_and_limits_are_in_words() -> None:
    assert type_text({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, {}) == "number, ≥ 0, < 1"
    assert type_text({"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]}, {}) == "`a`, `b` or null"
    assert (
        type_text({"type": "array", "items": {"$ref": "#/$defs/X"}}, {"X": {"type": "integer"}}) == "list of: integer"
    )


def test_the_card_reference_has_every_field() -> None:
    text = GENERATORS["card"]()
    assert {name for name in Card.model_fields if f"| `{name}` |" not in text} == set()
    assert set(re.findall(r"\(#(\w+)\)", text)) <= {title.lower() for title in re.findall(r"^### (\w+)", text, re.M)}


def test_the_python_reference_has_every_public_name() -> None:
    assert len(busight.__all__) <= 15
    titles = set(re.findall(r"^::: busight\.(\w+)$", GENERATORS["api"](), re.MULTILINE))
    assert titles == set(busight.__all__) - {"__version__"}


# Tables written by hand


def first_cells(page: str, heading: str) -> set[str]:
    """The names in the first column of the tables below a heading."""
    section = TEXTS[page].split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return {name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}


def test_the_limits_are_those_of_the_code() -> None:
    limits = (
        source.MAX_FILE_BYTES,
        source.MIN_SIDE,
        source.MAX_SIDE,
        source.MAX_PIXELS,
        PIXELS_AT_ONCE,
        dicom_header.MAX_HEADER_BYTES,
        dicom_header._LARGE_ELEMENT,
        dicom_header.MAX_INFLATED_BYTES,
        dicom_header.MAX_FRAMES,
        decode_in_subprocess.MAX_MEMORY_BYTES,
        decoder_process._SECONDS,
        MAX_BYTES,
    )
    section = TEXTS["docs/reference/limits.md"]
    assert [limit for limit in limits if str(limit) not in section] == []


def of_every_class(columns: list[str]) -> set[str]:
    return {re.sub(rf"_({'|'.join(CLASSES)})$", "_CLASS", column) for column in columns}


def test_the_columns_are_those_that_are_written(tmp_path: Path) -> None:
    page = "docs/reference/columns.md"
    assert first_cells(page, "Predictions") == of_every_class(next(csv.reader([csv_header(LABELS)])))
    write_cases(tmp_path / "cases.csv", [], LABELS)
    written = next(csv.reader((tmp_path / "cases.csv").read_text(encoding="utf-8").splitlines()))
    assert first_cells(page, "cases.csv") == of_every_class(written)
    assert first_cells(page, "lesions.csv") == set(COLUMNS)


def test_the_metrics_are_those_that_are_computed() -> None:
    rng = np.random.default_rng(0)
    count = 30
    cases = ScoredCases(
        target=np.arange(count) % 3,
        probs=rng.dirichlet(np.ones(3), count),
        classes=CLASSES,
        positive=2,
        lesion_pair=(1, 2),
        mask_scores={name: rng.random(count) for name in MASK_SCORES},
        above_threshold=rng.random(count) > 0.5,
        prediction_sets=rng.random((count, 3)) > 0.5,
        rejected=rng.random(count) > 0.9,
        descriptor_probs=rng.random(count),
    )
    text = TEXTS["docs/reference/metrics.md"].split("\n## ")[0]
    listed = {
        (metric, of.strip())
        for metrics, ofs in re.findall(r"^\| (`.*?) \| (.*?) \|", text, re.MULTILINE)
        for metric in re.findall(r"`(\w+)`", metrics)
        for of in ofs.split(",")
    }
    computed = set()
    for metric, of in compute_metrics(cases, np.ones(count)):
        operating = metric.startswith("operating_")
        computed.add((metric, "the positive class" if operating else "each class" if of in CLASSES else of))
    assert listed == computed


def test_the_columns_of_a_table_of_images_are_those_that_are_read() -> None:
    assert first_cells("docs/reference/data.md", "A table") == set(COLUMNS_OF_A_TABLE)


def test_the_packages_are_those_of_the_code() -> None:
    layers = blocks(TEXTS["CONTRIBUTING.md"], "text")[0]
    assert [set(line.strip().split(", ")) for line in layers.split("→")] == [set(layer) for layer in LAYERS]
    page = TEXTS["docs/explanation/architecture.md"]
    told = {name for row in re.findall(r"^\| (`\w.*?) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    diagram = set(re.findall(r"\w+", " ".join(blocks(page, "mermaid"))))
    every = set().union(*LAYERS) - {"_version"}
    assert every <= told
    assert every <= diagram


def test_every_extra_is_explained() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    bullets = "".join(re.findall(r"^- (.*?):", TEXTS["docs/getting-started/install.md"], re.MULTILINE))
    assert set(extras) <= set(re.findall(r"`(\w+)`", bullets))


def test_the_strategies_are_those_that_a_recipe_takes() -> None:
    section = TEXTS["docs/how-to/train.md"].split("\n## Choose a strategy\n")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert sorted([*listed, "segment_only"]) == sorted(STRATEGIES)


def test_the_commands_that_need_an_extra_are_told() -> None:
    section = TEXTS["docs/getting-started/install.md"].split("\n## What a command needs\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`busight .*?) \|", section, re.MULTILINE)
    told = set()
    for cell in cells:
        first, *others = re.findall(r"`(?:busight )?([a-z ]+)`", cell)
        told |= {first, *(f"{first.rpartition(' ')[0]} {other}".strip() for other in others)}
    assert told == {name.removeprefix("busight ") for name, _ in commands()}


# What is to be done without BUSight


@pytest.mark.parametrize("shape", [(300, 201), (40, 64), (64, 64), (500, 30), (30, 500), (257, 255, 3)])
@pytest.mark.parametrize("keep_aspect", [False, True])
def test_the_input_of_a_graph_is_made_as_the_page_of_the_bundle_says(shape: tuple[int, ...], keep_aspect: bool) -> None:
    (code,) = blocks(TEXTS["docs/reference/bundle.md"], "python")
    names: dict[str, Any] = {}
    exec(code, names)
    view = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    expected = as_network_input(resize_or_pad(view, 65, keep_aspect)[np.newaxis])
    np.testing.assert_array_equal(names["network_input"](view, 65, keep_aspect), expected)


# Files, links and the site


@pytest.mark.parametrize("page", TEXTS)
def test_files_that_a_page_names_exist(page: str) -> None:
    named = [span for span in spans(TEXTS[page]) if re.match(r"(src|tests|docs|benchmarks)/[\w./-]+$", span)]
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_pages_that_the_code_names_exist() -> None:
    folders = (ROOT / "src", ROOT / "benchmarks")
    sources = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".toml")]
    named = {
        page for path in sources for page in re.findall(r"docs/[\w/-]+\.(?:md|json)", path.read_text(encoding="utf-8"))
    }
    assert named
    assert [page for page in sorted(named) if not (ROOT / page).is_file()] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_outside_the_site_resolve(page: str) -> None:
    """Those within the site are held by its build, anchors too."""
    links = [link for link in re.findall(r"\]\(([^)]+)\)", TEXTS[page]) if not link.startswith("https://")]
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path, require_package: Callable[[str, str], None]) -> None:
    for package in ("mkdocs", "material", "mkdocstrings"):
        require_package(package, "docs")
    call = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = {path.relative_to(tmp_path / "site").as_posix(): path.read_text(encoding="utf-8") for path in
             (tmp_path / "site").rglob("*.html")}  # fmt: skip
    assert 'id="busight-predict"' in pages["reference/cli/index.html"]
    assert "calibrated_probs" in pages["reference/python/index.html"]
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="?(https?:[^" >]+)', "".join(pages.values()))
    assert loaded == [], "a page loads something from another site"


# Python


@pytest.fixture(scope="module")
def readme_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which the README's example has run, and what it printed."""
    folder = tmp_path_factory.mktemp("readme")
    (code,) = blocks(README, "python")
    return folder, run_python(code, folder)


def run_python(code: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def without_figures(text: str) -> str:
    """Text without what differs from machine to machine: numbers, and what an untrained network calls an image."""
    numbers = re.sub(r"-?\d+(\.\d+)?", "#", text).strip()
    return re.sub(r"^(normal|benign|malignant)\b", "FINDING", numbers, flags=re.MULTILINE)


@pytest.mark.slow
def test_the_readmes_example_prints_what_the_readme_shows(readme_run: tuple[Path, str]) -> None:
    (code,), (shown,) = blocks(README, "python"), blocks(README, "text")
    assert without_figures(readme_run[1]) == without_figures(shown)
    assert len(code.strip().splitlines()) <= 12


RUNNABLE = [
    (page, code, shown)
    for page, text in TEXTS.items()
    for code, shown in re.findall(
        r"^<!-- run -->\n```python\n(.*?)```\n\n```text\n(.*?)```", text, flags=re.DOTALL | re.MULTILINE
    )
]


def test_every_block_that_is_marked_to_run_is_found() -> None:
    assert len(RUNNABLE) == sum(text.count("\n<!-- run -->\n") for text in TEXTS.values()) > 0


@pytest.mark.slow
@pytest.mark.parametrize(("page", "code", "shown"), RUNNABLE, ids=[page for page, _, _ in RUNNABLE])
def test_python_that_is_marked_runs_and_prints_what_the_page_shows(
    page: str, code: str, shown: str, readme_run: tuple[Path, str]
) -> None:
    assert without_figures(run_python(code, readme_run[0])) == without_figures(shown)
