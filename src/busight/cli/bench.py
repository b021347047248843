"""``busight bench``: speed of prediction on this machine; segmenters and filters measured on a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.extras import require_extra
from busight.cli.guard import one_line_errors
from busight.io.claim import claimed_folder

app = typer.Typer(name="bench", rich_markup_mode=None)

DataArgument = Annotated[str, typer.Argument(metavar="DATA", help="Data spec, e.g. busi:PATH or phantom:100.")]
OutOption = Annotated[Path, typer.Option("--out", help="New folder for the table and the figure.")]
LimitOption = Annotated[int, typer.Option("--limit", min=0, help="Images, chosen at random; 0 = all.")]


@app.callback(invoke_without_command=True)
def speed(
    context: typer.Context,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer images and rounds, no torch.compile: under three minutes.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="New file for the table.")] = None,
    model: Annotated[
        list[Path] | None, typer.Option("--model", help="A bundle or run to measure too; several.")
    ] = None,
) -> None:
    """Measure the speed of prediction, end to end beside the bare engines, PyTorch and MONAI; see also its commands."""
    with one_line_errors(hint=lambda: "nothing was written"):
        from busight.errors import ConfigError

        if context.invoked_subcommand is not None:
            if quick or json_file is not None or model:
                raise ConfigError(
                    f"bench: --quick, --json and --model before {context.invoked_subcommand} are for the speed; leave "
                    "them away"
                )
            return
        from dataclasses import asdict

        from busight.cli.console import ConsoleProgress
        from busight.cli.speed_table import print_speed_table
        from busight.io.atomic import require_new_file, write_json

        if json_file is not None:
            require_new_file(json_file)
        require_extra("train", "bench")
        from busight.experiments.bench.speed import QUICK, SpeedSettings, measure_speed

        with ConsoleProgress() as progress:
            table = measure_speed(QUICK if quick else SpeedSettings(), model or [], progress)
        if json_file is not None:
            write_json(json_file, asdict(table), new=True)
        print_speed_table(table)


@app.command("segmenters")
def segmenters(
    data: DataArgument,
    out: OutOption,
    method: Annotated[
        list[str] | None, typer.Option("--method", help="One without training, e.g. geodesic; several, or all.")
    ] = None,
    model: Annotated[
        list[Path] | None, typer.Option("--model", help="A bundle or run that draws masks; several.")
    ] = None,
    crossval: Annotated[
        list[Path] | None, typer.Option("--crossval", help="A cross-validation: each network on its test fold.")
    ] = None,
    chain: Annotated[str, typer.Option("--chain", help="Filters before a --method; a model brings its own.")] = "",
    fallback_to_proposal: Annotated[
        bool,
        typer.Option(
            "--fallback-to-proposal", help="Networks once more, with the proposal where a mask is empty or unsure."
        ),
    ] = False,
    limit: LimitOption = 0,
) -> None:
    """Measure Dice, surface distances and time of segmenters on a data set with masks."""
    with one_line_errors(), claimed_folder(out):
        from busight.cli.console import ConsoleProgress
        from busight.cli.segment import chosen_segmenters
        from busight.data.sources.catalogue import load_data
        from busight.errors import ConfigError
        from busight.experiments.bench.segmenters import CrossvalSegmenter, compare_segmenters, comparison_csv
        from busight.io.atomic import write_text
        from busight.model.segmenters import ClassicalMethod, FallbackToProposal
        from busight.report.figures.segmenter_sheet import segmenter_lines, write_segmenter_sheet
        from busight.segment.classical.catalogue import METHODS

        if fallback_to_proposal and not (model or crossval):
            raise ConfigError(
                "bench segmenters: --fallback-to-proposal is for a --model or --crossval; a --method always makes a "
                "proposal"
            )
        named = method or ([] if model or crossval else ["all"])
        ways = [
            *chosen_segmenters(list(METHODS) if named == ["all"] else named, model or [], chain, None),
            *(CrossvalSegmenter(folder) for folder in crossval or []),
        ]
        if fallback_to_proposal:
            # Beside the networks as they are: the table shows what the fallback gains.
            ways += [FallbackToProposal(way) for way in ways if not isinstance(way, ClassicalMethod)]
        with ConsoleProgress() as progress:
            comparison = compare_segmenters(load_data(data), ways, limit=limit, progress=progress)
            write_text(out / "segmenters.csv", comparison_csv(comparison))
            write_segmenter_sheet(comparison, out / "segmenters.png")
        for line in segmenter_lines(comparison):
            typer.echo(line)
        typer.echo(f"table: {out / 'segmenters.csv'}; figure: {out / 'segmenters.png'}")


@app.command("filters")
def filters(
    data: DataArgument,
    out: OutOption,
    chain: Annotated[
        list[str] | None,
        typer.Option("--chain", help='Filters, e.g. "median(3) | clahe(2.0)"; several; every filter without it.'),
    ] = None,
    limit: LimitOption = 0,
) -> None:
    """Measure contrast, noise and time of filters on a data set."""
    with one_line_errors(), claimed_folder(out):
        from busight.cli.console import ConsoleProgress
        from busight.data.sources.catalogue import load_data
        from busight.errors import ConfigError
        from busight.experiments.bench.filters import compare_filters, comparison_csv
        from busight.io.atomic import write_text
        from busight.preprocess.enhance.chain import FILTERS, parse_chain
        from busight.report.figures.filter_sheet import comparison_lines, write_filter_sheet

        if not all(map(parse_chain, chain or [])):
            raise ConfigError('bench filters: a --chain names no filter; write e.g. --chain "median(3) | clahe(2.0)"')
        with ConsoleProgress() as progress:
            comparison = compare_filters(load_data(data), chain or list(FILTERS), limit=limit, progress=progress)
            write_text(out / "filters.csv", comparison_csv(comparison))
            write_filter_sheet(comparison, out / "filters.png")
        for line in comparison_lines(comparison):
            typer.echo(line)
        typer.echo(f"table: {out / 'filters.csv'}; figure: {out / 'filters.png'}")


@app.command("serve")
def serve_command(
    data: DataArgument = "phantom:1000,size=384",
    users: Annotated[int, typer.Option("--users", min=1, help="Users who read at once.")] = 50,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="How long they read.")] = 60,
    database: Annotated[str, typer.Option("--database", help="An empty database of PostgreSQL [SQLite].")] = "",
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="New file for the figures.")] = None,
) -> None:
    """Measure the web application: images through its queue beside `busight predict`, then users who read at once."""
    with one_line_errors(hint=lambda: "nothing was written"):
        import tempfile

        from busight.cli.console import ConsoleProgress
        from busight.data.sources.catalogue import load_data
        from busight.io.atomic import require_new_file, write_json
        from busight.report.overlay import write_image

        require_extra("serve", "bench serve")
        if json_file is not None:
            require_new_file(json_file)
        from busight.serve.bench import measure_serve

        given = load_data(data)
        with tempfile.TemporaryDirectory(prefix="busight-images-") as folder, ConsoleProgress() as progress:
            progress.stage("images")
            files = []
            for number, sample in enumerate(given.samples):
                files.append(Path(folder) / f"{number:05}.png")
                write_image(files[-1], given.reader.image(sample))
                progress.tick(number + 1, len(given.samples))
            found = measure_serve(files, users, seconds, progress, database)
        if json_file is not None:
            write_json(json_file, found.as_json(), new=True)
        typer.echo(
            f"{found.images} images on {found.database}: uploaded in {found.upload_seconds:.1f} s, answered after "
            f"{found.queue_seconds:.1f} s; busight predict takes {found.predict_seconds:.1f} s, ratio "
            f"{found.throughput:.2f}; {found.failed} failed"
        )
        for page, median, high, count in found.milliseconds:
            typer.echo(f"{page}: median {median:.0f} ms, 95 % below {high:.0f} ms, {count} requests")
        typer.echo(
            f"{found.users} users, a page every {found.think_seconds:g} s each: {found.errors} errors; memory "
            + ", ".join(f"{size:.0f} MB" for size in found.memory_mb)
        )
