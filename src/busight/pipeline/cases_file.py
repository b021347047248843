"""``cases.csv``: one line for each scored image."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from busight.files import write_text
from busight.pipeline.record import Case


def write_cases(path: Path, cases: Sequence[Case], classes: tuple[str, ...]) -> None:
    """Write the cases with full precision; undefined figures are empty.

    Raises:
        OutputError: It could not be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    kinds = ("logit", "raw_prob", "calibrated_prob")
    writer.writerow(
        [
            *("sample_id", "group", "actual", "predicted"),
            *(f"{kind}_{name}" for kind in kinds for name in classes),
            *("dice", "iou", "true_area_share", "predicted_area_share"),
        ]
    )
    for case in cases:
        figures = [*case.logits, *case.raw_probs, *case.calibrated_probs]
        figures += [case.dice, case.iou, case.true_area_share, case.predicted_area_share]
        cells = ["" if value != value else repr(value) for value in figures]
        writer.writerow([case.sample_id, case.group, case.actual or "", case.predicted, *cells])
    write_text(path, text.getvalue())
