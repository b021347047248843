"""A checkpoint is whole, whenever the process that writes it is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from busight.errors import DataError
from busight.training.checkpoints import read_checkpoint


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are POSIX")
def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    # The system kills the process when it writes more than 100,000 bytes into one file: in the middle of the second.
    code = (
        "import resource, signal, sys, torch\n"
        "from pathlib import Path\n"
        "from busight.training.checkpoints import AtomicCheckpointIO\n"
        "path, checkpoints = Path(sys.argv[1]), AtomicCheckpointIO()\n"
        "checkpoints.save_checkpoint({'epoch': 1, 'weights': torch.zeros(10)}, path)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "checkpoints.save_checkpoint({'epoch': 2, 'weights': torch.zeros(1_000_000)}, path)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=False)
    assert done.returncode < 0, "the process was to be killed"
    assert torch.load(path, weights_only=True)["epoch"] == 1
    assert len(list(tmp_path.iterdir())) == 2, "what was being written lies beside"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"text"])
def test_a_damaged_checkpoint_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "last.ckpt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"last\.ckpt: a damaged checkpoint; remove its folder"):
        read_checkpoint(path)


def test_a_file_of_something_else_is_no_checkpoint(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(3)}, tmp_path / "last.ckpt")
    with pytest.raises(DataError, match=r"last\.ckpt: no checkpoint of a training"):
        read_checkpoint(tmp_path / "last.ckpt")
    torch.save({"epoch": 1, "callbacks": {}, "state_dict": {}}, tmp_path / "whole.ckpt")
    whole = (tmp_path / "whole.ckpt").read_bytes()
    (tmp_path / "cut.ckpt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.ckpt: a damaged checkpoint"):
        read_checkpoint(tmp_path / "cut.ckpt")
