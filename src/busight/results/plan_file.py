"""``plan.json``: the plan of a folder of several trainings, by which it can be resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from busight.errors import DataError, OutputError
from busight.io.atomic import require_free_folder, write_json

PLAN_FILE = "plan.json"


def open_planned_folder(out: Path, plan: dict[str, Any], what: str, resume: bool) -> None:
    """Raise for a folder that is not free or, on resumption, has another plan. Nothing is written yet.

    Args:
        out: The folder.
        plan: The plan as JSON.
        what: The kind of experiment in messages, e.g. ``"cross-validation"``.
        resume: Continue in the folder of an interrupted call.

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
    """Read the plan of a folder.

    Args:
        out: The folder.
        what: The expected kind of experiment, e.g. ``"cross-validation"``.

    Raises:
        DataError: There is no plan, or it is damaged.
    """
    try:
        plan = json.loads((out / PLAN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{out}: not the folder of a {what}; it has no readable {PLAN_FILE}") from error
    if not isinstance(plan, dict):
        raise DataError(f"{out}: not the folder of a {what}; its {PLAN_FILE} holds no plan")
    return plan


def write_plan(out: Path, plan: dict[str, Any]) -> None:
    """Write ``plan.json``.

    Raises:
        OutputError: The file could not be written.
    """
    write_json(out / PLAN_FILE, plan)
