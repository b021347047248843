"""``busight predict --format parquet``: an archive, by several workers, into a folder of Parquet parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from busight.errors import ConfigError

if TYPE_CHECKING:
    from busight.model.engines.catalogue import EngineSettings


def write_archive(
    bundle: Path,
    sources: Sequence[str],
    out: str | None,
    *,
    cluster: str,
    workers: int,
    engine: EngineSettings,
    show_rejected: bool,
) -> None:
    """Predict an archive and say on standard error what it holds; exit code 1 where a record has an error."""
    from busight.archive.archive import predict_archive
    from busight.cli.console import ConsoleProgress

    if not out:
        raise ConfigError("--format parquet: a folder or an address receives the parts; name it with --out")
    with ConsoleProgress() as progress:
        counts = predict_archive(
            bundle,
            sources,
            out,
            cluster=cluster,
            workers=workers,
            engine=engine,
            show_rejected=show_rejected,
            progress=progress,
        )
    typer.echo(
        f"busight: {out}: {counts.records} records in {counts.parts} parts, {counts.failures} with an error", err=True
    )
    if counts.failures:
        raise typer.Exit(1)
