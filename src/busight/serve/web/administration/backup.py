"""Backup and restore of a whole site: rows, images and keys in one file, the same for both databases."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core import serializers
from django.core.management.color import no_style
from django.core.serializers.base import DeserializationError
from django.db import connection, models, transaction

from busight._version import __version__
from busight.errors import DataError, OutputError
from busight.io.atomic import require_new_file, written_beside
from busight.io.progress import Progress, Silent
from busight.serve.web.site import Site

FORMAT = 1
ROWS, ABOUT = "rows.jsonl", "backup.json"
_LEFT_OUT = frozenset({"sessions.session", "contenttypes.contenttype", "auth.permission", "axes.accesslog"})
"""What is made anew, or worth nothing elsewhere."""


def back_up(site: Site, path: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Write a backup to a new file, while the site runs.

    Returns:
        What it holds: ``rows`` and ``files``.

    Raises:
        OutputError: The file is there already, or cannot be written.
    """
    require_new_file(path)
    progress = progress or Silent()
    with transaction.atomic():  # one moment of all tables
        if connection.vendor == "postgresql":
            connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        rows = "".join(_lines()).encode()
    files = sorted(file for file in site.files.rglob("*.png") if file.is_file())
    about = {
        **{"format": FORMAT, "version": __version__, "made": datetime.now(UTC).isoformat(timespec="seconds")},
        **{"rows": rows.count(b"\n"), "rows_sha256": hashlib.sha256(rows).hexdigest(), "files": len(files)},
    }
    try:
        with written_beside(path, new=True) as beside, tarfile.open(beside, "w") as archive:
            _add(archive, ABOUT, json.dumps(about, indent=1).encode())
            _add(archive, ROWS, rows)
            for name in ("sessions.key", "pseudonyms.key"):
                _add(archive, name, (site.data / name).read_bytes())
            for place, file in enumerate(files, start=1):
                archive.add(file, f"files/{file.name}", recursive=False)
                progress.tick(place, len(files))
    except OSError as error:
        raise OutputError(f"{path}: could not be written ({error.strerror}); free space, then try again") from error
    return about


def _lines() -> Iterator[str]:
    for kind in apps.get_models(include_auto_created=True):
        if kind._meta.label_lower in _LEFT_OUT or kind._meta.proxy or not kind._meta.managed:
            continue
        rows: models.QuerySet[Any] = kind._default_manager.order_by("pk")
        for row in rows.iterator(2000):
            yield serializers.serialize("jsonl", [row])


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    archive.addfile(entry, io.BytesIO(content))


def restore(site: Site, path: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Read a backup into a site without users and cases, whose tables are there.

    Raises:
        DataError: The file is no backup, is damaged or newer than this program, or the site holds something already.
    """
    from busight.serve.web.accounts.models import User
    from busight.serve.web.audit_log.chain import first_fault
    from busight.serve.web.audit_log.models import Entry, Head
    from busight.serve.web.cases.models import Batch

    if User.objects.exists() or Batch.objects.exists() or Entry.objects.exists():
        raise DataError(f"{site.data}: holds users or cases already; restore into an empty folder and database")
    progress = progress or Silent()
    try:
        with tarfile.open(path) as archive:
            about, rows = _checked(archive, path)
            with transaction.atomic():
                Head.objects.all().delete()
                _load(rows)
            names = [name for name in archive.getnames() if name.startswith("files/")]
            for place, name in enumerate(names, start=1):
                _keep_file(site, _member(archive, name, path), Path(name).name, path)
                progress.tick(place, len(names))
            for name in ("sessions.key", "pseudonyms.key"):
                (site.data / name).write_bytes(_member(archive, name, path))
                (site.data / name).chmod(0o600)
    except (tarfile.TarError, EOFError, ValueError, LookupError, TypeError, DeserializationError) as error:
        raise DataError(f"{path}: is no backup of BUSight, or is damaged; take another one") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    fault = first_fault()
    if fault is not None:
        raise DataError(f"{path}: its audit log is broken: {fault}; the site was restored as it was")
    return about


def _checked(archive: tarfile.TarFile, path: Path) -> tuple[dict[str, Any], bytes]:
    about = json.loads(_member(archive, ABOUT, path))
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        about = about if isinstance(about, dict) else {}
        raise DataError(f"{path}: a backup of format {about.get('format')}; this version reads {FORMAT}")
    rows = _member(archive, ROWS, path)
    if hashlib.sha256(rows).hexdigest() != about["rows_sha256"]:
        raise DataError(f"{path}: its rows were changed; take another backup")
    return about, rows


def _member(archive: tarfile.TarFile, name: str, path: Path) -> bytes:
    try:
        member = archive.extractfile(name)
    except KeyError:
        member = None
    if member is None:
        raise DataError(f"{path}: holds no {name}; it is no backup of BUSight, or an unfinished one")
    return member.read()


def _load(rows: bytes) -> None:
    for found in serializers.deserialize("jsonl", rows.decode()):
        found.save()
    # Numbers that the database gives go on after those that were read.
    statements = connection.ops.sequence_reset_sql(no_style(), apps.get_models(include_auto_created=True))
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _keep_file(site: Site, content: bytes, name: str, path: Path) -> None:
    if name != f"{hashlib.sha256(content).hexdigest()}.png":
        raise DataError(f"{path}: the image {name} was changed; take another backup")
    target = site.files / name[:2] / name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    target.write_bytes(content)
