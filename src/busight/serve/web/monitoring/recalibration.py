"""A model recalibrated on cases that readers confirmed."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from busight.errors import DataError
from busight.io.csv_text import csv_text
from busight.model.model import Model
from busight.serve.web.accounts.models import User
from busight.serve.web.cases import files
from busight.serve.web.cases.access import visible_cases
from busight.serve.web.cases.models import Case


def confirmed_cases(user: User, model_digest: str) -> QuerySet[Case]:
    """Return the cases that a user sees and that a reader agreed with or overrode."""
    reviewed = (Case.Reviewed.AGREED, Case.Reviewed.OVERRIDDEN)
    cases = visible_cases(user).filter(state=Case.State.DONE, parent=None, model_digest=model_digest)
    return cases.filter(reviewed__in=reviewed)


def models_folder() -> Path:
    """Return the folder of the models that a site has made."""
    folder: Path = settings.SITE.data / "models"
    return folder


def recalibrated(model: Model, cases: QuerySet[Case], name: str, work: Path) -> str:
    """Recalibrate the model on confirmed cases, into a new folder of `models_folder`; return what was done in one line.

    Args:
        model: The site's model; its networks stay as they are.
        cases: Of `confirmed_cases`.
        name: Name of the new folder.
        work: A folder for the labelled images, which is removed.

    Raises:
        DataError: Too few cases, or of one class.
        OutputError: The folder cannot be written.
    """
    from busight.experiments.recalibrate import recalibrate  # which needs SciPy and scikit-learn

    rows = [["path", "label", "patient"]]
    for case in cases.prefetch_related("reviews"):
        review = case.last_review
        if review is not None and review.label:
            rows.append([str(files.path_of(case.image_file)), review.label, case.pseudonym])
    if len(rows) == 1:
        raise DataError("no confirmed case: agree with answers or override them first")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        for place, row in enumerate(rows[1:]):
            image = work / f"{place}.png"
            image.symlink_to(row[0])
            row[0] = image.name
        (work / "samples.csv").write_text(csv_text(rows), encoding="utf-8")
        models_folder().mkdir(mode=0o700, exist_ok=True)
        done = recalibrate(model, f"folder:{work}", models_folder() / name)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    counts = ", ".join(f"{count} {label}" for label, count in done.counts)
    threshold = done.model.decision.threshold
    told = f"{name}: recalibrated on {counts}, of {done.n_groups} patients"
    return told if threshold is None else f"{told}; threshold {threshold.threshold:.3f}"
