"""``busight segment``: lesion outlines on pictures, and ways to outline compared on a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busight.cli.guard import one_line, one_line_errors
from busight.cli.pictures import listed

if TYPE_CHECKING:
    from busight.model.segmenters import Prompt, Segmenter
    from busight.types import Failure, InputImage


def command(
    paths: Annotated[list[Path] | None, typer.Argument(help="Pictures, DICOM files, folders.")] = None,
    method: Annotated[
        list[str] | None,
        typer.Option("--method", help="One without training, e.g. geodesic; with --compare several, or all."),
    ] = None,
    model: Annotated[
        list[Path] | None, typer.Option("--model", help="A bundle or run that draws masks; repeat with --compare.")
    ] = None,
    crossval: Annotated[
        list[Path] | None, typer.Option("--crossval", help="With --compare: its networks, each on its test fold.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="New folder for masks, outlines and tables.")] = None,
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
            help="Of a network: where its mask is empty or unsure, take the proposal.",
        ),
    ] = False,
    compare: Annotated[
        str, typer.Option("--compare", metavar="SPEC", help="Compare ways on a data set with masks instead.")
    ] = "",
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="With --compare: images, chosen at random; 0 = all.")
    ] = 0,
) -> None:
    """Outline lesions: masks, pictures with outlines and a table of lesions; or compare ways to do it."""
    with one_line_errors():
        from busight.errors import ConfigError
        from busight.io.atomic import require_free_folder

        if bool(compare) == bool(paths):
            raise ConfigError("segment: name pictures, or a data set with --compare SPEC")
        if out is None:
            raise ConfigError("segment: --out FOLDER is needed")
        if compare and (box is not None or click is not None or uncertainty):
            raise ConfigError("segment: --box, --click and --uncertainty are for pictures, not for --compare")
        if crossval and not compare:
            raise ConfigError("segment: --crossval is for --compare; name one of its bundles with --model")
        if limit and not compare:
            raise ConfigError("segment: --limit is for --compare; name fewer pictures")
        if uncertainty and method:
            raise ConfigError("segment: --uncertainty needs the probabilities of a --model; a --method has none")
        if fallback_to_proposal and not (model or crossval):
            raise ConfigError(
                "segment: --fallback-to-proposal is for a --model or --crossval; a --method always makes a proposal"
            )
        prompt = _prompt(box, click)
        require_free_folder(out)
        if compare:
            named = method or ([] if model or crossval else ["all"])
            ways = _segmenters(_all_methods() if named == ["all"] else named, model or [], chain, None)
            _compare(compare, ways, crossval or [], out, limit, fallback_to_proposal)
        else:
            from busight.model.segmenters import FallbackToProposal

            chosen = _segmenters(method or [], model or [], chain, prompt)
            if len(chosen) != 1:
                raise ConfigError("segment: give one --method NAME or one --model BUNDLE")
            _segment(
                paths or [], FallbackToProposal(chosen[0]) if fallback_to_proposal else chosen[0], out, uncertainty
            )


def _segmenters(methods: list[str], models: list[Path], chain: str, prompt: Prompt | None) -> list[Segmenter]:
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
            raise ConfigError(f"segment: no method {name!r} without training; {hint}known: {', '.join(known)}")
    if models and not methods and (prompt is not None or chain):
        raise ConfigError("segment: --box, --click and --chain are for a --method; a model needs none")
    once = dict.fromkeys(methods)  # a method named twice is one row
    return [*(ClassicalMethod(known[name], preprocess, prompt) for name in once), *map(model_segmenter, models)]


def _all_methods() -> list[str]:
    from busight.segment.classical.catalogue import METHODS

    return list(METHODS)


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


def _segment(paths: list[Path], segmenter: Segmenter, out: Path, uncertainty: bool) -> None:
    from busight.cli.console import ConsoleProgress
    from busight.data.readers.inputs import read_frames
    from busight.errors import ConfigError
    from busight.io.atomic import written_beside
    from busight.model.lesion_table import COLUMNS, lesion_lines

    files = listed(paths)
    if not files:
        raise ConfigError(f"{paths[0]}: no picture or DICOM file in it; name files or another folder")
    done, with_lesion, failed = 0, 0, 0
    with (
        ConsoleProgress() as progress,
        written_beside(out / "lesions.csv", out / "lesions.interrupted.csv") as beside,
        beside.open("w", encoding="utf-8", errors="backslashreplace") as table,
    ):
        table.write(",".join(COLUMNS) + "\n")
        for number, path in enumerate(files, start=1):
            for frame in read_frames(path):
                rows, found = _frame(frame, segmenter, out, done + 1, uncertainty)
                done += found is not None
                failed += found is None
                with_lesion += bool(found)
                table.write(lesion_lines(rows))
            progress.tick(number, len(files))
    if done:
        name = one_line(segmenter.name)
        typer.echo(f"outlined: a lesion in {with_lesion} of {done} pictures by {name}; {out / 'outlines'}")
        typer.echo(f"masks: {out / 'masks'}")
    typer.echo(f"table: {out / 'lesions.csv'}")
    if failed:
        raise typer.Exit(1)


def _frame(
    frame: InputImage | Failure, segmenter: Segmenter, out: Path, number: int, uncertainty: bool
) -> tuple[list[dict[str, object]], int | None]:
    """Outline one frame and write its pictures; return its rows and the number of lesions, None where it failed."""
    from dataclasses import replace

    import numpy as np

    from busight.errors import DataError
    from busight.model.lesion_table import error_row, lesion_rows, lesions_of
    from busight.model.segmenters import ClassicalMethod
    from busight.report.overlay import image_file_name, with_outline, write_image
    from busight.segment.postprocess import entropy
    from busight.types import Failure

    if isinstance(frame, Failure):
        typer.echo(f"busight: {one_line(frame.reason)}", err=True)
        return [error_row(frame.ref.path, frame.ref.frame, frame.reason)], None
    if isinstance(segmenter, ClassicalMethod) and segmenter.prompt is not None:
        # A person points at the file's frame; of a DICOM object only the ultrasound region was read.
        segmenter = replace(segmenter, prompt=segmenter.prompt.moved(frame.ref.origin))
    try:
        found = segmenter.segment(frame.pixels, "")
    except DataError as error:  # a box or click that lies outside this picture
        typer.echo(f"busight: {one_line(f'{frame.ref.path}: {error}')}", err=True)
        return [error_row(frame.ref.path, frame.ref.frame, str(error))], None
    name = image_file_name(frame.ref.path, frame.ref.frame, number)
    words = f"{segmenter.name}: {found.mask.mean():.1%} outlined - research use only"
    write_image(out / "masks" / name, found.mask.astype(np.uint8) * 255)
    write_image(out / "outlines" / name, with_outline(frame.pixels, found.mask, words))
    if uncertainty and found.probs is not None:
        write_image(out / "uncertainty" / name, (entropy(found.probs) * 255).round().astype(np.uint8))
    lesions = lesions_of(found.mask, found.probs, frame.ref.origin)
    return lesion_rows(frame.ref.path, frame.ref.frame, name, lesions, frame.ref.pixel_spacing_mm), len(lesions)


def _compare(
    spec: str, segmenters: list[Segmenter], crossvals: list[Path], out: Path, limit: int, fallback: bool
) -> None:
    from busight.cli.console import ConsoleProgress
    from busight.data.sources.catalogue import load
    from busight.experiments.bench.segmenters import CrossvalSegmenter, compare_methods, comparison_csv
    from busight.io.atomic import write_text
    from busight.model.segmenters import ClassicalMethod, FallbackToProposal
    from busight.report.figures.segmenter_sheet import method_lines, write_method_sheet

    ways = [*segmenters, *(CrossvalSegmenter(folder) for folder in crossvals)]
    if fallback:
        # Beside the networks as they are: the table shows what the proposal is worth.
        ways += [FallbackToProposal(way) for way in ways if not isinstance(way, ClassicalMethod)]
    with ConsoleProgress() as progress:
        found = compare_methods(load(spec), ways, limit=limit, progress=progress)
        write_text(out / "methods.csv", comparison_csv(found))
        write_method_sheet(found, out / "methods.png")
    for line in method_lines(found):
        typer.echo(line)
    typer.echo(f"table: {out / 'methods.csv'}; picture: {out / 'methods.png'}")
