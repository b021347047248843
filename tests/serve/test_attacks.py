"""What an attacker and a clumsy user found, and must not find again."""

from __future__ import annotations

import base64
import csv
import io
import re
import time
from pathlib import Path
from uuid import UUID

import cv2
import numpy as np
import pytest
import requests
from dicom_files import write_dicom
from django_otp.oath import totp
from sites import RunningSite, busight, wait_for
from test_api import token_of
from test_hostile_uploads import png, zipped
from test_studies import made

from busight.client import Client
from busight.data.sources.catalogue import load_data
from busight.errors import ServerError


@pytest.fixture(scope="module")
def lesion() -> np.ndarray:
    data = load_data("phantom:12,seed=3,typical=1")
    return data.reader.image(next(sample for sample in data.samples if sample.label == "malignant"))


@pytest.fixture(scope="module")
def ritas(site: RunningSite, lesion: np.ndarray) -> tuple[str, str]:
    """A batch and a case of rita's, with a pseudonym and a note."""
    rita = site.client("rita")
    told = rita.upload([("secret name.png", cv2.imencode(".png", lesion)[1].tobytes())], pseudonym="PAT-RITA")
    site.wait_until_done()
    case = str(UUID(str(site.sql("SELECT id FROM cases_case WHERE name = 'secret name.png'")[0][0])))
    rita.post(f"/cases/{case}/note/", {"note": "ritas note"})
    return told["batch"], case


def test_who_uploads_the_same_image_sees_the_answer_and_nothing_of_the_other(
    site: RunningSite, lesion: np.ndarray, ritas: tuple[str, str]
) -> None:
    rob, case = site.client("rob"), ritas[1]
    rob.upload([("robs.png", cv2.imencode(".png", lesion)[1].tobytes())], pseudonym="PAT-ROB")
    site.wait_until_done()
    pages = [rob.get(path).text for path in (f"/cases/{case}/", "/worklist/", "/worklist/?search=robs")]
    token = token_of(site, "rob")
    program = Client(site.address, token)
    pages += [str(program.case(case)), str(list(program.cases()))]
    reviews, headers = f"{site.address}/api/v1/cases/{case}/reviews", {"Authorization": f"Bearer {token}"}
    pages.append(requests.post(reviews, json={"verdict": "agreed"}, headers=headers, timeout=60).text)
    for page in pages:
        assert "robs.png" in page
        assert not re.search("secret name|PAT-RITA|ritas note|rita", page)
    assert "No case fits" in rob.get("/worklist/?search=pat-rita").text
    rob.post(f"/cases/{case}/note/", {"note": "robs"})
    assert "ritas note" in site.client("rita").get(f"/cases/{case}/").text


def test_a_hidden_image_stays_hidden_whatever_it_comes_in(
    site: RunningSite, lesion: np.ndarray, ritas: tuple[str, str], tmp_path: Path
) -> None:
    rita, vera = site.client("rita"), site.client("vera")
    asked = rita.post(f"/batches/{ritas[0]}/pages/").headers["Location"]
    wait_for(lambda: "Download" in rita.get(asked).text, 60)
    address = made(vera, (ritas[0], {"secret name.png": "malignant"}), 0, ["rita"], "hidden")
    assert rita.get(f"{asked}file/").status_code == 404  # made before the study opened
    write_dicom(tmp_path / "clip.dcm", np.stack([lesion[:, ::-1], lesion]))
    rita.upload([("clip.dcm", (tmp_path / "clip.dcm").read_bytes())])
    site.wait_until_done()
    rows = site.sql("SELECT frame, id FROM cases_case WHERE name = 'clip.dcm'")
    seen = {frame: rita.get(f"/cases/{UUID(str(pk))}/").status_code for frame, pk in rows}
    assert seen == {0: 200, 1: 404}
    program = Client(site.address, token_of(site, "rita"))
    (upload,) = program.batch(ritas[0])["uploads"]
    assert upload["cases"] == []
    # her own study of the same image would show its answer
    site.sql("UPDATE studies_study SET closed = NULL")
    other = vera.post("/studies/", {"name": "again", "washout": 0}).headers["Location"]
    vera.post(f"{other}cases/", {"batch": ritas[0]})
    pk = re.search(r'value="(\d+)"[^>]*>\s*rita', vera.get(other).text)
    assert pk is not None
    vera.post(f"{other}readers/", {"readers": pk[1]})
    vera.post(f"{other}turn/")
    assert "reads some of these cases in another open study" in vera.get(other).text
    vera.post(f"{address}turn/")


def test_a_one_time_code_is_not_replaced_by_who_knows_the_password_alone(site: RunningSite) -> None:
    first = site.client("rob")
    page = first.get("/account/codes/").text
    secret = re.search(r'class="secret">(\w+)', page)
    assert secret is not None
    first.post("/account/codes/", {"code": f"{totp(base64.b32decode(secret[1])):06d}"})
    thief = site.client("rob")
    answer = thief.get("/account/codes/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/code/")
    assert thief.post("/account/codes/", {"code": "123456"}).headers["Location"] == "/code/"
    site.sql("DELETE FROM otp_totp_totpdevice")


