"""``busight segment``: lesion outlines on images."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from busight.cli.engine import ModelOption, chosen_model
from busight.cli.guard import one_line_errors
from busight.cli.inputs import PathsArgument, frames_left, listed
from busight.errors import OutputError
from busight.io.claim import claimed_folder
from busight.io.text import one_line

if TYPE_CHECKING:
    from busight.model.segmenters import Prompt, Segmenter
    from busight.results.record_file import Written
    from busight.types import Failure, InputImage

TABLE = "lesions.csv"
MASKS, OUTLINES, UNCERTAINTY = "masks", "outlines", "uncertainty"
"""Folders of the images."""


def command(
    paths: PathsArgument,
    out: Annotated[Path, typer.Option("--out", help="New folder for masks, outlines and the table.")],
    method: Annotated[
        str, typer.Option("--method", help="Instead of a model one without training, e.g. geodesic.")
    ] = "",
    model: ModelOption = None,
    chain: Annotated[str, typer.Option("--chain", help="Filters before a --method; a model brings its own.")] = "",
    box: Annotated[
        str | None, typer.Option("--box", metavar="X,Y,W,H", help="Around the lesion, for a --method.")
    ] = None,
    click: Annotated[str | None, typer.Option("--click", metavar="X,Y", help="On the lesion, for a --method.")] = None,
    uncertainty: Annotated[
        bool,
        typer.Option("--uncertainty", help="Of a --model, write maps too: white where a pixel may be either."),
    ] = False,
    fallback_to_proposal: Annotated[
        bool,
        typer.Option(
            "--fallback-to-proposal",
            help="Of a --model: where its mask is empty or unsure, take the proposal.",
        ),
    ] = False,
    show_rejected: Annotated[
        bool, typer.Option("--show-rejected", help="Of a --model: also outline images that it rejects.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the --out of an interrupted call on the same files.")
    ] = False,
) -> None:
    """Outline lesions: masks, images with outlines and a table of lesions."""
    from busight.results.record_file import unfinished_file

    unfinished = unfinished_file(out / TABLE)

    def what_is_left() -> str:
        is_begun = unfinished.is_file()
        return f"what is done so far is in {out}; go on with --resume" if is_begun else "nothing was written yet"

    with one_line_errors(hint=what_is_left), ExitStack() as stack:
        if unfinished.is_file() and not resume:
            raise OutputError(f"{unfinished}: left by an interrupted call; go on with --resume, or remove {out}")
        stack.enter_context(claimed_folder(out, resume))
        from busight.errors import ConfigError
        from busight.model.segmenters import FallbackToProposal, ModelSegmenter

        if method and model is not None:
            raise ConfigError("segment: give a --method or a --model, not both")
        if method and uncertainty:
            raise ConfigError("segment: --uncertainty needs the probabilities of a --model; a --method has none")
        if method and fallback_to_proposal:
            raise ConfigError("segment: --fallback-to-proposal is for a --model; a --method always makes a proposal")
        if method and show_rejected:
            raise ConfigError("segment: --show-rejected is for a --model; a --method rejects nothing")
        prompt = _prompt(box, click)
        (segmenter,) = chosen_segmenters(
            [method] if method else [], [] if method else [chosen_model(model, paths)], chain, prompt
        )
        plan = {
            **{"method": method, "chain": chain, "box": box, "click": click},
            **{"uncertainty": uncertainty, "fallback_to_proposal": fallback_to_proposal},
            "show_rejected": show_rejected,
            "bundle": segmenter.model.card.digest if isinstance(segmenter, ModelSegmenter) else None,
        }
        segmenter = FallbackToProposal(segmenter) if fallback_to_proposal else segmenter
        _segment(paths, segmenter, _Drawing(out, uncertainty, show_rejected), plan, resume)


def chosen_segmenters(methods: list[str], models: list[Path], chain: str, prompt: Prompt | None) -> list[Segmenter]:
    """Return the segmenters that options name.

    Args:
        methods: Without training, by name.
        models: Bundles or runs.
        chain: Filters before each method.
        prompt: For each method.

    Raises:
        BusightError: One line that names what is wrong.
    """
    import difflib

    from busight.errors import ConfigError
    from busight.model.segmenters import ClassicalMethod, model_segmenter
    from busight.preprocess.pipeline import parse_preprocess
    from busight.segment.classical.catalogue import METHODS

    preprocess = parse_preprocess(chain)
    known = {str(name): name for name in METHODS}
    for name in methods:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(f"--method {name!r}: no method without training; {hint}known: {', '.join(known)}")
    if models and not methods and (prompt is not None or chain):
        raise ConfigError("--box, --click and --chain are for a --method; a model brings its own filters")
    once = dict.fromkeys(methods)  # a method named twice is one row
    return [*(ClassicalMethod(known[name], preprocess, prompt) for name in once), *map(model_segmenter, models)]


def _prompt(box: str | None, click: str | None) -> Prompt | None:
    from busight.errors import ConfigError
    from busight.model.segmenters import Prompt
    from busight.types import Roi

    if box is not None and click is not None:
        raise ConfigError("segment: give --box or --click, not both")
    if box is not None:
        left, top, width, height = _numbers("--box", box, 4, "x,y,w,h, e.g. 120,80,60,40")
        if min(left, top) < 0 or min(width, height) < 1:
            raise ConfigError(f"segment: --box {box}: x and y are 0 or more, w and h 1 or more")
        return Prompt(box=Roi(top, left, top + height, left + width))
    if click is not None:
        column, row = _numbers("--click", click, 2, "x,y, e.g. 150,100")
        if min(column, row) < 0:
            raise ConfigError(f"segment: --click {click}: x and y are 0 or more")
        return Prompt(click=(row, column))
    return None


def _numbers(option: str, text: str, count: int, form: str) -> list[int]:
    from busight.errors import ConfigError

    parts = text.split(",")
    try:
        numbers = [int(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise ConfigError(f"segment: {option} {text!r} is not of the form {form}, whole pixels")
    return numbers


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Where and what is drawn."""

    out: Path
    uncertainty: bool
    show_rejected: bool


