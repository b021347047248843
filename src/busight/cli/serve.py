"""``busight serve``: the web application on this machine."""

from __future__ import annotations

import getpass
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busight.cli.guard import one_line_errors

if TYPE_CHECKING:
    from busight.serve.web.site import Site

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder of everything that it keeps [~/.local/share/busight].")
]
DatabaseOption = Annotated[
    str, typer.Option("--database", help="postgres://USER:PASSWORD@HOST/NAME instead of SQLite in --data.")
]
ROLES = ("reader", "reviewer", "administrator", "service")

app = typer.Typer(invoke_without_command=True, help="The web application on this machine.", rich_markup_mode=None)


@app.callback()
def command(
    context: typer.Context,
    data: DataOption = None,
    database: DatabaseOption = "",
    bind: Annotated[str, typer.Option("--bind", help="Address and port.")] = "127.0.0.1:8000",
    model: Annotated[str, typer.Option("--model", help="Name or folder of the model.")] = "busight-base",
    hosts: Annotated[
        str, typer.Option("--hosts", help="Host names of a reverse proxy in front of it, parted by commas.")
    ] = "",
    https: Annotated[
        bool, typer.Option("--https", help="A reverse proxy speaks HTTPS: cookies travel by HTTPS alone.")
    ] = False,
    totp: Annotated[
        str, typer.Option("--totp", metavar="ROLES", help="Roles that need a one-time code, parted by commas.")
    ] = "",
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that predict.")] = 1,
) -> None:
    """Serve the web application: upload, worklist, cases, reviews. Nothing leaves this machine. Research use only."""
    if context.invoked_subcommand:
        return
    with one_line_errors():
        from busight.errors import ConfigError
        from busight.model.bundle.load import load_bundle
        from busight.model.installed import find_model
        from busight.serve.web import processes, setup

        unknown = [role for role in totp.split(",") if role.strip() and role.strip() not in ROLES]
        if unknown:
            raise ConfigError(f"--totp {unknown[0]}: no such role; known: {', '.join(ROLES)}")
        card = load_bundle(find_model(model)).card
        site = _site(data, database, bind=bind, model=model, hosts=hosts, https="1" if https else "", totp_roles=totp)
        _ = site.host_and_port
        setup.set_up(site)
        if not setup.has_users():
            _first_user()
        typer.echo(f"model: {card.name}; data: {site.data}; research use only")
        processes.run(site, workers, typer.echo)


@app.command("user")
def user(
    name: Annotated[str, typer.Argument(help="Name of the new user.")],
    role: Annotated[
        list[str],
        typer.Option("--role", help="reader, reviewer, administrator or service; may be given several times."),
    ],
    data: DataOption = None,
    database: DatabaseOption = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Make a user who can log in."""
    with one_line_errors():
        from busight.serve.web import setup

        setup.set_up(_site(data, database))
        password = sys.stdin.readline().rstrip("\n") if password_stdin else _password()
        setup.add_user(name, password, role)
        typer.echo(f"user: {name} ({', '.join(role)}) can log in")


@app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(help="New file for rows, images and keys.")],
    data: DataOption = None,
    database: DatabaseOption = "",
) -> None:
    """Write everything of a site into one file, while it runs."""
    with one_line_errors():
        from busight.cli.console import ConsoleProgress
        from busight.serve.web import setup

        site = _existing_site(data, database)
        setup.set_up(site)
        from busight.serve.web.administration.backup import back_up

        with ConsoleProgress() as progress:
            about = back_up(site, file, progress)
        typer.echo(f"backup: {about['rows']} rows and {about['files']} images; {file}")


@app.command("restore")
def restore_command(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    data: DataOption = None,
    database: DatabaseOption = "",
) -> None:
    """Read a backup into an empty site; it may have the other database than the one that it came from."""
    with one_line_errors():
        from busight.cli.console import ConsoleProgress
        from busight.serve.web import setup

        site = _site(data, database)
        setup.set_up(site)
        from busight.serve.web.administration.backup import restore

        with ConsoleProgress() as progress:
            about = restore(site, file, progress)
        typer.echo(f"restored: {about['rows']} rows and {about['files']} images of {about['made']}; {site.data}")


def _existing_site(data: Path | None, database: str) -> Site:
    from busight.errors import ConfigError

    site = _site(data, database)
    if not (site.data / "sessions.key").is_file():
        raise ConfigError(f"{site.data}: no site; name its folder with --data")
    return site


def _site(data: Path | None, database: str, **more: str) -> Site:
    from busight.cli.extras import require_extra
    from busight.serve.web.site import Site, default_data

    require_extra("serve", "busight serve")
    return Site((data or default_data()).absolute(), database, **more)


def _first_user() -> None:
    from busight.errors import ConfigError
    from busight.serve.web import setup

    if not sys.stdin.isatty():
        raise ConfigError("nobody can log in yet; make a user first: busight serve user NAME --role reviewer")
    typer.echo("Nobody can log in yet. The first user reads, reviews and keeps users.")
    name = typer.prompt("Name", default=getpass.getuser())
    setup.add_user(name, _password(), ("reviewer", "administrator"))


def _password() -> str:
    from busight.errors import ConfigError

    if not sys.stdin.isatty():
        raise ConfigError("there is no terminal to ask for a password; give it with --password-stdin")
    typed: str = typer.prompt("Password (empty: one is made for you)", default="", hide_input=True, show_default=False)
    if typed:
        again: str = typer.prompt("Again", hide_input=True)
        if again != typed:
            raise ConfigError("the two passwords differ; nothing was made")
        return typed
    made = secrets.token_urlsafe(12)
    typer.echo(f"Password: {made} (shown once)")
    return made
