"""``busight predict``: a bundle on files, folders and DICOM objects, without PyTorch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busight.cli.guard import one_line, one_line_errors
from busight.cli.pictures import listed

if TYPE_CHECKING:
    from busight.model.model import Predictor
    from busight.types import Failure, Prediction


_ESCAPE = "backslashreplace"
"""How a file name that is not UTF-8 is written; in JSON the escape stands for the very same name."""


class Form(StrEnum):
    """How records are written."""

    JSON = "json"
    CSV = "csv"


def command(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the folder of a run.")],
    paths: Annotated[list[Path], typer.Argument(help="Pictures, DICOM files, folders.")],
    form: Annotated[Form, typer.Option("--format", help="JSON lines or CSV.")] = Form.JSON,
    out: Annotated[Path | None, typer.Option("--out", help="New file for the records [standard output].")] = None,
    show_refused: Annotated[
        bool, typer.Option("--show-refused", help="Also show what was predicted for images that are refused.")
    ] = False,
    overlays: Annotated[Path | None, typer.Option("--overlays", help="New folder for pictures with outlines.")] = None,
    pages: Annotated[
        Path | None, typer.Option("--pages", help="New folder for a page an image, as `busight explain` writes it.")
    ] = None,
    prevalence: Annotated[
        float | None,
        typer.Option(
            "--prevalence", help="With --pages: share of the last class (malignant) where the images come from."
        ),
    ] = None,
) -> None:
    """Predict finding, probabilities and lesion of each image; one record a frame, also for unreadable files."""
    interrupted = out.with_name(f"{out.stem}.interrupted{out.suffix}") if out is not None else None

    def what_is_left() -> str:
        if interrupted is None or not interrupted.is_file():
            return ""
        return f"the records so far are in {interrupted}"

    with one_line_errors(hint=what_is_left):
        from busight.cli.console import ConsoleProgress
        from busight.errors import OutputError
        from busight.io.atomic import require_free_folder, require_new_file, written_beside
        from busight.model.bundle.load import load_bundle
        from busight.model.opening import open_predictor

        for taken in (out, interrupted):
            if taken is not None:
                require_new_file(taken)
        for folder in (overlays, pages):
            if folder is not None:
                require_free_folder(folder)
                if out is not None and out.absolute() in (folder.absolute(), *folder.absolute().parents):
                    raise OutputError(f"{out}: the records and the pictures want the same place; give them two names")
        predictor = open_predictor(load_bundle(bundle))
        if prevalence is not None:
            _check_prevalence(prevalence, pages, predictor)
        draw = _drawing(predictor, overlays, pages, prevalence, show_refused)
        failures: list[Failure] = []
        # On a terminal the records themselves show how far it is.
        with ConsoleProgress() as progress:
            tick = progress.tick if out is not None or not sys.stdout.isatty() else _no_tick
            lines = _lines(predictor, _found(predictor, paths, tick), form, draw, failures, show_refused)
            if out is None:
                for line in lines:
                    typer.echo(line)
            else:
                # Opened before the first prediction: a place that cannot be written is noticed at once.
                with (
                    written_beside(out, interrupted) as beside,
                    beside.open("w", encoding="utf-8", errors=_ESCAPE) as stream,
                ):
                    stream.writelines(f"{line}\n" for line in lines)
        if failures:
            raise typer.Exit(1)


def _lines(
    predictor: Predictor,
    found: Iterator[Prediction | Failure],
    form: Form,
    draw: Callable[[Prediction, int], None],
    failures: list[Failure],
    show_refused: bool,
) -> Iterator[str]:
    from busight.results import prediction_record as records
    from busight.types import Failure

    as_line = records.csv_line if form is Form.CSV else records.json_line
    if form is Form.CSV:
        yield records.csv_header(predictor.classes)
    for number, one in enumerate(found, start=1):
        if isinstance(one, Failure):
            failures.append(one)
            typer.echo(f"busight: {one_line(one.reason)}", err=True)
        else:
            if one.refused and not show_refused:
                typer.echo(f"busight: {one_line(one.path)}: not answered: {one.refused}", err=True)
            draw(one, number)
        yield as_line(records.record_of(one, predictor.classes, show_refused))


def _check_prevalence(prevalence: float, pages: Path | None, predictor: Predictor) -> None:
    from busight.errors import DataError
    from busight.model.explain.explained import measured_prevalence

    measured_prevalence(predictor.card, prevalence)
    if pages is None:
        raise DataError("--prevalence: speaks on the pages of --pages alone; name a folder for them")


def _drawing(
    predictor: Predictor, overlays: Path | None, pages: Path | None, prevalence: float | None, show_refused: bool
) -> Callable[[Prediction, int], None]:
    """Return what draws a prediction, given its running number, in every way that was asked for."""
    from busight.report.overlay import picture_name, write_overlay

    def draw(found: Prediction, number: int) -> None:
        if overlays is not None and (show_refused or not found.refused):
            write_overlay(found, overlays, number)
        if pages is not None:
            from busight.model.explain.explained import explained
            from busight.report.pages.case import write_explanation

            name = Path(picture_name(found.path, found.frame, number)).stem
            write_explanation(explained(predictor, found, prevalence), pages / name, show_refused)

    return draw


def _no_tick(done: int, total: int) -> None:
    """Show nothing."""


def _found(predictor: Predictor, paths: list[Path], tick: Callable[[int, int], None]) -> Iterator[Prediction | Failure]:
    from dataclasses import replace

    from busight.data.image_spec import ImageSpec
    from busight.data.readers.inputs import read_frames
    from busight.types import Failure

    files = listed(paths)
    if not files:
        yield Failure(str(paths[0]), f"{paths[0]}: no picture or DICOM file in it; name files or another folder")
    for number, path in enumerate(files, start=1):
        for frame in read_frames(path, ImageSpec()):
            if isinstance(frame, Failure):
                yield frame
            else:
                ref = frame.ref
                found = predictor.predict(frame.pixels, ref.path, ref.frame, ref.pixel_spacing_mm)
                yield replace(found, origin=ref.origin)
        tick(number, len(files))
