"""``busight explain``: everything that a bundle can say about one image, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.guard import one_line, one_line_errors


def command(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the folder of a run.")],
    image: Annotated[Path, typer.Argument(help="A picture or DICOM file.")],
    out: Annotated[Path | None, typer.Option("--out", help="New folder for the page [runs/explain-TIME].")] = None,
    frame: Annotated[int, typer.Option("--frame", min=0, help="Which frame of a file with several.")] = 0,
    prevalence: Annotated[
        float | None,
        typer.Option(
            "--prevalence", help="Share of the last class (malignant) where the image comes from, e.g. 0.005."
        ),
    ] = None,
    training_data: Annotated[
        str | None,
        typer.Option("--training-data", help="Where the training images are, e.g. busi:PATH: shows those alike."),
    ] = None,
    show_refused: Annotated[
        bool, typer.Option("--show-refused", help="Also show what was predicted for an image that is refused.")
    ] = False,
) -> None:
    """Explain one prediction: probabilities, set, activation, BI-RADS words, second reader, similar cases, cautions."""
    from datetime import datetime

    folder = out or Path("runs") / f"explain-{datetime.now():%Y%m%d-%H%M%S}"
    with one_line_errors():
        from busight.data.image_spec import ImageSpec
        from busight.data.readers.inputs import read_frames
        from busight.data.sources.catalogue import load
        from busight.errors import DataError
        from busight.io.atomic import require_free_folder
        from busight.metrics.prevalence import check_prevalence
        from busight.model.bundle.load import load_bundle
        from busight.model.explain.explained import explained, with_pictures
        from busight.model.opening import open_predictor
        from busight.report.pages.case import write_explanation
        from busight.types import Failure

        require_free_folder(folder)
        if prevalence is not None:
            check_prevalence(prevalence)
        known = None if training_data is None else load(training_data)
        predictor = open_predictor(load_bundle(bundle))
        frames = 0
        for frames, chosen in enumerate(read_frames(image, ImageSpec()), start=1):  # noqa: B007, its last value is told
            if isinstance(chosen, Failure):
                raise DataError(chosen.reason)
            if chosen.ref.frame == frame:
                break
        else:
            raise DataError(f"{image}: has no frame {frame}; it has {frames}")
        ref = chosen.ref
        found = predictor.predict(chosen.pixels, ref.path, ref.frame, ref.pixel_spacing_mm)
        told = explained(predictor, found, prevalence)
        if known is not None:
            if not told.similar:
                raise DataError(f"--training-data {training_data}: the bundle keeps no features to compare images by")
            told = with_pictures(told, {sample.sample_id: sample for sample in known.samples}, known.reader)
            if not any(one.image is not None for one in told.similar):
                raise DataError(
                    f"--training-data {training_data}: holds none of the training images that look alike, such as "
                    f"{told.similar[0].sample_id}; name the data that the bundle was trained on"
                )
        page = write_explanation(told, folder, show_refused)
        if found.refused and not show_refused:
            typer.echo(f"not answered: the image is {found.refused}")
        else:
            value = found.calibrated_probs[found.classes.index(found.finding)]
            typer.echo(f"{found.finding} {value:.2f} (research use only)")
            for word in found.cautions:
                typer.echo(f"caution: {one_line(word)}")
        typer.echo(f"page: {page}; PDF: {page.with_suffix('.pdf')}")
