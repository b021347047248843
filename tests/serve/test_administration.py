"""Retention, backup and restore."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from sites import RunningSite, busight, free_port, wait_for
from test_hostile_uploads import png

from busight.data.sources.catalogue import load_data


def filled(site: RunningSite) -> None:
    import cv2

    data = load_data("phantom:12,seed=3,typical=1")
    images = [cv2.imencode(".png", data.reader.image(sample))[1].tobytes() for sample in data.samples[:3]]
    site.client("vera").upload([(f"{number}.png", content) for number, content in enumerate(images)])
    site.wait_until_done()


TABLES = ("accounts_user", "cases_batch", "cases_upload", "cases_case", "cases_upload_cases", "audit_log_entry")


def test_a_backup_is_restored_on_either_database(any_site: RunningSite, tmp_path: Path, postgres_address: str) -> None:
    filled(any_site)
    file = tmp_path / "site.tar"
    done = busight("serve", "backup", file, *any_site.where)
    assert done.returncode == 0, done.stderr
    again = busight("serve", "backup", file, *any_site.where)
    assert (again.returncode, "site.tar: exists already" in again.stderr) == (1, True), again.stderr
    counts = {table: any_site.sql(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}

    # from PostgreSQL to SQLite, from SQLite to another SQLite
    other = RunningSite(tmp_path / "other", free_port())
    restored = busight("serve", "restore", file, *other.where)
    assert restored.returncode == 0, restored.stderr
    assert {table: other.sql(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES} == counts
    twice = busight("serve", "restore", file, *other.where)
    assert (twice.returncode, "holds users or cases already" in twice.stderr) == (1, True), twice.stderr
    other.start()
    try:
        vera = other.client("vera")  # the password is the old one
        (pk,) = other.sql("SELECT id FROM cases_case LIMIT 1")[0]
        from uuid import UUID

        assert vera.get(f"/cases/{UUID(str(pk))}/image.png").status_code == 200
        adam = other.client("adam")
        adam.post("/log/verify/")
        assert "The chain is whole" in adam.get("/log/").text
        vera.upload([("new.png", png(seed=77))])
        other.wait_until_done()
    finally:
        other.stop()


def test_a_changed_backup_is_refused(any_site: RunningSite, tmp_path: Path) -> None:
    file = tmp_path / "site.tar"
    assert busight("serve", "backup", file, *any_site.where).returncode == 0
    with tarfile.open(file) as archive:
        start = archive.getmember("rows.jsonl").offset_data
    content = bytearray(file.read_bytes())
    content[start + 40] ^= 1
    (tmp_path / "changed.tar").write_bytes(content)
    (tmp_path / "half.tar").write_bytes(file.read_bytes()[: start + 100])
    (tmp_path / "text.tar").write_text("no archive")
    for name, reason in (
        ("changed", "rows were changed"),
        ("half", ""),
        ("text", "is no backup of BUSight, or is damaged"),
    ):
        done = busight("serve", "restore", tmp_path / f"{name}.tar", "--data", tmp_path / name)
        assert done.returncode == 1, name
        assert reason in done.stderr, done.stderr
        assert done.stderr.count("\n") == 1, done.stderr


def test_what_is_older_than_the_retention_is_removed_whole(any_site: RunningSite) -> None:
    filled(any_site)
    adam = any_site.client("adam")
    adam.get("/administration/")
    adam.post("/administration/", {"days": "30"})
    adam.post("/administration/remove/")
    assert any_site.sql("SELECT count(*) FROM cases_case")[0][0] >= 3
    any_site.sql("UPDATE cases_case SET finished = '2020-01-01 00:00:00+00'")
    page = adam.post("/administration/remove/")
    assert page.status_code == 302
    left = {table: any_site.sql(f"SELECT count(*) FROM {table}")[0][0] for table in ("cases_case", "cases_upload")}
    assert left["cases_case"] == 0
    removed = any_site.sql("SELECT count(*) FROM audit_log_entry WHERE action = 'removed cases'")
    assert removed == [(1,)]


def test_a_backup_by_the_page_and_a_folder_without_a_site(any_site: RunningSite, tmp_path: Path) -> None:
    adam = any_site.client("adam")
    adam.post("/administration/backup/")
    wait_for(lambda: ".tar" in adam.get("/administration/").text, 20)
    nowhere = busight("serve", "backup", tmp_path / "x.tar", "--data", tmp_path / "nothing")
    assert (nowhere.returncode, "no site; name its folder with --data" in nowhere.stderr) == (2, True), nowhere.stderr
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("name", ["rita", "vera"])
def test_only_administrators_see_it(any_site: RunningSite, name: str) -> None:
    assert any_site.client(name).get("/administration/").status_code == 403
