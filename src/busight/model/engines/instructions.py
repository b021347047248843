"""What the processor can do."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from pathlib import Path

_LINUX = frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp"})
"""Linux's names of instructions that multiply int8 and add in int32: exact, where older ones saturate."""

_NUMPY = ("AVX512VNNI", "ASIMDDP")
"""NumPy's names of the same."""


def has_int8_instructions() -> bool:
    """Return whether the processor has dot products of int8: VNNI or AMX on x86, the dot-product extension on ARM."""
    # Where there is no list of Linux's: what NumPy found out for its own loops.
    found = getattr(import_module("numpy._core._multiarray_umath"), "__cpu_features__", {})
    return not _LINUX.isdisjoint(_linux_flags()) or any(found.get(name) for name in _NUMPY)


def processor_name() -> str:
    """Return the processor's name, as far as the system tells it."""
    import platform

    for line in _cpuinfo():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _linux_flags() -> set[str]:
    for line in _cpuinfo():
        if line.startswith(("flags", "Features")):
            return set(line.partition(":")[2].split())
    return set()


def _cpuinfo() -> list[str]:
    with suppress(OSError):
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    return []
