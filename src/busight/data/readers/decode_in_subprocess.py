"""Script ``decode_in_subprocess.py FILE INDEX``: it writes one decoded DICOM frame to stdout as an .npy array."""

from __future__ import annotations

import io
import sys


def main(path: str, index: int) -> None:
    """Decode frame ``index`` (from 0) of the DICOM file ``path``, "-" for stdin, and write it to stdout.

    A crash of the decoder ends this process only. No core file is left then, because it would contain patient data.
    """
    import numpy as np
    from pydicom.pixels.utils import pixel_array

    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    source = io.BytesIO(sys.stdin.buffer.read()) if path == "-" else path
    np.save(sys.stdout.buffer, pixel_array(source, index=index), allow_pickle=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
