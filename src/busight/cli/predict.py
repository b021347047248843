"""``busight predict``: a model on files, folders and DICOM objects, without PyTorch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busight.cli.engine import (
    BATCH,
    EngineOption,
    ModelOption,
    ThreadsOption,
    chosen_model,
    engine_settings,
    load_model,
)
from busight.cli.guard import one_line_errors
from busight.cli.inputs import frames_left, input_address, listed
from busight.io.claim import claimed_folder
from busight.io.text import one_line

if TYPE_CHECKING:
    from busight.data.image_spec import ImageSpec
    from busight.model.model import Model
    from busight.results.record_file import Written
    from busight.types import Failure, InputImage, Prediction, Rejected


class Form(StrEnum):
    """Format of the records."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


def command(
    sources: Annotated[
        list[str],
        typer.Argument(
            parser=input_address,
            metavar="PATHS...",
            help="Image files, DICOM files, folders; for Parquet also manifests (CSV) and addresses (s3://...).",
        ),
    ],
    named_model: ModelOption = None,
    form: Annotated[
        Form | None,
        typer.Option(
            "--format", help="JSON lines [json; csv where --out ends so], CSV, or Parquet in parts for an archive."
        ),
    ] = None,
    out_address: Annotated[
        str | None, typer.Option("--out", help="New file for the records [standard output]; for Parquet a folder.")
    ] = None,
    show_rejected: Annotated[
        bool, typer.Option("--show-rejected", help="Also show what was predicted for images that are rejected.")
    ] = False,
    overlays: Annotated[Path | None, typer.Option("--overlays", help="New folder for images with outlines.")] = None,
    pages: Annotated[
        Path | None, typer.Option("--pages", help="New folder for a page an image, as `busight explain` writes it.")
    ] = None,
    prevalence: Annotated[
        float | None,
        typer.Option("--prevalence", help="With --pages: share of the positive class where the images come from."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the --out of an interrupted call on the same files.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Fill descriptor_prob_positive where it has no weight in the answer.")
    ] = False,
    engine: EngineOption = "auto",
    threads: ThreadsOption = 0,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Images that go through the networks together.")] = BATCH,
    cluster: Annotated[
        str,
        typer.Option("--cluster", help="Parquet by several workers: pool (processes here), ray, or ray://HOST:PORT."),
    ] = "",
    workers: Annotated[
        int, typer.Option("--workers", min=0, help="With Parquet: workers; 0 for one a core, on a cluster one less.")
    ] = 0,
) -> None:
    """Predict class, probabilities and lesion of each image; one record a frame, also for unreadable files."""
    if form is None and out_address is not None and Path(out_address).suffix.lower() == ".csv":
        form = Form.CSV
    if form is Form.PARQUET or (form is None and cluster):
        with one_line_errors(hint=lambda: "the finished parts stay; go on with the same command"):
            from busight.cli.archive import write_archive

            given = {
                "--explain": explain or None,
                "--overlays": overlays,
                "--pages": pages,
                "--prevalence": prevalence,
                "--resume": resume or None,
            }
            _require_absent(given, "not for Parquet, which goes on by itself and draws nothing; leave it away")
            write_archive(
                chosen_model(named_model, [Path(source) for source in sources]),
                sources,
                out_address,
                cluster=cluster,
                workers=workers,
                engine=engine_settings(engine, threads, batch),
                show_rejected=show_rejected,
            )
        return
    paths, out = [Path(source) for source in sources], None if out_address is None else Path(out_address)

    def what_is_left() -> str:
        kept = out is not None and unfinished_file(out).is_file()
        return f"the records so far are in {unfinished_file(out)}; go on with --resume" if out and kept else ""

    from busight.results.record_file import Written, files_digest, record_file, unfinished_file

    with one_line_errors(hint=what_is_left), ExitStack() as stack:
        from busight.cli.console import ConsoleProgress
        from busight.model.stream import predict_stream
        from busight.report.text.numbers import counted
        from busight.results.prediction_record import csv_header

        _require_absent({"--cluster": cluster or None, "--workers": workers or None}, "for --format parquet alone")
        _check_places(out, overlays, pages, resume)
        for place in (overlays, pages):
            if place is not None:
                stack.enter_context(claimed_folder(place, resume))
        folder = chosen_model(named_model, paths)
        files = listed(paths)
        model = load_model(folder, engine, threads, batch, len(files))
        if prevalence is not None:
            _check_prevalence(prevalence, pages, model)
        draw = _drawing(model, overlays, pages, prevalence, show_rejected)
        header = csv_header(model.labels) if form is Form.CSV else None
        before, file, n_written = Written(), None, 0
        failures: list[Failure] = []
        if out is not None:
            plan = {
                **{"bundle": model.card.digest, "files": files_digest(files), "format": (form or Form.JSON).value},
                **{
                    "show_rejected": show_rejected,
                    "explain": explain,
                    "engine": engine,
                    "overlays": overlays is not None,
                    "pages": pages is not None,
                },
            }
            file = stack.enter_context(record_file(out, plan, header, resume))
            before = file.before
        # On a terminal the records themselves show the progress.
        with ConsoleProgress() as progress:
            tick = progress.tick if out is not None or not sys.stdout.isatty() else _no_tick
            inputs = _inputs(paths, files, model.preprocess.image, tick, before)
            answers = predict_stream(model, inputs, batch, explain=explain or pages is not None)
            lines = _lines(model, answers, form, draw, failures, show_rejected, before.records)
            if file is not None:
                n_written = file.write(lines)
            else:
                for line in (*([] if header is None else [header]), *lines):
                    typer.echo(line)
        n_failed = len(failures) + before.failures
    if out is not None:
        failed = f", {n_failed} of them without an answer" if n_failed else ""
        images = counted(before.records + n_written, "image")
        typer.echo(f"predicted: {images} by {model.card.name}{failed}; {one_line(str(out))}")
    if n_failed:  # only now: the records have got their name
        raise typer.Exit(1)


def _require_absent(options: Mapping[str, object], reason: str) -> None:
    from busight.errors import ConfigError

    for name, value in options.items():
        if value is not None:
            raise ConfigError(f"{name}: {reason}")


def _check_places(out: Path | None, overlays: Path | None, pages: Path | None, resume: bool) -> None:
    from busight.errors import ConfigError, OutputError

    if resume and out is None:
        raise ConfigError("--resume: goes on with the file of --out; name it")
    for folder in (overlays, pages):
        if folder is not None and out is not None and out.absolute() in (folder.absolute(), *folder.absolute().parents):
            raise OutputError(f"{out}: the records and the images want the same place; give them two names")


def _lines(
    model: Model,
    answers: Iterator[Prediction | Rejected | Failure],
    form: Form | None,
    draw: Callable[[Prediction | Rejected, int], None],
    failures: list[Failure],
    show_rejected: bool,
    n_before: int,
) -> Iterator[str]:
    from busight.results import prediction_record as records
    from busight.types import Failure, Rejected

    as_line = records.csv_line if form is Form.CSV else records.json_line
    for number, answer in enumerate(answers, start=n_before + 1):
        if isinstance(answer, Failure):
            failures.append(answer)
            typer.echo(f"busight: {one_line(answer.reason)}", err=True)
        else:
            if isinstance(answer, Rejected) and not show_rejected:
                typer.echo(f"busight: {one_line(answer.ref.path)}: rejected: {answer.reason}", err=True)
            draw(answer, number)
        yield as_line(records.record_of(answer, model.card, show_rejected))


def _check_prevalence(prevalence: float, pages: Path | None, model: Model) -> None:
    from busight.errors import DataError
    from busight.model.explain.explained import measured_prevalence

    measured_prevalence(model.card, prevalence)
    if pages is None:
        raise DataError("--prevalence: speaks on the pages of --pages alone; name a folder for them")


def _drawing(
    model: Model, overlays: Path | None, pages: Path | None, prevalence: float | None, show_rejected: bool
) -> Callable[[Prediction | Rejected, int], None]:
    """Return the function that draws a prediction, given its running number, in every requested form."""
    from busight.report.overlay import image_file_name, write_overlay
    from busight.types import Rejected

    def draw(answer: Prediction | Rejected, number: int) -> None:
        if overlays is not None and (show_rejected or not isinstance(answer, Rejected)):
            write_overlay(answer, overlays, number)
        if pages is not None:
            from busight.model.explain.explained import explained
            from busight.report.pages.case import write_explanation

            name = Path(image_file_name(answer.ref.path, answer.ref.frame, number)).stem
            write_explanation(explained(model, answer, prevalence), pages / name, show_rejected)

    return draw


def _no_tick(done: int, total: int) -> None:
    """Show nothing."""


def _inputs(
    paths: list[Path], files: list[Path], spec: ImageSpec, tick: Callable[[int, int], None], before: Written
) -> Iterator[InputImage | Failure]:
    from busight.types import Failure, ImageRef

    if not files:
        reason = f"{paths[0]}: no image or DICOM file in it; name files or another folder"
        yield Failure(ImageRef(str(paths[0])), reason)
    yield from frames_left(files, before, tick, spec)
