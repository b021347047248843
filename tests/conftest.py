"""What tests share: real data and programs, which may be missing on a laptop and must not be missing in CI."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings
from quick import QUICK

from busight.audit.duplicates.near_duplicates import NearDuplicate, find_near_duplicates
from busight.data.manifest import DatasetManifest, build_manifest
from busight.data.sources.busi import load_busi
from busight.io.cache_folder import VARIABLE
from busight.io.cores import usable_cores, use_cores
from busight.io.digests import sha256_of_json

# A machine that does something else beside the tests is not a fault of what they test.
settings.register_profile("busight", deadline=None)
settings.load_profile("busight")

REPOSITORY = Path(__file__).parent.parent


def pytest_configure() -> None:
    """Keep the user's cache out of it; share the cores: threads of one worker must not wait for another's."""
    os.environ[VARIABLE] = tempfile.mkdtemp(prefix="busight-cache-")
    _set_up_django()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker.isdigit():
        cores, workers = usable_cores(), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        share = cores[int(worker) % len(cores) :: workers] or cores
        use_cores(share)
        os.environ["OMP_NUM_THREADS"] = str(len(share))  # PyTorch, where it was imported already, and programs


def _set_up_django() -> None:
    """Let modules of the web application be imported, as the search for their examples does; there is no site."""
    import django

    os.environ["BUSIGHT_SERVE_DATA"] = tempfile.mkdtemp(prefix="busight-site-")
    os.environ["DJANGO_SETTINGS_MODULE"] = "busight.serve.web.settings"
    django.setup()


def _missing(what: str) -> None:
    """Skip, and fail in CI: a test that silently does not run proves nothing."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, which CI needs", pytrace=False)
    pytest.skip(what)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with the real data sets: BUSIGHT_DATA, else ../shared/data beside the repository."""
    named = os.environ.get("BUSIGHT_DATA")
    root = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not root.is_dir():
        _missing(f"no data folder at {root}; set BUSIGHT_DATA")
    return root


@pytest.fixture(scope="session")
def busi_root(data_root: Path) -> Path:
    """BUSI in its official layout."""
    root = data_root / "busi" / "Dataset_BUSI_with_GT"
    if not root.is_dir():
        _missing(f"no BUSI at {root}; set BUSIGHT_DATA")
    return root


@pytest.fixture(scope="session")
def busbra_root(data_root: Path) -> Path:
    """BUS-BRA in its official layout."""
    root = data_root / "busbra" / "BUSBRA"
    if not root.is_dir():
        _missing(f"no BUS-BRA at {root}; set BUSIGHT_DATA")
    return root


@pytest.fixture(scope="session")
def busi(busi_root: Path) -> DatasetManifest:
    """BUSI, read from end to end once for all tests (several seconds)."""
    return build_manifest(load_busi(str(busi_root)))


@pytest.fixture(scope="session")
def busi_copies(busi: DatasetManifest) -> tuple[NearDuplicate, ...]:
    """The near-duplicates within BUSI."""
    return find_near_duplicates(busi.thumbnails, [entry.image_digest for entry in busi.rows])


@pytest.fixture(scope="session")
def require_program() -> Callable[[str], Path]:
    """A function that returns the path of a system program, or skips (fails in CI) where it is not installed."""

    def require(name: str) -> Path:
        found = shutil.which(name)
        if found is None:
            _missing(f"the program {name} is not installed")
        return Path(str(found))

    return require


@pytest.fixture(scope="session")
def require_package() -> Callable[[str, str], None]:
    """A function that skips (fails in CI) where a Python package is not installed, and names the extra that has it."""

    def require(name: str, extra: str) -> None:
        if find_spec(name) is None:
            _missing(f"{name} is not installed (pip install '.[{extra}]')")

    return require


@pytest.fixture(scope="session")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Sequence[str]], Path]:
    """A function that trains once for each recipe and overrides, for all workers, and returns the run's folder."""
    from busight.experiments.run import run
    from busight.recipes.load import load_recipe

    workers = "PYTEST_XDIST_WORKER" in os.environ
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if workers else base) / "quick-runs"

    def get(recipe: str = "demo", overrides: Sequence[str] = ()) -> Path:
        place = shared / sha256_of_json([recipe, *overrides])[:16]
        place.mkdir(parents=True, exist_ok=True)
        with (place / "lock").open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)  # another worker may be training it: wait for that
            if not (place / "done").exists():
                run(load_recipe(recipe, ["data.spec='phantom:60,size=96'", *QUICK, *overrides]), place / recipe)
                (place / "done").touch()
        return place / recipe

    return get


@pytest.fixture
def bundle_copy(quick_run: Callable[..., Path], tmp_path: Path) -> Path:
    """A bundle that a test may damage."""
    return Path(shutil.copytree(quick_run("demo") / "bundle", tmp_path / "bundle"))
