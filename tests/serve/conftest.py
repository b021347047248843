"""Running sites and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from sites import RunningSite, free_port, postgres


@pytest.fixture(scope="session")
def postgres_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of PostgreSQL."""
    with postgres(tmp_path_factory.mktemp("postgres") / "server") as address:
        yield address


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def any_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site with the users of the tests, once on each database."""
    database = request.getfixturevalue("postgres_address") if request.param == "postgres" else ""
    yield from running(tmp_path_factory.mktemp("site") / request.param, database)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site on SQLite with the users of the tests."""
    yield from running(tmp_path_factory.mktemp("site") / "data", "")


def running(data: Path, database: str) -> Iterator[RunningSite]:
    """Run a site."""
    if database:
        import psycopg

        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
    site = RunningSite(data, free_port(), database)
    site.add_users()
    site.start()
    yield site
    site.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, site: RunningSite) -> Iterator[Page]:
    """A page of a fresh browser, in which every error of a script fails the test."""
    with browser.new_context(base_url=site.address, viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        yield page
        assert faults == []