def _segment(paths: list[Path], segmenter: Segmenter, drawing: _Drawing, plan: dict[str, Any], resume: bool) -> None:
    from busight.cli.console import ConsoleProgress
    from busight.errors import ConfigError
    from busight.model.lesion_table import COLUMNS
    from busight.report.text.numbers import counted
    from busight.results.record_file import files_digest, record_file, unfinished_file

    files, out = listed(paths), drawing.out
    if not files:
        raise ConfigError(f"{paths[0]}: no image or DICOM file in it; name files or another folder")
    plan |= {"files": files_digest(files)}
    try:
        with record_file(out / TABLE, plan, ",".join(COLUMNS), resume) as records, ConsoleProgress() as progress:
            records.write(_records(files, segmenter, drawing, records.before, progress.tick))
    except BaseException:
        if not unfinished_file(out / TABLE).exists() and not resume:  # no record: its images are of no use
            for folder in (MASKS, OUTLINES, UNCERTAINTY):
                shutil.rmtree(out / folder, ignore_errors=True)
        raise
    done, with_lesion, rejected, failed = _counts(out / TABLE)
    if rejected:
        typer.echo(f"rejected: {counted(rejected, 'image')}, unlike what the model was trained on; see the table")
    if done:
        name = one_line(segmenter.name)
        typer.echo(f"segmented: a lesion in {with_lesion} of {done} images by {name}; {out / OUTLINES}")
        typer.echo(f"masks: {out / MASKS}")
    typer.echo(f"table: {out / TABLE}")
    if failed:
        raise typer.Exit(1)


