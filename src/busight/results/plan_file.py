"""``plan.json``: what a folder of several trainings was begun with, so that it can be gone on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from busight.errors import DataError, OutputError
from busight.io.atomic import require_free_folder, write_json

PLAN_FILE = "plan.json"


def open_planned_folder(out: Path, plan: dict[str, Any], what: str, resume: bool) -> None:
    """Raise for a folder that is not free or, when going on, was not begun with this plan. Nothing is written yet.

    Args:
        out: The folder.
        plan: What shall be done, as JSON.
        what: What it is called in a message, e.g. ``"cross-validation"``.
        resume: Go on in a folder that an interrupted call left.

    Raises:
        OutputError: The folder cannot be used.
    """
    if not resume:
        require_free_folder(out)
        return
    if not (out / PLAN_FILE).is_file():
        raise OutputError(f"{out}: no interrupted {what} to resume; leave --resume away")
    try:
        begun = json.loads((out / PLAN_FILE).read_text(encoding="utf-8"))
    except ValueError:
        begun = None
    if begun != plan:
        raise OutputError(f"{out}: was begun with another recipe, data or plan; give the same ones, or another --out")


def read_plan(out: Path, what: str) -> dict[str, Any]:
    """Read the plan that a folder was begun with.

    Args:
        out: The folder.
        what: What it should hold, e.g. ``"cross-validation"``.

    Raises:
        DataError: There is none, or it is damaged.
    """
    try:
        plan = json.loads((out / PLAN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{out}: not the folder of a {what}; its {PLAN_FILE} cannot be read ({error})") from error
    if not isinstance(plan, dict):
        raise DataError(f"{out}: not the folder of a {what}; its {PLAN_FILE} holds no plan")
    return plan


def write_plan(out: Path, plan: dict[str, Any]) -> None:
    """Write ``plan.json``.

    Raises:
        OutputError: It could not be written.
    """
    write_json(out / PLAN_FILE, plan)
