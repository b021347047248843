"""The one direction of imports, and what must stay free of PyTorch."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import busight

PACKAGE = Path(busight.__file__).parent

LAYERS = (
    {"errors", "types", "io", "_version"},
    {"simulate", "metrics"},
    {"data"},
    {"audit", "preprocess"},
    {"segment", "descriptors"},
    {"classify", "decision"},
    {"strategies"},
    {"model"},
    {"results"},
    {"training", "recipes", "archive"},
    {"experiments"},
    {"report"},
    {"serve", "client"},
    {"cli"},
)
"""Rooms from left to right: each imports only rooms of its own layer and of those before it."""

LAYER_OF = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}
ROOMS = sorted({path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")})
# The front doors lead into every room: the public names of the package, and ``python -m busight``.
FRONT_DOORS = {"__init__", "__main__"}


def imports() -> Iterator[tuple[str, str, str]]:
    """Yield (file, its room, room that it imports) for every import statement, those inside functions included."""
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        room = relative.parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for module in _modules(node):
                name, _, rest = module.partition(".")
                if name == "busight" and rest:
                    yield relative.as_posix(), room, rest.split(".")[0]


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are written in full"
        names = [alias.name for alias in node.names]
        return [f"busight.{name}" for name in names] if node.module == "busight" else [str(node.module)]
    return []


IMPORTS = list(imports())


def test_the_scan_sees_imports() -> None:
    assert len(IMPORTS) > 200
    assert ("data/sources/busi.py", "data", "types") in IMPORTS
    assert ("cli/run.py", "cli", "experiments") in IMPORTS  # inside a function


def test_every_room_has_its_place() -> None:
    assert set(ROOMS) - FRONT_DOORS - set(LAYER_OF) == set(), "give the new room a place in LAYERS"


def test_rooms_import_only_rooms_to_their_left() -> None:
    against = [
        f"{file} imports {other}"
        for file, room, other in IMPORTS
        if room not in FRONT_DOORS and LAYER_OF[other] > LAYER_OF[room]
    ]
    assert against == []


def test_rooms_of_one_layer_do_not_import_each_other_in_a_circle() -> None:
    sideways = {
        (room, other)
        for _, room, other in IMPORTS
        if room not in FRONT_DOORS and room != other and LAYER_OF[other] == LAYER_OF[room]
    }
    assert [pair for pair in sideways if pair[::-1] in sideways] == []


def test_metrics_take_arrays_only() -> None:
    assert {other for _, room, other in IMPORTS if room == "metrics"} <= {"metrics", "errors", "types"}


def loaded_by(module: str) -> set[str]:
    """Return the names in sys.modules after a fresh interpreter has imported a module."""
    script = f"import sys, {module}; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    return {name.partition(".")[0] for name in told.split()}


TRAINING = {"torch", "torchvision", "lightning", "timm", "kornia", "segmentation_models_pytorch"}


@pytest.mark.parametrize(
    "module",
    [
        "busight.cli.app",
        "busight.model.model",
        "busight.report.write",
        "busight.recipes.load",
        "busight.model.bundle.load",
    ],
)
def test_what_works_without_pytorch_does_not_import_it(module: str) -> None:
    assert loaded_by(module) & TRAINING == set()


def test_the_command_line_starts_without_what_is_heavy() -> None:
    heavy = {"numpy", "scipy", "sklearn", "cv2", "PIL", "matplotlib", "pydicom", "pydantic", "onnxruntime", "pandas"}
    assert loaded_by("busight.cli.app") & heavy == set()


def test_the_probe_would_see_pytorch() -> None:
    """Else the tests above would prove nothing."""
    assert "torch" in loaded_by("busight.training.losses")


def test_no_room_hides_a_public_name() -> None:
    # An imported sub-package is set as an attribute of the package, in the place of a function of that name.
    rooms = {path.name for path in PACKAGE.iterdir()} | {path.stem for path in PACKAGE.iterdir()}
    assert not rooms & set(busight.__all__)
