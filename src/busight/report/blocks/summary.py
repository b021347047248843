"""What was run, and the four figures to look at first."""

from __future__ import annotations

import math

from busight.metrics.table import Score
from busight.report.blocks.model import Block, Facts, Gallery, Listing, Paragraph, Section, Tile, Tiles
from busight.report.blocks.scores_table import find_score, interval_text, metric_name, undefined_reason
from busight.report.text.labels import counted
from busight.results.run_record import RunRecord

_WANTED = 4
_KINDS = {
    "run": "trained and tested",
    "evaluate": "an existing bundle, tested on this data",
    "crossval": "cross-validation: in each repeat every image is tested once",
}


def headline_scores(record: RunRecord) -> list[Score]:
    """Return the four scores that answer most: how often right, how well ranked, what is missed, how well outlined."""
    last_class = record.classes[-1]
    grave = "malignant" if "malignant" in record.classes else last_class
    wishes = (
        ("balanced_accuracy", "overall"),
        ("auroc", "macro" if len(record.classes) > 2 else last_class),
        ("sensitivity", grave),
        ("dice", "lesion images"),
        ("accuracy", "overall"),
        ("ece", "overall"),
        ("specificity", grave),
    )
    found = [score for metric, of in wishes if (score := find_score(record.sheet, metric, of)) and score.n > 0]
    return found[:_WANTED]


def section(record: RunRecord, pictures: dict[str, Gallery]) -> Section:
    """Return the opening section."""
    tiles = tuple(_tile(record, score) for score in headline_scores(record))
    seconds = sum(duration for _, duration in record.stage_seconds)
    facts = (
        ("Kind", _KINDS[record.kind]),
        ("Data", record.data.spec),
        (
            "Tested on",
            f"{counted(record.sheet.n_images, 'image')} in {counted(record.sheet.n_groups, 'independent group')}",
        ),
        ("Network", record.network),
        ("Initial weights", record.weights),
        ("Calibration", record.calibration),
        ("Started", record.started),
        ("Time", duration_text(seconds)),
    )
    blocks: list[Block] = [
        Tiles(tiles),
        *(Paragraph(warning, "warning") for warning in record.warnings),
        Paragraph(
            f"In brackets: {record.sheet.level:.0%} intervals from a bootstrap over groups. Runs whose intervals "
            "overlap widely have not been shown to differ.",
            "note",
        ),
        Facts(facts),
        Listing(record.command),
    ]
    return Section("summary", "What was run", tuple(blocks))


def duration_text(seconds: float) -> str:
    """Return a duration for readers.

    Example:
        >>> duration_text(2330.8), duration_text(4.2)
        ('38 min 51 s', '4.2 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _tile(record: RunRecord, score: Score) -> Tile:
    label = metric_name(score.metric)
    of = "" if score.of == "overall" else score.of
    if math.isnan(score.value):
        return Tile(label, "undefined", undefined_reason(score, record.sheet), of)
    return Tile(label, f"{score.value:.3f}", interval_text(score), ", ".join(filter(None, [of, f"n = {score.n}"])))
