"""``busight evaluate``: an existing bundle on another data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.engine import EngineOption, ThreadsOption, load_model
from busight.cli.extras import has_extra, remedy
from busight.cli.guard import command_line, one_line_errors
from busight.cli.outputs import folder_of_now
from busight.io.claim import claimed_folder


def command(
    named_model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="An installed model's name, a bundle, or the folder of a run or crossval."
        ),
    ],
    data: Annotated[str, typer.Option("--data", help="Data spec, e.g. busbra:PATH.")],
    out: Annotated[Path | None, typer.Option("--out", help="New folder for the results [runs/evaluate-TIME].")] = None,
    split: Annotated[Path | None, typer.Option("--split", help="Score only the test subset of this split.")] = None,
    engine: EngineOption = "onnxruntime",
    threads: ThreadsOption = 0,
) -> None:
    """Score a bundle on a data set: the same figures and report as a run. Nothing is fitted.

    Of a cross-validation every network is evaluated by itself, and their ensemble; no report is written then.
    """
    folder = out or folder_of_now("evaluate")

    def what_is_left() -> str:
        done = (folder / "metrics.json").is_file()
        return f"cases and metrics are in {folder}, the report is not whole" if done else "no metrics were written"

    with one_line_errors(hint=what_is_left), claimed_folder(folder):
        from busight.cli.console import ConsoleProgress
        from busight.experiments.evaluate import evaluate
        from busight.experiments.evaluate_folds import is_crossval
        from busight.model.installed import find_model
        from busight.report.text.headline import headline

        chosen = find_model(named_model)
        if is_crossval(chosen):
            _folds(chosen, data, folder, split)
            return
        model = load_model(chosen, engine, threads)
        with ConsoleProgress() as progress:
            record = evaluate(model, data, folder, split_file=split, command=command_line(), progress=progress)
            if has_extra("report"):
                from busight.report.write import write_report

                progress.stage("report")
                write_report(record, folder)
        for line in headline(record.metrics):
            typer.echo(line)
        if has_extra("report"):
            typer.echo(f"report: {folder / 'report.html'}")
        else:
            typer.echo(f"scores: {folder / 'metrics.json'}; the report needs {remedy('report')}")


def _folds(crossval: Path, data: str, folder: Path, split: Path | None) -> None:
    from busight.cli.console import ConsoleProgress
    from busight.errors import ConfigError
    from busight.experiments.evaluate_folds import PER_NETWORK_FILE, evaluate_folds
    from busight.report.text.headline import headline

    if split is not None:
        raise ConfigError("--split goes with one bundle; the networks of a cross-validation have a split each")
    with ConsoleProgress() as progress:
        evaluation = evaluate_folds(crossval, data, folder, progress=progress)
    if evaluation.n_trained_on:
        typer.echo(
            f"warning: {evaluation.n_trained_on} images were used in training or tuning: the metrics are too high",
            err=True,
        )
    per_network = (f"one network, mean of {evaluation.n_networks}", evaluation.per_network_mean)
    for title, metrics in (per_network, (f"ensemble of {evaluation.n_networks}", evaluation.ensemble)):
        typer.echo(f"\n{title}")
        for line in headline(metrics):
            typer.echo(f"  {line}")
    typer.echo(f"\nmetrics: {folder / 'metrics.json'} (ensemble), {folder / PER_NETWORK_FILE} (one network)")
