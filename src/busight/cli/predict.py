"""``busight predict``: a bundle on files, folders and DICOM objects, without PyTorch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busight.cli.guard import one_line_errors

if TYPE_CHECKING:
    from busight.predict.predictor import Predictor
    from busight.types import Failure, Prediction


class Form(StrEnum):
    """How records are written."""

    JSON = "json"
    CSV = "csv"


def command(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the folder of a run.")],
    paths: Annotated[list[Path], typer.Argument(help="Pictures, DICOM files, folders.")],
    form: Annotated[Form, typer.Option("--format", help="JSON lines or CSV.")] = Form.JSON,
    out: Annotated[Path | None, typer.Option("--out", help="New file for the records [standard output].")] = None,
    overlays: Annotated[Path | None, typer.Option("--overlays", help="New folder for pictures with outlines.")] = None,
) -> None:
    """Predict finding, probabilities and lesion of each image; one record a frame, also for unreadable files."""
    with one_line_errors():
        from busight.bundle.load import load_bundle
        from busight.errors import OutputError
        from busight.files import claim_output_folder, write_text
        from busight.predict.predictor import open_predictor

        if out is not None and out.exists():
            raise OutputError(f"{out}: exists already and is never overwritten; choose another --out or remove it")
        if overlays is not None:
            claim_output_folder(overlays)
        predictor = open_predictor(load_bundle(bundle))
        failures: list[Failure] = []
        lines = _lines(predictor, paths, form, overlays, failures)
        if out is None:
            for line in lines:
                typer.echo(line)
        else:
            write_text(out, "".join(f"{line}\n" for line in lines))
        if failures:
            raise typer.Exit(1)


def _lines(
    predictor: Predictor, paths: list[Path], form: Form, overlays: Path | None, failures: list[Failure]
) -> Iterator[str]:
    from busight.predict import records
    from busight.types import Failure

    as_line = records.csv_line if form is Form.CSV else records.json_line
    if form is Form.CSV:
        yield records.csv_header(predictor.classes)
    for number, found in enumerate(_found(predictor, paths), start=1):
        if isinstance(found, Failure):
            failures.append(found)
            typer.echo(f"busight: {found.reason}", err=True)
        elif overlays is not None:
            from busight.predict.overlay import write_overlay

            write_overlay(found, overlays, number)
        yield as_line(records.record_of(found, predictor.classes))


def _found(predictor: Predictor, paths: list[Path]) -> Iterator[Prediction | Failure]:
    from dataclasses import replace

    from busight.predict.inputs import list_files, read_frames
    from busight.types import Failure

    files = list_files(paths)
    if not files:
        yield Failure(str(paths[0]), f"{paths[0]}: no picture or DICOM file in it; name files or another folder")
    for number, path in enumerate(files, start=1):
        if sys.stderr.isatty() and len(files) > 1:
            typer.echo(f"\r{number}/{len(files)}", err=True, nl=number == len(files))
        for frame in read_frames(path):
            if isinstance(frame, Failure):
                yield frame
            else:
                found = predictor.predict(frame.image, frame.path, frame.frame, frame.pixel_spacing_mm)
                yield replace(found, origin=frame.origin)
