"""A process of its own that reads uploaded files, with limits of memory and time.

``python -m busight.serve.web.cases.decoder`` answers a line of JSON for each line of JSON. It knows neither Django nor
the database: what a malicious file may do to it ends with the process.
"""

from __future__ import annotations

import json
import resource
import selectors
import subprocess
import sys
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from busight.errors import BusightError

MEMORY = 3 << 30
"""Bytes of address space."""
SECONDS = 60
"""For one file."""
MAX_FRAMES = 2000


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a file, or why it cannot be used.

    Attributes:
        frame: Its index.
        file: Where its pixels were written, as PNG; empty where they were not.
        pixels: SHA-256 of the pixels and their size.
        shape: Rows and columns.
        reason: Why it cannot be used; empty where it can.
    """

    frame: int
    file: str = ""
    pixels: str = ""
    shape: tuple[int, int] = (0, 0)
    reason: str = ""
    spacing_mm: tuple[float, float] | None = None
    origin: tuple[int, int] = (0, 0)
    scale: tuple[float, float] = (1.0, 1.0)
    coloured: float = 0.0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a file holds.

    Attributes:
        frames: Its frames; none where it is an archive or refused.
        members: (name, path) of the files of an archive, which lie unpacked.
        reason: Why the whole file is refused.
        patient: Hash of the patient's id of a DICOM file; the web application hashes it again, with its key.
        laterality: ``"left"`` or ``"right"``.
        device: Model of the device.
    """

    frames: tuple[Frame, ...] = ()
    members: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    patient: str = ""
    laterality: str = ""
    device: str = ""


@dataclass(slots=True)
class Decoder:
    """The parent's side: starts the process where there is none, and kills it where it does not answer.

    Attributes:
        seconds: For one file.
    """

    seconds: float = SECONDS
    _process: subprocess.Popen[str] | None = field(default=None, init=False)

    def decode(self, path: Path, name: str, out: Path, channels: int = 1, *, unpack: bool = True) -> Decoded:
        """Read a file.

        Args:
            path: Where it lies.
            name: Its name in messages.
            out: Folder for the pixels, or the members.
            channels: Channels of the model's images.
            unpack: Whether an archive is unpacked; else it is refused.

        Returns:
            Its frames; a refusal where the process died or did not answer.
        """
        if self._process is not None and self._process.poll() is not None:
            self.stop()
        process = self._process
        if process is None:
            command = [sys.executable, "-m", "busight.serve.web.cases.decoder"]
            process = self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
            )
        assert process.stdin is not None
        assert process.stdout is not None
        question = {"path": str(path), "name": name, "out": str(out), "channels": channels, "unpack": unpack}
        try:
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            with selectors.DefaultSelector() as selector:
                selector.register(process.stdout, selectors.EVENT_READ)
                if not selector.select(self.seconds):
                    self.stop()
                    return Decoded(reason=f"{name}: took longer than {self.seconds:g} s to read; give smaller files")
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.stop()
            return Decoded(reason=f"{name}: takes more memory than allowed to read, or is made to crash readers")
        return _decoded(json.loads(line))

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            with self._process:  # closes its pipes
                self._process.kill()
            self._process = None


def _decoded(answer: dict[str, Any]) -> Decoded:
    frames = tuple(
        Frame(
            **frame
            | {
                name: None if frame[name] is None else tuple(frame[name])
                for name in ("shape", "spacing_mm", "origin", "scale", "warnings")
            }
        )
        for frame in answer.pop("frames")
    )
    members = tuple((name, path) for name, path in answer.pop("members"))
    return Decoded(frames, members, **answer)


def read(path: Path, name: str, out: Path, channels: int, unpack: bool) -> Decoded:
    """Read one file here, in this process."""
    from busight.data.image_spec import ImageSpec
    from busight.data.manifest import pixel_digest
    from busight.data.readers.dicom import is_dicom, read_dicom
    from busight.data.readers.inputs import read_frames
    from busight.types import Failure

    if zipfile.is_zipfile(path) and not is_dicom(path):
        if not unpack:
            return Decoded(reason=f"{name}: an archive in an archive; unpack it first")
        return _unpacked(path, name, out)
    about: dict[str, Any] = {}
    if is_dicom(path):
        found = read_dicom(path, name)
        if found.n_frames > MAX_FRAMES:
            return Decoded(reason=f"{name}: {found.n_frames} frames; at most {MAX_FRAMES} are read, cut it")
        about = {"patient": found.patient_id or "", "laterality": found.laterality or "", "device": found.device or ""}
    frames = []
    for given in read_frames(path, ImageSpec(3 if channels == 3 else 1), name):
        if isinstance(given, Failure):
            frames.append(Frame(given.ref.frame, reason=given.reason))
            continue
        place = out / f"{given.ref.frame}.png"
        _write(place, given.pixels)
        frames.append(
            Frame(
                given.ref.frame,
                str(place),
                pixel_digest(given.pixels),
                (given.pixels.shape[0], given.pixels.shape[1]),
                "",
                given.ref.pixel_spacing_mm,
                given.ref.origin,
                given.ref.scale,
                given.coloured,
                given.warnings,
            )
        )
    return Decoded(tuple(frames), **about)


def _write(place: Path, pixels: Any) -> None:
    import cv2

    stored = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(place), stored, [cv2.IMWRITE_PNG_COMPRESSION, 1])


def _unpacked(path: Path, name: str, out: Path) -> Decoded:
    from busight.data.readers.listing import is_hidden
    from busight.data.unpack import unpack_zip

    folder = out / "members"
    unpack_zip(path, folder)
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and not is_hidden(file, folder)]
    if not files:
        return Decoded(reason=f"{name}: an archive without files; put images or DICOM files in it")
    return Decoded(members=tuple((str(file.relative_to(folder)), str(file)) for file in files))


def main() -> None:
    """Answer each line of standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import cv2

    cv2.setNumThreads(1)
    for line in sys.stdin:
        question = json.loads(line)
        name = question["name"]
        try:
            answer = read(Path(question["path"]), name, Path(question["out"]), question["channels"], question["unpack"])
        except BusightError as error:
            answer = Decoded(reason=str(error).replace(question["path"], name))
        except MemoryError:
            answer = Decoded(reason=f"{name}: takes more memory than allowed to read; give a smaller file")
        sys.stdout.write(json.dumps(asdict(answer)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