def _records(
    files: list[Path],
    segmenter: Segmenter,
    drawing: _Drawing,
    before: Written,
    tick: Callable[[int, int], None],
) -> Iterator[str]:
    """Yield the lines of the table of each frame that has none yet, after its images were written."""
    from busight.model.lesion_table import lesion_lines

    for number, frame in enumerate(frames_left(files, before, tick), start=before.records + 1):
        yield lesion_lines(_frame(frame, segmenter, drawing, number)).removesuffix("\n")


def _counts(table: Path) -> tuple[int, int, int, int]:
    """Return how many images were outlined, how many with a lesion, how many are rejected, and how many failed."""
    from busight.io.csv_text import csv_rows

    header, *rows = csv_rows(table.read_text(encoding="utf-8"))
    cells = [dict(zip(header, row, strict=True)) for row in rows]
    images = {row["image_file"] for row in cells if row["image_file"]}
    rejected = {(row["path"], row["frame"]) for row in cells if row["rejected"]}
    with_lesion = {row["image_file"] for row in cells if row["lesion"] not in ("", "0")}
    return len(images), len(with_lesion), len(rejected), sum(bool(row["error"]) for row in cells)


def _frame(
    frame: InputImage | Failure, segmenter: Segmenter, drawing: _Drawing, number: int
) -> list[dict[str, object]]:
    """Segment one frame, write its images and return its rows; one with the reason where it failed or is rejected."""
    from dataclasses import replace

    import numpy as np

    from busight.data.stored_grid import on_stored_grid, stored_spacing_mm
    from busight.errors import DataError, InferenceError
    from busight.model.lesion_table import error_row, lesion_rows, lesions_of, rejected_row
    from busight.model.segmenters import ClassicalMethod
    from busight.report.overlay import image_file_name, with_outline, write_image
    from busight.segment.postprocess import entropy
    from busight.types import Failure

    if isinstance(frame, Failure):
        typer.echo(f"busight: {one_line(frame.reason)}", err=True)
        return [error_row(frame.ref.path, frame.ref.frame, frame.reason)]
    if isinstance(segmenter, ClassicalMethod) and segmenter.prompt is not None:
        # A prompt is in pixels of the file's frame; of a DICOM object only the ultrasound region was read, with square
        # pixels.
        segmenter = replace(segmenter, prompt=segmenter.prompt.moved(frame.ref.origin, frame.ref.scale))
    try:
        segmentation = segmenter.segment(frame)
    except InferenceError as error:
        typer.echo(f"busight: {one_line(str(error))}", err=True)
        return [error_row(frame.ref.path, frame.ref.frame, str(error))]
    except DataError as error:  # a box or click outside this image
        typer.echo(f"busight: {one_line(f'{frame.ref.path}: {error}')}", err=True)
        return [error_row(frame.ref.path, frame.ref.frame, str(error))]
    rejected = segmentation.rejected
    if rejected is not None and not drawing.show_rejected:
        typer.echo(f"busight: {one_line(frame.ref.path)}: rejected: {rejected}", err=True)
        return [rejected_row(frame.ref.path, frame.ref.frame, rejected)]
    name, out = image_file_name(frame.ref.path, frame.ref.frame, number), drawing.out
    words = f"{segmenter.name}: {segmentation.mask.mean():.1%} outlined - research use only"
    mask = on_stored_grid(segmentation.mask, frame.ref)
    probs = None if segmentation.probs is None else on_stored_grid(segmentation.probs, frame.ref)
    write_image(out / MASKS / name, mask.astype(np.uint8) * 255)
    write_image(out / OUTLINES / name, with_outline(frame.pixels, segmentation.mask, words))
    if drawing.uncertainty and probs is not None:
        write_image(out / UNCERTAINTY / name, (entropy(probs) * 255).round().astype(np.uint8))
    lesions = lesions_of(mask, probs, frame.ref.origin)
    rows = lesion_rows(frame.ref.path, frame.ref.frame, name, lesions, stored_spacing_mm(frame.ref))
    return [row | {"rejected": rejected or ""} for row in rows]
