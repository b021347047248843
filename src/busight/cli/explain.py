"""``busight explain``: the explanation of one prediction, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.engine import ModelOption, chosen_model
from busight.cli.guard import one_line_errors
from busight.cli.outputs import folder_of_now
from busight.io.claim import claimed_folder
from busight.io.text import one_line


def command(
    image: Annotated[Path, typer.Argument(help="An image or DICOM file.")],
    named_model: ModelOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="New folder for the page [runs/explain-TIME].")] = None,
    frame: Annotated[int, typer.Option("--frame", min=0, help="Which frame of a file with several.")] = 0,
    prevalence: Annotated[
        float | None,
        typer.Option("--prevalence", help="Share of the positive class where the image comes from, e.g. 0.005."),
    ] = None,
    training_data: Annotated[
        str | None,
        typer.Option("--training-data", help="Where the training images are, e.g. busi:PATH: shows those alike."),
    ] = None,
    show_rejected: Annotated[
        bool, typer.Option("--show-rejected", help="Also show what was predicted for an image that is rejected.")
    ] = False,
) -> None:
    """Explain one prediction: probabilities, set, activation map, BI-RADS descriptors, similar cases, warnings."""
    folder = out or folder_of_now("explain")
    with one_line_errors(), claimed_folder(folder):
        from busight.data.readers.inputs import read_frames
        from busight.data.sources.catalogue import load_data
        from busight.errors import DataError
        from busight.metrics.prevalence import check_prevalence
        from busight.model.explain.explained import explained, with_images
        from busight.model.model import Model
        from busight.report.pages.case import write_explanation
        from busight.types import Failure, Rejected

        if prevalence is not None:
            check_prevalence(prevalence)
        known = None if training_data is None else load_data(training_data)
        model = Model.load(chosen_model(named_model, [image]))
        frames = 0
        for frames, chosen in enumerate(read_frames(image, model.preprocess.image), start=1):  # noqa: B007, its last value is told
            if isinstance(chosen, Failure):
                raise DataError(chosen.reason)
            if chosen.ref.frame == frame:
                break
        else:
            raise DataError(f"{image}: has no frame {frame}; it has {frames}, counted from 0")
        (answer,) = model.predict([chosen], explain=True)
        explanation = explained(model, answer, prevalence)
        if known is not None:
            if not explanation.similar:
                raise DataError(f"--training-data {training_data}: the bundle keeps no features to compare images by")
            explanation = with_images(
                explanation,
                {sample.sample_id: sample for sample in known.samples},
                known.reader,
                set(model.card.training.digests),
            )
            if not any(case.image is not None for case in explanation.similar):
                raise DataError(
                    f"--training-data {training_data}: holds none of the training images that look alike, such as "
                    f"{explanation.similar[0].sample_id}; name the data that the bundle was trained on"
                )
        page = write_explanation(explanation, folder, show_rejected)
        if isinstance(answer, Rejected) and not show_rejected:
            typer.echo(f"rejected: the image is {answer.reason}")
        else:
            prediction = explanation.prediction
            value = prediction.calibrated_probs[prediction.classes.index(prediction.label)]
            typer.echo(f"{prediction.label} {value:.2f} (research use only)")
            for warning in prediction.warnings:
                typer.echo(f"warning: {one_line(warning)}")
        typer.echo(f"page: {page}; PDF: {page.with_suffix('.pdf')}")
