"""`busight predict --format parquet`: the same records from a pool and from a cluster, whatever is killed meanwhile."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import fsspec
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from golden_bundles import golden_model
from picture_files import noise_files

from busight.archive.archive import ArchiveCounts, predict_archive
from busight.archive.listing import list_archive
from busight.errors import ConfigError, DataError, OutputError
from busight.io.progress import Silent
from busight.model.bundle.finish import finished

COUNT = 48
PART = 4


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a tiny fixed network."""
    folder = tmp_path_factory.mktemp("archive") / "bundle"
    folder.mkdir()
    finished(golden_model("global-local", folder))
    return folder


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return noise_files(tmp_path_factory.mktemp("images"), COUNT, broken=20)


@pytest.fixture(scope="module")
def expected(bundle: Path, images: Path, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    out = tmp_path_factory.mktemp("expected") / "out"
    assert predicted(bundle, images, out, cluster="pool") == ArchiveCounts(COUNT // PART, 0, COUNT, 1)
    return records(out)


def predicted(bundle: Path, source: object, out: object, **more: object) -> ArchiveCounts:
    given = {"cluster": "pool", "workers": 2, "part_files": PART, "show_rejected": True, "progress": Silent()}
    return predict_archive(bundle, [str(source)], str(out), **(given | more))  # type: ignore[arg-type]


def records(out: Path) -> pa.Table:
    return pq.read_table(out / "parts")


def parts_of(out: Path) -> list[str]:
    return sorted(path.name for path in (out / "parts").iterdir())


class Ticks(Silent):
    """Progress that does something when so many parts are finished."""

    def __init__(self, after: int, act: Callable[[], object]) -> None:
        self.after, self.act = after, act

    def tick(self, done: int, total: int) -> None:
        if done == self.after:
            self.act()


def test_nothing_of_a_pool_is_left_when_it_returns(bundle: Path, images: Path, tmp_path: Path) -> None:
    """Neither when all is done nor in the middle: at its end Python would stumble over what is left."""
    before = set(threading.enumerate())
    predicted(bundle, images, tmp_path / "whole", part_files=COUNT)
    assert set(threading.enumerate()) == before

    def give_up() -> None:
        raise ConfigError("enough")

    with pytest.raises(ConfigError, match="enough"):
        predicted(bundle, images, tmp_path / "half", progress=Ticks(1, give_up))
    assert set(threading.enumerate()) == before


def test_records_are_those_of_the_images_in_order(expected: pa.Table, images: Path) -> None:
    assert expected.column("path").to_pylist() == sorted(map(str, images.iterdir()))
    errors = expected.column("error").to_pylist()
    assert [number for number, error in enumerate(errors) if error] == [20]
    assert "020.png" in errors[20]
    assert expected.column("label").null_count == 1
    assert pa.types.is_boolean(expected.schema.field("above_threshold").type)


def test_a_manifest_written_on_windows_names_the_same_files(tmp_path: Path) -> None:
    noise_files(tmp_path / "images", 1, broken=0)
    (tmp_path / "manifest.csv").write_text("path\nimages\\000.png\n")
    assert list_archive([str(tmp_path / "manifest.csv")]).addresses == (str(tmp_path / "images" / "000.png"),)
    (tmp_path / "manifest.csv").write_text("path\nimages\\000.png\nimages/000.png\n")
    with pytest.raises(DataError, match=r"line 3 names images/000.png again"):
        list_archive([str(tmp_path / "manifest.csv")])


# In a process of its own, as in use: Ray changes how the process that joins it takes signals, and does not undo it.
CLUSTER = """
import sys
from pathlib import Path
from busight.archive.archive import predict_archive
from busight.io.progress import Silent
bundle, images, out, part_files = sys.argv[1:]
print(predict_archive(Path(bundle), [images], out, cluster="ray", workers=2, part_files=int(part_files),
                      show_rejected=True, progress=Silent()))
"""


def test_a_cluster_of_which_a_worker_is_killed_gives_the_same_records(
    bundle: Path, images: Path, expected: pa.Table, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    call = [sys.executable, "-W", "ignore", "-c", CLUSTER, *map(str, (bundle, images, out, PART))]
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        wait_for(out / "parts", 2, program)
        workers = [child for child in psutil.Process(program.pid).children(recursive=True) if is_worker(child)]
        workers[0].kill()
        printed, said = program.communicate(timeout=60)
    assert len(workers) == 2
    assert program.returncode == 0, said
    assert printed.splitlines()[-1] == str(ArchiveCounts(COUNT // PART, 0, COUNT, 1))  # Ray tells of the killed worker
    assert records(out).equals(expected)


def is_worker(process: psutil.Process) -> bool:
    try:
        return "MapWorker" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def test_a_killed_worker_of_a_pool_is_one_line_and_a_second_call_goes_on(
    bundle: Path, images: Path, expected: pa.Table, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    def kill_a_worker() -> None:
        next(child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())).kill()

    with pytest.raises(Exception, match="a worker process was ended from outside"):
        predicted(bundle, images, out, progress=Ticks(2, kill_a_worker))
    done = parts_of(out)
    assert 2 <= len(done) < COUNT // PART
    times = {name: (out / "parts" / name).stat().st_mtime_ns for name in done}
    counts = predicted(bundle, images, out)
    assert counts == ArchiveCounts(COUNT // PART, len(done), COUNT, 1)
    assert {name: (out / "parts" / name).stat().st_mtime_ns for name in done} == times
    assert records(out).equals(expected)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_program_leaves_whole_parts_and_no_process(
    bundle: Path, images: Path, expected: pa.Table, tmp_path: Path, number: int
) -> None:
    out = tmp_path / "out"
    many = tmp_path / "many.csv"
    many.write_text("path\n" + "".join(f"{path}\n" for path in copies(images, tmp_path / "copies")))
    program = busight("predict", "--model", bundle, many, "--cluster", "pool", "--workers", 2, "--out", out)
    wait_for(out / "parts", 1, program)
    children = psutil.Process(program.pid).children(recursive=True)
    program.send_signal(number)
    _, said = program.communicate(timeout=30)
    if number == signal.SIGINT:
        assert said.splitlines()[-1] == "busight: interrupted; the finished parts stay; go on with the same command"
    assert psutil.wait_procs(children, timeout=10)[1] == []
    n_parts = len([name for name in parts_of(out) if name.startswith("part-")])
    program = busight("predict", "--model", bundle, many, "--cluster", "pool", "--workers", 2, "--out", out)
    _, said = program.communicate(timeout=60)
    assert f"{n_parts} done before" in said, said
    paths = records(out).column("path").to_pylist()
    assert paths == sorted(set(paths))
    assert len(paths) == 4 * COUNT


def copies(images: Path, folder: Path) -> list[Path]:
    for number in range(4):
        shutil.copytree(images, folder / str(number))
    return sorted(folder.rglob("*.png"))


def busight(*arguments: object, limit: int | None = None) -> subprocess.Popen[str]:
    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if limit is not None:
            # Files of this size at most: writing fails as on a full disk.
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    call = [sys.executable, "-m", "busight", *map(str, arguments)]
    return subprocess.Popen(call, stderr=subprocess.PIPE, text=True, preexec_fn=prepare)


def wait_for(folder: Path, count: int, program: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if len(list(folder.glob("part-*"))) >= count:
            return
        assert program.poll() is None, program.communicate()
        time.sleep(0.01)
    raise AssertionError(f"{folder} has not come to {count} parts")


def test_a_full_disk_loses_no_part_and_leaves_no_half_one(bundle: Path, images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for number in range(8):  # a later part, with long names, is larger than the disk allows
        shutil.copy(images / "001.png", tmp_path / f"{'n' * 200 if number > 5 else ''}{number}.png")
    program = busight(
        "predict", "--model", bundle, *sorted(tmp_path.glob("*.png")), "--cluster", "pool", "--out", out, limit=300
    )
    _, said = program.communicate(timeout=60)
    assert program.returncode == 1
    assert "could not be written (File too large); free space" in said.splitlines()[-1]
    assert not (out / "parts").exists() or parts_of(out) == []
    assert predict_archive(bundle, [str(images)], str(tmp_path / "b"), progress=Silent()).records == COUNT


def test_an_object_store_is_read_and_written(bundle: Path, images: Path, expected: pa.Table) -> None:
    out = "memory://archive/out"
    assert predicted(bundle, f"file://{images}", out).records == COUNT
    store = fsspec.filesystem("memory")
    files = sorted(store.find("/archive/out/parts"))
    found = pa.concat_tables([pq.read_table(pa.BufferReader(store.cat_file(file))) for file in files])
    assert found.drop_columns(["path", "error"]).equals(expected.drop_columns(["path", "error"]))
    assert found.column("path").to_pylist()[0] == f"file://{images}/000.png"
    assert predicted(bundle, f"file://{images}", out).before == COUNT // PART
    with pytest.raises(OutputError, match="memory://archive/out: was begun with another listing"):
        predicted(bundle, images, out)
    store.rm_file("/archive/out/plan.json")
    with pytest.raises(OutputError, match="holds parts without a plan"):
        predicted(bundle, images, out)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda folder: (folder / "000.png").unlink(), "listing, files"),
        (lambda folder: os.utime(folder / "000.png", (1, 1)), "listing"),
    ],
)
def test_another_plan_is_refused(
    bundle: Path, images: Path, tmp_path: Path, change: Callable[[Path], None], what: str
) -> None:
    folder = Path(shutil.copytree(images, tmp_path / "images"))
    predicted(bundle, folder / "000.png", tmp_path / "out")
    (plan := tmp_path / "out" / "plan.json").write_text(plan.read_text().replace('"files": 1', '"files": 2'))
    with pytest.raises(OutputError, match="was begun with another files; give the same"):
        predicted(bundle, folder / "000.png", tmp_path / "out")
    predicted(bundle, folder, tmp_path / "other")
    change(folder)
    with pytest.raises(OutputError, match=f"another {what}; give the same"):
        predicted(bundle, folder, tmp_path / "other")


def test_a_folder_with_something_else_is_refused(bundle: Path, images: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(OutputError, match="exists already and is never overwritten"):
        predicted(bundle, images, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_damaged_part_is_predicted_again(bundle: Path, images: Path, expected: pa.Table, tmp_path: Path) -> None:
    predicted(bundle, images, tmp_path / "out")
    damaged = tmp_path / "out" / "parts" / "part-000003.parquet"
    damaged.write_bytes(damaged.read_bytes()[:200])
    assert predicted(bundle, images, tmp_path / "out").before == COUNT // PART - 1
    assert records(tmp_path / "out").equals(expected)


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        ("ray://127.0.0.1:9", "cluster ray://127.0.0.1:9: nothing answers"),
        ("127.0.0.1:9", "nothing answers"),
        ("poool", "write pool, ray, ray://HOST:10001, or HOST:6379 of its head"),
        ("ray://", "write pool, ray"),
        ("s3://a:1", "write pool, ray"),
    ],
)
def test_a_cluster_that_cannot_be_reached_is_one_line_in_seconds(
    bundle: Path, images: Path, tmp_path: Path, cluster: str, message: str
) -> None:
    began = time.monotonic()
    with pytest.raises(ConfigError, match=message):
        predicted(bundle, images, tmp_path / "out", cluster=cluster)
    assert time.monotonic() - began < 10
    assert not (tmp_path / "out").exists()


def test_a_cluster_of_the_environment_that_cannot_be_reached(
    bundle: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with pytest.raises(ConfigError, match="nothing answers"):
        predicted(bundle, images, tmp_path / "out", cluster="ray")


def test_few_images_need_no_cluster(
    bundle: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    assert predicted(bundle, images / "001.png", tmp_path / "out", cluster="").records == 1


def test_storage_that_refuses_is_one_line(bundle: Path, tmp_path: Path) -> None:
    for source, message in (
        ("nothing://a/b", "nothing://a/b: .*refuses"),
        ("s3://archive/x", "s3://archive/x: .*s3fs"),
        ("memory://nowhere", "nothing there"),
    ):
        with pytest.raises(Exception, match=message):
            predicted(bundle, source, tmp_path / "out")
