"""Names of uploaded files."""

from __future__ import annotations

from pathlib import PurePosixPath

from busight.io.text import one_line


def plain_name(name: str) -> str:
    """Return a file name as it is shown: without control characters, without folders that lead out, at most 255 long.

    Example:
        >>> plain_name("C:\\\\Users\\\\me\\\\a.png"), plain_name("../../etc/passwd"), plain_name("left/1.png")
        ('a.png', 'etc/passwd', 'left/1.png')
    """
    if ":" in name[:3] or name.startswith("\\\\"):
        name = name.rsplit("\\", 1)[-1]
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("..", ".", "/")]
    return one_line("/".join(parts))[-255:] or "unnamed"
