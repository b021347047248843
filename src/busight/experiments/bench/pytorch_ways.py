"""The same network in PyTorch: eager, compiled, and by MONAI's inference from image files."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let PyTorch's operators use so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Logits(nn.Module):
    """A network's logits alone."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, (N, K), of float32 (N, 1, S, S) in 0–1."""
        logits: Tensor = self.network(images).logits
        return logits


def eager(network: Callable[[Tensor], Tensor], batch: int, size: int, runs: int) -> Callable[[], object]:
    """Return a function that runs a network so many times on a batch in memory."""
    images = torch.rand(batch, 1, size, size, generator=torch.Generator().manual_seed(0))

    def run() -> None:
        with torch.inference_mode():
            for _ in range(runs):
                network(images)

    return run


def compiled(network: nn.Module, batch: int, size: int, runs: int) -> Callable[[], object] | str:
    """Return as `eager` a function that runs the compiled network, or why it cannot be compiled."""
    run = eager(torch.compile(network), batch, size, runs)
    try:
        with _quiet():
            run()
    except RuntimeError as error:  # the root of what the compiler raises, e.g. without a C++ compiler
        return f"torch.compile failed ({str(error).strip().splitlines()[0][:80]})"
    return run


def monai_inference(network: nn.Module, paths: Sequence[Path], batch: int, size: int) -> Callable[[], object] | str:
    """Return a function that runs MONAI's transforms and inferer on image files, or why it cannot.

    The loader prepares in the calling thread, its default: two threads of PyTorch's operators slow each other down, and
    processes take seconds to start.
    """
    if find_spec("monai") is None:
        return 'MONAI is not installed; install it with: pip install "monai>=1.6"'
    with _quiet():
        from monai.data.dataloader import DataLoader
        from monai.data.dataset import Dataset
        from monai.inferers.inferer import SimpleInferer
        from monai.transforms.compose import Compose
        from monai.transforms.intensity.array import ScaleIntensityRange
        from monai.transforms.io.array import LoadImage
        from monai.transforms.spatial.array import Resize
        from monai.transforms.utility.array import EnsureChannelFirst

        steps = [
            LoadImage(reader="PILReader", image_only=True),
            EnsureChannelFirst(),
            Resize((size, size), mode="area"),
            ScaleIntensityRange(0, 255, 0, 1),
        ]
        loader = DataLoader(Dataset(list(map(str, paths)), Compose(steps)), num_workers=0, batch_size=batch)
        inferer = SimpleInferer()

    def run() -> None:
        with torch.inference_mode(), _quiet():
            for images in loader:
                torch.softmax(inferer(images.as_tensor(), network), dim=1).argmax(dim=1).tolist()

    return run


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what libraries say of parts of theirs that are not used here."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
