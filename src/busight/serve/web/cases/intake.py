"""From an uploaded file to cases: received at the door, read by the worker."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from django.conf import settings
from django.db import transaction

from busight.errors import OutputError
from busight.io.text import one_line
from busight.serve.web.accounts.models import User
from busight.serve.web.audit_log.chain import record
from busight.serve.web.cases import files, queue
from busight.serve.web.cases.decoder import Decoded, Decoder, Frame
from busight.serve.web.cases.models import WAITING, Batch, Case, Upload
from busight.serve.web.cases.names import plain_name
from busight.serve.web.cases.search import search_text
from busight.serve.web.site import Site

MAX_BYTES = 512 << 20
"""Of one uploaded file."""
ORPHAN_SECONDS = 6 * 3600
"""Age from which a file of the spool that no upload names belongs to nobody: an upload may take hours."""
FREE_BYTES = 64 << 20
"""What an upload must leave on the disk."""


def no_room(size: int, part: int) -> str:
    """Return why a file that has grown to a size by a part, both in bytes, cannot be taken; empty where it can."""
    if size > MAX_BYTES:
        return f"larger than {MAX_BYTES >> 20} MB; give it in parts"
    if shutil.disk_usage(settings.SITE.spool).free < FREE_BYTES + part:
        return "the disk is full; remove old batches, then upload it again"
    return ""


def not_kept(error: OSError) -> str:
    """Return what an error of the disk means for an upload."""
    return f"could not be kept ({error.strerror}); free space, then upload it again"


def new_batch(owner: User, name: str, **facts: str) -> Batch:
    """Begin a batch, and say so in the audit log with further facts."""
    with transaction.atomic():
        batch = Batch.objects.create(owner=owner, name=name)
        record(owner, "made a batch", batch.pk, **facts)
    return batch


def spooled(chunks: Iterable[bytes], name: str) -> tuple[str, int]:
    """Write an uploaded file to the spool, all or nothing.

    Returns:
        Its name in the spool, and its size in bytes.

    Raises:
        OutputError: It is empty or too large, or there is no room for it.
    """
    site: Site = settings.SITE
    site.spool.mkdir(parents=True, exist_ok=True)
    spool = secrets.token_hex(16)
    path, size = site.spool / spool, 0
    try:
        with path.open("xb") as stream:
            for chunk in chunks:
                size += len(chunk)
                if reason := no_room(size, len(chunk)):
                    raise OutputError(f"{name}: {reason}")
                stream.write(chunk)
            _to_disk(stream)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OutputError(f"{name}: {not_kept(error)}") from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    if not size:
        path.unlink()
        raise OutputError(f"{name}: the file is empty")
    return spool, size


def _to_disk(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def remove_orphans() -> None:
    """Remove from the spool what no upload names: a web server was killed while it took it in."""
    spool: Path = settings.SITE.spool
    named = set(Upload.objects.filter(state__in=WAITING).values_list("spool", flat=True))
    for path in spool.iterdir():
        if path.name.split(".")[0] not in named and time.time() - path.stat().st_mtime > ORPHAN_SECONDS:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def receive(batch: Batch, name: str, content: Path, pseudonym: str = "") -> Upload:
    """Take an uploaded file in.

    Args:
        batch: The batch that it belongs to.
        name: As the user named it.
        content: A file in the spool, which may go after this.
        pseudonym: For files that name no patient.

    Raises:
        OutputError: It is empty, or there is no room for it; nothing of it remains.
    """
    name, size, spool = plain_name(name), content.stat().st_size, secrets.token_hex(16)
    if not size:
        raise OutputError(f"{name}: the file is empty")
    try:
        os.link(content, settings.SITE.spool / spool)
        with content.open("rb") as stream:
            os.fsync(stream.fileno())
    except OSError as error:
        raise OutputError(f"{name}: {not_kept(error)}") from error
    try:
        with transaction.atomic():
            return Upload.objects.create(batch=batch, name=name, size=size, spool=spool, pseudonym=pseudonym)
    except BaseException:
        (settings.SITE.spool / spool).unlink(missing_ok=True)
        raise


def read_upload(upload: Upload, worker: str, decoder: Decoder, model: tuple[str, str], channels: int) -> None:
    """Read an upload that the worker has taken, and make its cases.

    Args:
        upload: The upload.
        worker: Name of the worker.
        decoder: Reads the file.
        model: Name and digest of the model that the cases are for.
        channels: Channels of the model's images.
    """
    site: Site = settings.SITE
    path = site.spool / upload.spool
    out = site.spool / f"{upload.spool}.out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    try:
        if path.is_file():
            decoded = decoder.decode(path, upload.name, out, channels, unpack=upload.inside is None)
        else:
            decoded = Decoded(reason=f"{upload.name}: its content is gone from the spool; upload it again")
        image_files = [files.save(Path(frame.file).read_bytes()) if frame.file else "" for frame in decoded.frames]
        members: list[_Member] = []
        try:
            members += (_member(name, Path(member)) for name, member in decoded.members)
            with transaction.atomic():
                if not queue.is_held(upload, worker):
                    raise _LostError
                _save(upload, decoded, image_files, members, model)
        except BaseException:
            for member in members:
                (site.spool / member.spool).unlink(missing_ok=True)
            raise
        path.unlink(missing_ok=True)
    except _LostError:
        pass  # another worker has it now
    finally:
        shutil.rmtree(out, ignore_errors=True)


class _Member(NamedTuple):
    """A file of an archive, in the spool, or why it is none."""

    name: str
    spool: str
    size: int
    reason: str = ""


def _member(name: str, path: Path) -> _Member:
    shown = plain_name(name)
    if not path.stat().st_size:
        return _Member(shown, secrets.token_hex(16), 0, f"{shown}: the file is empty")
    return _Member(shown, *spooled(_chunks(path), shown))


class _LostError(Exception):
    """The lease ran out and another worker took the row."""


def _chunks(path: Path) -> Iterable[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            yield chunk


def _save(
    upload: Upload,
    decoded: Decoded,
    image_files: list[str],
    members: list[_Member],
    model: tuple[str, str],
) -> None:
    good = [(frame, file) for frame, file in zip(decoded.frames, image_files, strict=True) if file]
    bad = [frame for frame in decoded.frames if frame.reason]
    upload.state = Upload.State.ACCEPTED if good or members else Upload.State.REFUSED
    upload.reason = one_line(decoded.reason or (bad[0].reason if bad else ""))[:500]
    if good and bad:
        upload.reason = one_line(f"{len(bad)} of {len(decoded.frames)} frames refused: {bad[0].reason}")[:500]
    queue.release(upload)
    upload.save()
    for member in members:
        Upload.objects.create(
            batch=upload.batch,
            name=member.name,
            size=member.size,
            spool=member.spool,
            inside=upload,
            pseudonym=upload.pseudonym,
            state=Upload.State.REFUSED if member.reason else Upload.State.RECEIVED,
            reason=member.reason,
        )
    for frame, file in good:
        upload.cases.add(_case(upload, decoded, frame, file, model))
    facts = {"cases": len(good), "files": len(members), "batch": str(upload.batch_id)}
    record("worker", f"{upload.state} an upload", upload.pk, **facts)


def _case(upload: Upload, decoded: Decoded, frame: Frame, file: str, model: tuple[str, str]) -> Case:
    spacing = frame.spacing_mm or (None, None)
    case = Case(
        batch=upload.batch,
        name=upload.name,
        pixels=frame.pixels,
        frame=frame.frame,
        n_frames=len(decoded.frames),
        model=model[0],
        model_digest=model[1],
        height=frame.shape[0],
        width=frame.shape[1],
        image_file=file,
        spacing_row=spacing[0],
        spacing_column=spacing[1],
        coloured=frame.coloured,
        origin=list(frame.origin),
        scale=list(frame.scale),
        input_warnings=list(frame.warnings),
        pseudonym=pseudonym_of(decoded.patient) if decoded.patient else upload.pseudonym,
        laterality=decoded.laterality,
        device=decoded.device[:120],
    )
    case.search = search_text(case)
    names = ("pixels", "frame", "model_digest", "region")
    given = {field.name: getattr(case, field.name) for field in Case._meta.concrete_fields}
    found, _ = Case.objects.get_or_create(
        **{name: given.pop(name) for name in names}, defaults={name: given[name] for name in given if name != "id"}
    )
    return found


def pseudonym_of(patient: str) -> str:
    """Return the pseudonym of a patient's id: a hash with the key of this site, which never leaves its data folder."""
    return hmac.new(settings.SITE.key("pseudonyms"), patient.encode(), hashlib.sha256).hexdigest()[:12]
