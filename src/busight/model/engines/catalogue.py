"""The engines by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from busight.errors import ConfigError
from busight.model.engines.onnxruntime import OnnxRuntimeEngine
from busight.strategies.engine import Engine


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How a model's graphs are run.

    Attributes:
        name: Name in `ENGINES`.
        threads: Threads of one operator; 0 lets the engine choose.
        batch: Largest number of views in one run.
    """

    name: str = "onnxruntime"
    threads: int = 0
    batch: int = 16

    def __post_init__(self) -> None:
        """Raise for an unknown engine or numbers out of range."""
        if self.name not in ENGINES:
            raise ConfigError(f"engine {self.name!r}: known: {', '.join(ENGINES)}")
        if self.threads < 0 or self.batch < 1:
            raise ConfigError(f"threads {self.threads}, batch {self.batch}: 0 or more threads, 1 or more in a batch")
        if self.threads > (cores := os.cpu_count() or 1):
            raise ConfigError(f"threads {self.threads}: this machine has {cores} cores; give at most that many")

    def open(self, path: Path) -> Engine:
        """Open a graph.

        Raises:
            BundleError: The engine cannot run it.
        """
        return ENGINES[self.name](path, self.threads, self.batch)


ENGINES: dict[str, Callable[[Path, int, int], Engine]] = {"onnxruntime": OnnxRuntimeEngine}