def test_studies_keep_their_cases_and_the_worker_lives(site: RunningSite, ritas: tuple[str, str]) -> None:
    adam = site.client("adam")
    adam.get("/administration/")
    adam.post("/administration/", {"days": "30"})
    site.sql("UPDATE cases_case SET finished = '2020-01-01 00:00:00'")
    assert adam.post("/administration/remove/").status_code == 302
    assert site.sql("SELECT count(*) FROM cases_case WHERE name = 'secret name.png'") == [(1,)]
    adam.post("/administration/", {"days": "0"})
    # an image that is gone stops nothing either
    site.sql("UPDATE cases_case SET details = NULL, image_file = 'gone.png' WHERE name = 'secret name.png'")
    site.kill("cases.worker")
    site.client("vera").upload([("after.png", png(seed=91))])
    site.wait_until_done(60)


def test_a_service_is_no_person_and_its_tokens_go_with_it(site: RunningSite) -> None:
    adam = site.client("adam")
    adam.get("/users/")
    both = adam.post("/users/rob/", {"roles": ["reader", "service"], "is_active": "on"})
    assert "a service is a program and has no other role" in both.text
    assert adam.get("/tokens/rob/").status_code == 403
    token = token_of(site, "rob")
    adam.post("/users/rob/", {"roles": "service", "is_active": "on"})
    with pytest.raises(ServerError, match="401"):
        list(Client(site.address, token).cases())
    assert "A service has no pages" in site.client().log_in("rob").text
    adam.post("/users/rob/", {"roles": "reader", "is_active": "on"})


def test_the_log_tells_no_reason_and_is_searched_by_many_words(site: RunningSite, ritas: tuple[str, str]) -> None:
    vera, adam = site.client("vera"), site.client("adam")
    vera.post(f"/cases/{ritas[1]}/review/", {"verdict": "disagreed", "reason": "patient Jane Doe"})
    assert "Jane Doe" not in adam.get("/log/export/").text
    begun = time.monotonic()
    assert adam.get("/log/", params={"search": "a " * 1200}).status_code == 200
    assert vera.get("/worklist/", params={"search": "a " * 1200}).status_code == 200
    assert time.monotonic() - begun < 10
    assert adam.get("/log/?who=%00").status_code == 400
    assert vera.get("/worklist/?order=xyz&state=nonsense&page=-7").status_code == 200


def test_an_empty_file_in_an_archive_is_one_file_and_an_archive_in_it_is_refused(site: RunningSite) -> None:
    inner = zipped({"deep.png": png(seed=92)})
    site.client("vera").upload([("mixed.zip", zipped({"a.png": png(seed=93), "empty.txt": b"", "inner.zip": inner}))])
    site.wait_until_done(60)
    found = {name: (state, reason) for name, state, reason in site.sql("SELECT name, state, reason FROM cases_upload")}
    assert found["mixed.zip"][0] == found["a.png"][0] == "accepted"
    assert found["empty.txt"] == ("refused", "empty.txt: the file is empty")
    assert found["inner.zip"] == ("refused", "inner.zip: an archive in an archive; unpack it first")


def test_a_table_has_all_columns_whatever_its_first_row(site: RunningSite, ritas: tuple[str, str]) -> None:
    vera = site.client("vera")
    told = vera.upload([("b1.png", png(seed=94)), ("b2.png", png(seed=95))])
    site.wait_until_done()
    site.sql("UPDATE cases_case SET record = NULL WHERE name = 'b1.png'")
    rows = list(csv.DictReader(io.StringIO(vera.get(f"/batches/{told['batch']}/table.csv").text)))
    assert len(rows) == 2
    assert "calibrated_prob_malignant" in rows[0]
    assert {row["rejected"] == "" for row in rows} == {True, False}
    assert vera.get(f"/batches/{told['batch']}/table.parquet").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--database", "nonsense"), "is not of the form postgres://"),
        (("--database", "mysql://a:b@c/d"), "is not of the form postgres://"),
        (("--database", "postgres://x@127.0.0.1:abc/y"), "--database"),
        (("--bind", "nowhere"), "is not of the form ADDRESS:PORT"),
        (("--model", "nonsense"), "no such folder, and no installed model of this name"),
        (("--totp", "king"), "no such role"),
        ((), "make a user first: busight serve user NAME"),
        (("user", "bob", "--role", "reader"), "give it with --password-stdin"),
        (("user", "bob", "--role", "king", "--password-stdin"), "give at least one of"),
        (("restore", "README.md"), "is no backup of BUSight"),
    ],
)
def test_a_wrong_call_is_one_line(arguments: tuple[str, ...], reason: str, tmp_path: Path) -> None:
    where = ["--data", str(tmp_path / "data")]
    is_command = bool(arguments) and not arguments[0].startswith("-")
    done = busight("serve", *([*arguments, *where] if is_command else [*where, *arguments]), text="a long enough one\n")
    assert done.returncode in (1, 2)
    assert reason in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_a_damaged_key_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "sessions.key").write_text("")
    done = busight("serve", "user", "bob", "--role", "reader", "--data", tmp_path, "--password-stdin", text="x\n")
    assert (done.returncode, "sessions.key: is damaged" in done.stderr) == (2, True), done.stderr
