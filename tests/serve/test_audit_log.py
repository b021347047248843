"""The audit log: append-only, and whole."""

from __future__ import annotations

import csv
import io
import itertools

import pytest
from sites import RunningSite


def said(site: RunningSite) -> str:
    client = site.client("adam")
    client.post("/log/verify/")
    return client.get("/log/").text


def test_the_database_refuses_to_change_or_remove_an_entry(any_site: RunningSite) -> None:
    for statement in ("UPDATE audit_log_entry SET who = 'nobody'", "DELETE FROM audit_log_entry"):
        with pytest.raises(Exception, match="append-only"):
            any_site.sql(statement)
    assert "The chain is whole" in said(any_site)


def test_the_log_is_exported_whole(any_site: RunningSite) -> None:
    text = any_site.client("adam").get("/log/export/").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [int(row["number"]) for row in rows] == list(range(1, len(rows) + 1))
    assert all(row["previous"] == before["digest"] for before, row in itertools.pairwise(rows))
    assert {"made the user", "logged in", "exported the audit log"} <= {row["action"] for row in rows}


def test_a_change_behind_its_back_is_found(any_site: RunningSite) -> None:
    """Whoever may drop the triggers may change an entry; the chain tells which."""
    if any_site.database:
        any_site.sql("ALTER TABLE audit_log_entry DISABLE TRIGGER ALL")
    else:
        any_site.sql("DROP TRIGGER audit_log_no_update")
    any_site.sql("UPDATE audit_log_entry SET who = 'nobody' WHERE number = 2")
    assert "The chain is broken: entry 2 was changed." in said(any_site)
