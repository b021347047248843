"""What MkDocs is asked to do besides: fill in the generated parts, and keep every script on the site itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from generate import filled

MERMAID = "assets/mermaid.js"
"""Fetched by ``make docs``. Where it is missing, diagrams are shown as their text, never loaded from elsewhere."""


def on_config(config: Any) -> Any:
    """Draw Mermaid diagrams only where the script lies beside the pages."""
    if (Path(config["docs_dir"]) / MERMAID).is_file():
        from pymdownx.superfences import fence_code_format

        fence = {"name": "mermaid", "class": "mermaid", "format": fence_code_format}
        config["extra_javascript"].append(MERMAID)
        config["mdx_configs"].setdefault("pymdownx.superfences", {})["custom_fences"] = [fence]
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the generated parts of a page."""
    return filled(markdown)
