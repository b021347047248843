"""The site: where its data lie, its database, its model and its address, carried between processes by environment."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from busight.errors import ConfigError

PREFIX = "BUSIGHT_SERVE_"
DEFAULT_BIND = "127.0.0.1:8000"
KEY_BYTES = 32


def default_data() -> Path:
    """Return the folder of the site where none is named: the user's data folder of the XDG base directories."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "busight"


@dataclass(frozen=True, slots=True)
class Site:
    """One installation of the web application.

    Attributes:
        data: Folder of everything that it keeps: database file, images, keys, backups.
        database: Address of a database, ``postgres://…``; empty for SQLite in ``data``.
        bind: Address and port that it answers at.
        hosts: Further host names that it answers to, parted by commas: those of a reverse proxy.
        https: ``"1"`` where a reverse proxy in front of it speaks HTTPS: cookies are then sent by HTTPS alone.
        model: Name or folder of the model that predicts.
        totp_roles: Roles that must confirm by a one-time code, parted by commas.
    """

    data: Path
    database: str = ""
    bind: str = DEFAULT_BIND
    hosts: str = ""
    https: str = ""
    model: str = "busight-base"
    totp_roles: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        """Return the site that the environment names."""
        given = {field.name: os.environ.get(PREFIX + field.name.upper(), "") for field in fields(cls)}
        data = Path(given.pop("data") or default_data())
        return cls(data, **{name: value for name, value in given.items() if value})

    def environment(self) -> dict[str, str]:
        """Return the variables by which another process finds the site."""
        return {PREFIX + field.name.upper(): str(getattr(self, field.name)) for field in fields(self)}

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The address and the port of ``bind``.

        Raises:
            ConfigError: It is not of the form ADDRESS:PORT.
        """
        host, _, port = self.bind.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ConfigError(f"--bind {self.bind}: is not of the form ADDRESS:PORT, e.g. {DEFAULT_BIND}")
        return host.strip("[]"), int(port)

    @property
    def files(self) -> Path:
        """Folder of images, masks and maps, each named by its digest."""
        return self.data / "files"

    @property
    def spool(self) -> Path:
        """Folder of uploaded files that were not read yet."""
        return self.data / "spool"

    def make_folders(self) -> None:
        """Make the folders of the site, for its owner alone."""
        for folder in (self.data, self.files, self.spool):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def known_key(self, name: str) -> bytes:
        """Return a secret of the site, as `key`; empty where none was made yet.

        Raises:
            ConfigError: Its file is damaged.
        """
        path = self.data / f"{name}.key"
        try:
            text = path.read_text(encoding="ascii")
            key = bytes.fromhex(text)
        except FileNotFoundError:
            return b""
        except ValueError as error:
            raise ConfigError(f"{path}: is damaged; restore it from a backup") from error
        if len(key) != KEY_BYTES:
            raise ConfigError(f"{path}: is damaged; restore it from a backup")
        return key

    def key(self, name: str) -> bytes:
        """Return a secret of the site, made at the first call; only the owner of the folder may read it.

        Args:
            name: ``"sessions"`` or ``"pseudonyms"``.

        Raises:
            ConfigError: Its file is damaged.
        """
        found = self.known_key(name)
        if found:
            return found
        beside = self.data / f".{name}.{os.getpid()}.part"
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):  # another process was quicker
            os.link(beside, self.data / f"{name}.key")
        beside.unlink()
        return self.known_key(name)
