"""``busight predict``: a bundle on files, folders and DICOM objects, without PyTorch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busight.cli.guard import one_line, one_line_errors
from busight.cli.inputs import PathsArgument, listed, read_frames_aloud

if TYPE_CHECKING:
    from busight.data.image_spec import ImageSpec
    from busight.model.model import Model
    from busight.types import Failure, InputImage, Prediction, Rejected


_ESCAPE = "backslashreplace"
"""How a file name that is not UTF-8 is written; in JSON the escape stands for the same name."""


class Form(StrEnum):
    """Format of the records."""

    JSON = "json"
    CSV = "csv"


def command(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the folder of a run.")],
    paths: PathsArgument,
    form: Annotated[Form, typer.Option("--format", help="JSON lines or CSV.")] = Form.JSON,
    out: Annotated[Path | None, typer.Option("--out", help="New file for the records [standard output].")] = None,
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
    threads: Annotated[int, typer.Option("--threads", min=0, help="Threads of the engine; 0 lets it choose.")] = 0,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Images that go through the networks together.")] = 16,
) -> None:
    """Predict class, probabilities and lesion of each image; one record a frame, also for unreadable files."""
    interrupted = out.with_name(f"{out.stem}.interrupted{out.suffix}") if out is not None else None

    def what_is_left() -> str:
        if interrupted is None or not interrupted.is_file():
            return ""
        return f"the records so far are in {interrupted}"

    with one_line_errors(hint=what_is_left):
        from busight.cli.console import ConsoleProgress
        from busight.errors import OutputError
        from busight.io.atomic import require_free_folder, require_new_file, written_beside
        from busight.model.engines.catalogue import EngineSettings
        from busight.model.model import Model
        from busight.model.stream import predict_stream

        for taken in (out, interrupted):
            if taken is not None:
                require_new_file(taken)
        for folder in (overlays, pages):
            if folder is not None:
                require_free_folder(folder)
                if out is not None and out.absolute() in (folder.absolute(), *folder.absolute().parents):
                    raise OutputError(f"{out}: the records and the images want the same place; give them two names")
        model = Model.load(bundle, EngineSettings(threads=threads, batch=batch))
        if prevalence is not None:
            _check_prevalence(prevalence, pages, model)
        draw = _drawing(model, overlays, pages, prevalence, show_rejected)
        failures: list[Failure] = []
        # On a terminal the records themselves show the progress.
        with ConsoleProgress() as progress:
            tick = progress.tick if out is not None or not sys.stdout.isatty() else _no_tick
            answers = predict_stream(model, _inputs(paths, model.preprocess.image, tick), batch)
            lines = _lines(model, answers, form, draw, failures, show_rejected)
            if out is None:
                for line in lines:
                    typer.echo(line)
            else:
                # Opened before the first prediction: a file that cannot be written raises at once.
                with (
                    written_beside(out, interrupted) as beside,
                    beside.open("w", encoding="utf-8", errors=_ESCAPE) as stream,
                ):
                    stream.writelines(f"{line}\n" for line in lines)
        if failures:
            raise typer.Exit(1)


def _lines(
    model: Model,
    answers: Iterator[Prediction | Rejected | Failure],
    form: Form,
    draw: Callable[[Prediction | Rejected, int], None],
    failures: list[Failure],
    show_rejected: bool,
) -> Iterator[str]:
    from busight.results import prediction_record as records
    from busight.types import Failure, Rejected

    as_line = records.csv_line if form is Form.CSV else records.json_line
    if form is Form.CSV:
        yield records.csv_header(model.labels)
    for number, answer in enumerate(answers, start=1):
        if isinstance(answer, Failure):
            failures.append(answer)
            typer.echo(f"busight: {one_line(answer.reason)}", err=True)
        else:
            if isinstance(answer, Rejected) and not show_rejected:
                typer.echo(f"busight: {one_line(answer.ref.path)}: not answered: {answer.reason}", err=True)
            draw(answer, number)
        yield as_line(records.record_of(answer, model.labels, show_rejected))


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
    from busight.types import Rejected, prediction_of

    def draw(answer: Prediction | Rejected, number: int) -> None:
        if overlays is not None and (show_rejected or not isinstance(answer, Rejected)):
            write_overlay(prediction_of(answer), overlays, number)
        if pages is not None:
            from busight.model.explain.explained import explained
            from busight.report.pages.case import write_explanation

            name = Path(image_file_name(answer.ref.path, answer.ref.frame, number)).stem
            write_explanation(explained(model, answer, prevalence), pages / name, show_rejected)

    return draw


def _no_tick(done: int, total: int) -> None:
    """Show nothing."""


def _inputs(paths: list[Path], spec: ImageSpec, tick: Callable[[int, int], None]) -> Iterator[InputImage | Failure]:
    from busight.types import Failure, ImageRef

    files = listed(paths)
    if not files:
        reason = f"{paths[0]}: no image or DICOM file in it; name files or another folder"
        yield Failure(ImageRef(str(paths[0])), reason)
    for number, path in enumerate(files, start=1):
        yield from read_frames_aloud(path, spec)
        tick(number, len(files))
