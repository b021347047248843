"""``busight recalibrate``: a model's probabilities fitted to the place where it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.engine import EngineOption, ModelArgument, ThreadsOption, load_model
from busight.cli.extras import require_extra
from busight.cli.guard import one_line_errors
from busight.io.claim import claimed_folder


def command(
    named_model: ModelArgument,
    data: Annotated[str, typer.Option("--data", help="Data spec of labelled images of your own, 50 cases or so.")],
    out: Annotated[Path, typer.Option("--out", help="New folder for the recalibrated bundle.")],
    engine: EngineOption = "onnxruntime",
    threads: ThreadsOption = 0,
) -> None:
    """Fit temperature, threshold and prediction sets on labelled images of your own; the networks stay as they are."""
    with one_line_errors(hint=lambda: "nothing was written"), claimed_folder(out):
        require_extra("audit", "busight recalibrate")
        from busight.cli.console import ConsoleProgress
        from busight.experiments.recalibrate import recalibrate
        from busight.model.installed import find_model

        model = load_model(find_model(named_model), engine, threads)
        with ConsoleProgress() as progress:
            done = recalibrate(model, data, out, progress)
        before, after = model.decision, done.model.decision
        typer.echo(f"images: {done.n_images} ({', '.join(f'{count} {name}' for name, count in done.counts)})")
        if done.n_rejected:
            typer.echo(f"rejected by their appearance: {done.n_rejected}, which the model would not answer")
        typer.echo(f"calibration: {after.calibration.source}")
        if before.threshold is not None and after.threshold is not None:
            old, new = before.threshold.threshold, after.threshold.threshold
            shown = [f"{value:.3f}" if value is not None else "none" for value in (old, new)]
            typer.echo(f"threshold: {shown[0]} before, {shown[1]} now, from {after.threshold.source}")
        typer.echo(f"bundle: {out}; use it with --model {out}")
