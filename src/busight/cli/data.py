"""``busight data``: list, preview, audit, download and resize data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.extras import has_extra, remedy, require_extra
from busight.cli.guard import command_line, one_line_errors
from busight.cli.outputs import folder_of_now
from busight.io.claim import claimed_folder

app = typer.Typer(
    help="List sources, show, audit or shrink a data set, download one.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list")
def list_sources() -> None:
    """List the data sources, how their specs are written, and what can be downloaded."""
    from busight.data.download import REMOTE
    from busight.data.sources.catalogue import SOURCES

    for entry in SOURCES.values():
        typer.echo(f"{entry.form:<26} {entry.about}")
    for name, archive in REMOTE.items():
        typer.echo(f"busight data download {name:<9} {archive.citation}")


@app.command("preview")
def show(
    spec: Annotated[str, typer.Argument(help="Data spec, e.g. busi:PATH or phantom:24.")],
    out: Annotated[Path, typer.Option("--out", help="New image file: .png, .svg or .pdf.")] = Path("contact-sheet.png"),
    number: Annotated[int, typer.Option("--number", min=1, max=400, help="How many images.")] = 24,
    columns: Annotated[int, typer.Option("--columns", min=1, max=20, help="Images a row.")] = 6,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the choice.")] = 0,
) -> None:
    """Save a contact sheet with mask outlines and labels, and say what the data set holds."""
    with one_line_errors():
        from busight.audit.checked_dataset import check_dataset
        from busight.cli.console import ConsoleProgress
        from busight.data.sources.catalogue import load_data
        from busight.io.atomic import require_new_file
        from busight.report.figures.contact_sheet import contact_sheet, require_image_suffix
        from busight.report.figures.sample_sheet import sheet_images

        require_image_suffix(out)
        require_new_file(out)
        with ConsoleProgress() as progress:
            checked = check_dataset(load_data(spec), progress)
        summary = checked.summary()
        contact_sheet(sheet_images(checked, number, seed), out, columns)
        counts = ", ".join(f"{count} {name}" for name, count in summary.class_counts)
        typer.echo(f"images: {summary.n_images} ({counts}); masks: {summary.n_masks}; groups: {summary.n_groups}")
        typer.echo(
            f"near-duplicate pairs: {summary.near_duplicate_pairs}, across labels: {len(summary.cross_label_pairs)}"
        )
        typer.echo(f"problems: {len(summary.problems)}; digest: {summary.digest[:16]}…")
        typer.echo(f"contact sheet: {out}")


@app.command("sample")
def sample_image(
    out: Annotated[Path, typer.Option("--out", help="New PNG file.")] = Path("sample.png"),
    label: Annotated[str, typer.Option("--label", help="normal, benign or malignant.")] = "malignant",
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Another seed draws another image.")] = 0,
) -> None:
    """Make a simulated ultrasound image to try BUSight on; no patient is in it."""
    with one_line_errors():
        from busight.data.labels import BREAST
        from busight.data.sources.catalogue import load_data
        from busight.errors import ConfigError
        from busight.io.atomic import require_new_file
        from busight.report.overlay import write_image

        if label not in BREAST.names:
            raise ConfigError(f"--label {label!r}: write {', '.join(BREAST.names)}")
        if out.suffix.lower() != ".png":
            raise ConfigError(f"--out {out}: the image is a PNG; let its name end in .png")
        require_new_file(out)
        data = load_data(f"phantom:40,seed={seed},size=512,typical=1")
        chosen = next(sample for sample in data.samples if sample.label == label)
        write_image(out, data.reader.image(chosen))
        typer.echo(f"image: {out}, a simulated case ({label}); no model was trained on it")
        typer.echo(f"next: busight predict {out}")


@app.command("audit")
def audit_data(
    spec: Annotated[str, typer.Argument(help="Data spec, e.g. busi:PATH.")],
    external: Annotated[str, typer.Option("--external", help="Another data set: which images are in both?")] = "",
    crossval: Annotated[
        Path | None, typer.Option("--crossval", help="Folder of busight crossval on this set: likely label errors.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="New folder for audit.json and the page.")] = None,
) -> None:
    """Audit a data set: near-duplicates, conflicting labels, masks, marks, shortcuts, likely label errors."""
    folder = out or folder_of_now("audit")
    with one_line_errors(), claimed_folder(folder):
        # Checked before the data are read: a large set takes minutes.
        require_extra("audit", "busight data audit")
        from busight.cli.console import ConsoleProgress
        from busight.data.sources.catalogue import load_data
        from busight.experiments.audit import AUDIT_FILE, audit, write_audit
        from busight.report.text.audit import audit_lines

        dataset, other = load_data(spec), load_data(external) if external else None
        with ConsoleProgress() as progress:
            record = audit(dataset, external=other, crossval=crossval, command=command_line(), progress=progress)
            write_audit(record, folder)
            if has_extra("report"):
                from busight.report.pages.audit import write_audit_page

                progress.stage("report")
                write_audit_page(record, dataset, folder, other)
        for line in audit_lines(record):
            typer.echo(line)
        if has_extra("report"):
            typer.echo(f"report: {folder / 'report.html'}")
        else:
            typer.echo(f"audit: {folder / AUDIT_FILE}; the report needs {remedy('report')}")


@app.command("resize")
def prepare(
    spec: Annotated[str, typer.Argument(help="Data spec, e.g. busi:PATH.")],
    out: Annotated[Path, typer.Option("--out", help="New folder; use it as --data folder:PATH.")],
    size: Annotated[int, typer.Option("--size", min=32, max=4096, help="Longest side in pixels.")] = 256,
) -> None:
    """Write a small lossless copy of a data set, to be taken to another machine."""
    with one_line_errors(), claimed_folder(out):
        from busight.cli.console import ConsoleProgress
        from busight.data.manifest import build_manifest
        from busight.data.resize import write_shrunk
        from busight.data.sources.catalogue import load_data

        with ConsoleProgress() as progress:
            progress.stage("data")
            manifest = build_manifest(load_data(spec), progress.tick)
            for problem in manifest.dataset.problems:
                progress.line(f"{problem.path}: {problem.text}")
            progress.stage("small copy")
            written = write_shrunk(manifest, out, size, progress.tick)
        typer.echo(f"images: {len(manifest.rows)}, {written / 1e6:.1f} MB, no side longer than {size} pixels")
        typer.echo(f"use:  --data folder:{out}")


@app.command("download")
def get(
    name: Annotated[str, typer.Argument(help="What to download: busi.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to unpack into.")] = Path("data"),
    url: Annotated[str, typer.Option("--url", help="Another address, e.g. a mirror.")] = "",
    sha256: Annotated[str, typer.Option("--sha256", help="Another digest, if the authors' archive has changed.")] = "",
) -> None:
    """Download a data set from its authors' address: resumes, verifies, unpacks."""
    with one_line_errors(hint=lambda: "the same command goes on where it stopped"):
        from busight.cli.console import ConsoleProgress
        from busight.data import download

        with ConsoleProgress() as progress:
            progress.stage(f"download {name} (MiB)")
            folder = download.get(
                name,
                out,
                url=url or None,
                sha256=sha256 or None,
                progress=lambda done, total: progress.tick(done >> 20, (total or done) >> 20),
            )
        archive = download.REMOTE[name]
        typer.echo(f"data: {folder}")
        typer.echo(f"cite: {archive.citation}")
        typer.echo(f"use:  --data {name}:{folder}")
