"""The interface for programs: what its description promises, and the client."""

from __future__ import annotations

import io
import re
from pathlib import Path
from uuid import UUID

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from sites import PASSWORD, RunningSite
from test_hostile_uploads import png

from busight.client import Client
from busight.data.sources.catalogue import load_data
from busight.errors import ServerError

SCOPES = ("upload", "read", "review", "export")


def token_of(site: RunningSite, name: str, scopes: tuple[str, ...] = SCOPES) -> str:
    """Return a new token of a user, made on the page."""
    client = site.client(name)
    data = [("name", "tests"), ("days", "5"), *(("scopes", scope) for scope in scopes)]
    client.get(f"/tokens/{name}/")
    found = re.search(r"bus_[\w-]+", client.post(f"/tokens/{name}/", data).text)
    assert found is not None
    return found[0]


@pytest.fixture(scope="module")
def token(site: RunningSite) -> str:
    return token_of(site, "vera")


def test_every_answer_is_as_described(site: RunningSite, token: str) -> None:
    described = schemathesis.openapi.from_url(f"{site.address}/api/v1/openapi.json", wait_for_schema=10)
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) >= 8
    for operation in operations:

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def agrees(case: Case) -> None:
            case.call_and_validate(headers={"Authorization": f"Bearer {token}"})

        agrees()


@pytest.fixture(scope="module")
def lesions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    data = load_data("phantom:12,seed=3,typical=1")
    folder = tmp_path_factory.mktemp("lesions")
    paths = []
    for number, sample in enumerate(data.samples[:4]):
        paths.append(folder / f"{number}.png")
        cv2.imwrite(str(paths[-1]), data.reader.image(sample))
    return paths


def test_the_client_uploads_waits_reads_reviews_and_gets_the_page(
    site: RunningSite, token: str, lesions: list[Path]
) -> None:
    client = Client(site.address, token)
    batch = client.upload(lesions, name="by program", pseudonym="p 1")
    cases = client.wait(batch, 120)
    assert {case["name"] for case in cases} == {path.name for path in lesions}
    answered = next(case for case in cases if case["state"] == "done")
    whole = client.case(answered["id"])
    assert whole["record"]["label"] == answered["label"]
    assert (whole["pseudonym"], whole["model"]) == ("p 1", "busight-base")
    client.review(answered["id"], "overridden", "normal", "nothing there")
    assert client.case(answered["id"])["reviewed"] == "overridden"
    with pytest.raises(ServerError, match="Give a reason"):
        client.review(answered["id"], "disagreed")
    assert client.page(answered["id"]).startswith(b"%PDF-")
    assert [case["id"] for case in client.cases(batch=batch, search="overridden nowhere")] == []


def test_tables_hold_every_case_with_its_review(site: RunningSite, token: str, lesions: list[Path]) -> None:
    client = Client(site.address, token)
    batch = client.upload(lesions)
    client.wait(batch, 60)
    headers = {"Authorization": f"Bearer {token}"}
    base = f"{site.address}/api/v1/batches/{batch}"
    table = pq.read_table(io.BytesIO(requests.get(f"{base}/table.parquet", headers=headers, timeout=60).content))
    text = requests.get(f"{base}/table.csv", headers=headers, timeout=60).text
    assert table.num_rows == text.count("\n") - 1 == len(lesions)
    assert {"case", "reviewed", "label", "calibrated_prob_malignant", "model_digest"} <= set(table.column_names)
    assert requests.get(f"{base}/table.xlsx", headers=headers, timeout=60).status_code == 422


def test_the_pages_of_a_batch_are_a_zip(site: RunningSite, token: str, lesions: list[Path]) -> None:
    import zipfile

    from sites import wait_for

    batch = Client(site.address, token).upload(lesions)
    client = site.client("vera")
    site.wait_until_done()
    asked = client.post(f"/batches/{batch}/pages/").headers["Location"]
    wait_for(lambda: "Download" in client.get(asked).text, 120, site.log)
    content = client.get(f"{asked}file/").content
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    done = site.sql("SELECT count(*) FROM cases_case WHERE state = 'done'")[0][0]
    assert sum(name.endswith(".pdf") for name in names) >= 1
    assert len(names) - 1 <= done
    assert "cases.csv" in names
    assert site.client("rob").get(asked).status_code == 404


def test_a_token_opens_what_it_is_for_and_nothing_else(site: RunningSite, lesions: list[Path]) -> None:
    reader = Client(site.address, token_of(site, "vera", ("read",)))
    with pytest.raises(ServerError, match="make one with the scope upload"):
        reader.upload(lesions)
    with pytest.raises(ServerError, match="401"):
        Client(site.address, "bus_nothing").batch(str(UUID(int=1)))
    site.client("adam").get("/users/")
    adam = site.client("adam")
    adam.get("/users/")
    adam.post("/users/", {"username": "robot", "roles": "service", "password": PASSWORD})
    text = adam.post("/tokens/robot/", [("name", "x"), ("days", "1"), *(("scopes", scope) for scope in SCOPES)]).text
    found = re.search(r"bus_[\w-]+", text)
    assert found is not None
    robot = Client(site.address, found[0])
    batch = robot.upload(lesions[:1])
    (case,) = robot.wait(batch, 60)
    with pytest.raises(ServerError, match="is no reader"):
        robot.review(case["id"], "agreed")
    assert site.client("adam").get("/tokens/vera/").status_code == 403
    assert site.client("rita").get("/tokens/vera/").status_code == 403


def test_a_revoked_token_is_worth_nothing(site: RunningSite) -> None:
    text = token_of(site, "rita")
    client = site.client("rita")
    page = client.get("/tokens/rita/").text
    revoke = re.search(r"/tokens/rita/\d+/revoke/", page)
    assert revoke is not None
    client.post(revoke[0])
    with pytest.raises(ServerError, match="401"):
        list(Client(site.address, text).cases())


def test_a_token_does_not_travel_in_the_open() -> None:
    with pytest.raises(ServerError, match="would travel unencrypted"):
        Client("http://example.org", "bus_x")
    with pytest.raises(ServerError, match="does not answer"):
        list(Client("http://127.0.0.1:9", "bus_x").cases())


def test_an_empty_file_and_no_file_are_one_line(site: RunningSite, token: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty.png"
    empty.write_bytes(b"")
    client = Client(site.address, token)
    with pytest.raises(ServerError, match=r"empty\.png: the file is empty"):
        client.upload([empty])
    with pytest.raises(ServerError, match="name at least one"):
        client.upload([])
    noise = tmp_path / "noise.png"
    noise.write_bytes(png())
    (case,) = client.wait(client.upload([noise]), 60)
    assert (case["state"], bool(case["reason"])) == ("refused", True)
    assert np.isscalar(case["n_frames"])
