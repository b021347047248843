"""``busight recalibrate``: a model's probabilities fitted to the place where it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.engine import ModelArgument
from busight.cli.extras import require_extra
from busight.cli.guard import one_line_errors
from busight.io.claim import claimed_folder

LOW_SPECIFICITY = 0.2
"""Specificity below which a threshold selects too little to be of use."""


def command(
    named_model: ModelArgument,
    data: Annotated[
        str, typer.Option("--data", help="Data spec of labelled images of your own, of 50 patients or so.")
    ],
    out: Annotated[Path, typer.Option("--out", help="New folder for the recalibrated bundle.")],
) -> None:
    """Fit temperature, threshold and prediction sets on labelled images of your own; the networks stay as they are."""
    with one_line_errors(hint=lambda: "nothing was written"), claimed_folder(out):
        require_extra("audit", "busight recalibrate")
        from busight.cli.console import ConsoleProgress
        from busight.experiments.recalibrate import recalibrate
        from busight.model.installed import find_model
        from busight.model.model import Model

        model = Model.load(find_model(named_model))
        with ConsoleProgress() as progress:
            done = recalibrate(model, data, out, progress)
        before, after = model.decision, done.model.decision
        counts = ", ".join(f"{count} {name}" for name, count in done.counts)
        typer.echo(f"images: {sum(count for _, count in done.counts)} of {done.n_groups} cases ({counts})")
        if done.n_rejected:
            typer.echo(f"left out: {done.n_rejected} images that the model rejects by their appearance")
        typer.echo(f"calibration: {after.calibration.source}")
        for when, threshold in (("before", before.threshold), ("now", after.threshold)):
            if threshold is not None and threshold.threshold is not None:
                typer.echo(
                    f"threshold {when}: {threshold.threshold:.3f}, sensitivity {threshold.sensitivity:.2f} and "
                    f"specificity {threshold.specificity:.2f} on {threshold.source}"
                )
        low = after.threshold.specificity if after.threshold is not None else None
        if low is not None and low < LOW_SPECIFICITY:
            typer.echo("warning: at this threshold nearly every image is called positive: the model does not tell them")
        typer.echo(f"bundle: {out}; use it with --model {out}")
