"""The Python example of the README, which the tests run."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def python_example() -> str:
    """Return the README's Python block and the block with what it prints."""
    text = README.read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:python|text)\n.*?```", text, flags=re.DOTALL)
    return "\n\n".join(blocks)
