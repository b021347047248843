"""Evidence for a model: what its recipe scored on data sets left out, and how far a model trained again came."""

from __future__ import annotations

import tomllib
from pathlib import Path

from busight.data.labels import LabelSchema
from busight.decision.settings import AssessSettings
from busight.errors import DataError
from busight.io.atomic import nan_as_none
from busight.metrics.table import MetricTable
from busight.model.bundle.card import CLASSIFIER, Card, EvidencePart, EvidenceRow, MetricPart
from busight.recipes.schema import Recipe
from busight.results.crossval_folder import plan_of, repeat_cases
from busight.results.plan_file import read_plan
from busight.results.scoring import case_metrics, subgroup_metrics

DATA_SET = "data set"
"""The attribute of a case that names its source."""

_ATTRIBUTES = ("device", "BI-RADS", "lesion size")
_OF_ALL = (
    ("auroc", "lesion pair"), ("auroc", "without lesion"), ("auroc", "macro"), ("accuracy", "overall"),
    ("operating_sensitivity", "positive"), ("operating_specificity", "positive"), ("ece", "overall"),
    ("dice", "lesion images"), ("specificity_image_level", "normal images"),
)  # fmt: skip
_OF_SUBGROUPS = (
    ("auroc", "lesion pair"), ("operating_sensitivity", "positive"), ("operating_specificity", "positive"),
    ("dice", "lesion images"),
)  # fmt: skip


def evidence_of(crossval: Path, recipe: str) -> EvidencePart:
    """Return the metrics of a cross-validation by source: of each source left out, and of its subgroups.

    Args:
        crossval: Its folder, finished.
        recipe: The recipe, as TOML, of the model that the metrics are to stand for.

    Raises:
        DataError: It is not by source, or of another recipe.
    """
    plan = plan_of(crossval)
    if plan.by != "source":
        raise DataError(f"{crossval}: its folds are by {plan.by}; make evidence with busight crossval --by source")
    _require_same_recipe(crossval, recipe)
    repeats, labels = repeat_cases(crossval)
    settings = AssessSettings()
    rows: list[EvidenceRow] = []
    for source in sorted({dict(case.metadata)[DATA_SET] for case in repeats[0]}):
        of_source = [[case for case in cases if dict(case.metadata)[DATA_SET] == source] for cases in repeats]
        rows += _rows(case_metrics(of_source, labels, settings), labels, _OF_ALL, source=source)
        for group in subgroup_metrics(of_source, labels, settings):
            if group.attribute in _ATTRIBUTES:
                where = {"source": source, "attribute": group.attribute, "shared": group.value}
                rows += _rows(group.table, labels, _OF_SUBGROUPS, **where)
    seeds = "one seed" if plan.repeats == 1 else f"the mean of {plan.repeats} seeds"
    how = f"each data set tested by networks that were trained on the others alone, {seeds}"
    return EvidencePart(how=how, level=settings.level, rows=tuple(rows))


def _rows(
    table: MetricTable, labels: LabelSchema, kept: tuple[tuple[str, str], ...], **where: str
) -> list[EvidenceRow]:
    """Return the chosen metrics of a table, those that are defined."""
    names = {
        "without lesion": next(iter(labels.without_lesion), ""),
        "positive": labels.positive or "",
        "lesion pair": table.lesion_comparison or "",
    }
    found = (table.find(metric, names.get(of, of)) for metric, of in kept)
    return [
        EvidenceRow(**nan_as_none(row.document()), **where)
        for row in found
        if row is not None and row.value == row.value
    ]


def _require_same_recipe(crossval: Path, recipe: str) -> None:
    """Raise for a cross-validation whose networks were trained otherwise than the model."""
    own = Recipe.model_validate(tomllib.loads(recipe))
    try:
        tested = Recipe.model_validate(tomllib.loads(str(read_plan(crossval, "cross-validation")["recipe"])))
    except (KeyError, ValueError) as error:
        raise DataError(f"{crossval}: its plan.json holds no recipe of this version; test the recipe anew") from error
    for section in ("enhance", "segment", "classify", "train", "assess"):
        if getattr(tested, section) != getattr(own, section):
            raise DataError(f"{crossval}: its recipe has another section {section} than the model's; test that recipe")


def comparison_lines(new: Card, old: Card) -> list[str]:
    """Return how far a model that was trained again came, beside the one that is installed, in lines.

    Args:
        new: The card of the new model.
        old: The card of the installed one.
    """
    same = {
        "data": new.training.data_digest == old.training.data_digest,
        "split": new.training.split_digest == old.training.split_digest,
        "initial weights": new.training.weights == old.training.weights,
        "graph": new.files.get(CLASSIFIER) == old.files.get(CLASSIFIER),
    }
    lines = [f"installed {old.name} of {old.created[:10]}: " + ", ".join(
        f"{'the same' if is_same else 'another'} {what}" for what, is_same in same.items()
    )]  # fmt: skip
    for title, mine, theirs in (
        ("test subset", new.metrics, old.metrics),
        ("left out", new.evidence.rows if new.evidence else (), old.evidence.rows if old.evidence else ()),
    ):
        known = {_key(row): row.value for row in theirs}
        for row in mine:
            before = known.get(_key(row))
            shown = (row.metric, row.of) in _COMPARED and not (isinstance(row, EvidenceRow) and row.attribute)
            if shown and before is not None and row.value is not None:
                where = f"{title} {row.source}" if isinstance(row, EvidenceRow) else title
                lines.append(f"{where}, {row.metric} of {row.of}: {row.value:.3f} here, {before:.3f} installed")
    return lines


_COMPARED = frozenset(
    {("auroc", "macro"), ("auroc", "malignant vs benign"), ("accuracy", "overall"), ("dice", "lesion images")}
)


def _key(row: MetricPart) -> tuple[str, ...]:
    where = (row.source, row.attribute, row.shared) if isinstance(row, EvidenceRow) else ()
    return (row.metric, row.of, *where)
