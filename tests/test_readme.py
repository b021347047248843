"""The README's Python runs and prints what the README says, figures aside; its commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from busight.cli.app import app

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
DOCS = sorted((Path(__file__).parent.parent / "docs").glob("*.md"))
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, flags=re.DOTALL)


def without_figures(text: str) -> str:
    return re.sub(r"-?\d+(\.\d+)?", "#", text).strip()


@pytest.mark.slow
def test_the_python_example_prints_what_the_readme_shows(tmp_path: Path) -> None:
    code = next(text for language, text in BLOCKS if language == "python")
    shown = next(text for language, text in BLOCKS if language == "text")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    words = re.sub(r"normal|benign|malignant", "FINDING", without_figures(done.stdout))
    assert words == re.sub(r"normal|benign|malignant", "FINDING", without_figures(shown))
    assert len(code.strip().splitlines()) <= 12


def test_every_command_in_the_readme_exists() -> None:
    command = get_command(app)
    known = command.list_commands(None)  # type: ignore[attr-defined,arg-type]
    lines = [line for language, text in BLOCKS if language == "sh" for line in text.splitlines()]
    named = re.findall(r"busight (\w+)", "\n".join(lines))
    assert named
    assert set(named) <= set(known)


def test_every_option_in_the_readme_and_the_docs_exists() -> None:
    pages = [README, *(path.read_text(encoding="utf-8") for path in DOCS)]
    calls = [
        call
        for page in pages
        for call in re.findall(r"busight ((?:[a-z]+ )+[^`#]*?)(?=`|#|\n\n|\n```|\nbusight|$)", page)
    ]
    checked = 0
    for call in calls:
        command, words = get_command(app), call.split()
        while hasattr(command, "commands") and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        options = {word.split("=")[0].strip(",;.") for word in words if re.match(r"--[a-z]", word)}
        assert options <= known, f"{call!r}: {sorted(options - known)}"
        checked += len(options)
    assert checked > 60


def test_the_public_interface_is_small_and_complete() -> None:
    import busight

    assert len(busight.__all__) <= 15
    for name in busight.__all__:
        assert getattr(busight, name) is not None
