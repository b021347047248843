"""Script ``mat_in_subprocess.py FILE FIELD ... -- FIELD ...``: it writes a MATLAB struct array ``data`` to stdout.

First the fields before ``--`` as texts, shape (elements, fields); then those behind it, element by element, as they
are. Each array is written as a length (8 bytes, big-endian) and as many bytes of an .npy file. SciPy's reader ends its
process on some damaged files, so it runs in one of its own.
"""

from __future__ import annotations

import io
import sys
from typing import Any


def main(path: str, texts: list[str], arrays: list[str]) -> None:
    """Write the fields. A crash ends this process only, and leaves no core file."""
    import numpy as np
    from scipy.io import loadmat

    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    data = loadmat(path, variable_names=["data"]).get("data")
    names = {} if data is None else {name.lower(): name for name in data.dtype.names or ()}
    if missing := [field for field in (*texts, *arrays) if field not in names]:
        sys.exit(f"no struct array data with the field {missing[0]}")
    elements = np.ravel(np.asarray(data))
    told = np.array([[text(one[names[field]]) for field in texts] for one in elements], dtype=str)
    write(told.reshape(len(elements), len(texts)))
    for one in elements:
        for field in arrays:
            values = np.asarray(one[names[field]])
            write(values if values.dtype.kind in "biufc" else np.zeros(0))


def write(array: Any) -> None:
    """Write one array to stdout."""
    import numpy as np

    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    sys.stdout.buffer.write(len(content.getvalue()).to_bytes(8, "big"))
    sys.stdout.buffer.write(content.getbuffer())


def text(value: Any) -> str:
    """Return the one value of a field as text, empty where it is not one; MATLAB keeps whole numbers as doubles."""
    import numpy as np

    flat = np.ravel(value)
    if flat.size == 1 and isinstance(flat[0], np.ndarray):  # a cell
        flat = np.ravel(flat[0])
    if flat.size != 1:
        return ""
    if flat.dtype.kind in "biuf" and float(flat[0]).is_integer():
        return str(int(flat[0]))
    return str(flat[0]).strip()


if __name__ == "__main__":
    middle = sys.argv.index("--")
    main(sys.argv[1], sys.argv[2:middle], sys.argv[middle + 1 :])
