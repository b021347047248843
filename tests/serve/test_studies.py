"""A reader study from its cases to its results."""

from __future__ import annotations

import csv
import io
import re
from typing import Any
from uuid import UUID

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect
from sites import Client, RunningSite, log_in

from busight.data.sources.catalogue import load_data


@pytest.fixture(scope="module")
def batch(site: RunningSite) -> tuple[str, dict[str, str]]:
    """A batch of vera's, and the truth by file name."""
    data = load_data("phantom:40,seed=9,typical=1")
    lesions = [sample for sample in data.samples if sample.label in ("benign", "malignant")][:16]
    images = {f"{number}.png": data.reader.image(sample) for number, sample in enumerate(lesions)}
    files = [(name, cv2.imencode(".png", pixels)[1].tobytes()) for name, pixels in images.items()]
    told = site.client("vera").upload(files)
    site.wait_until_done()
    return told["batch"], {f"{number}.png": str(sample.label) for number, sample in enumerate(lesions)}


def made(vera: Client, batch: tuple[str, dict[str, str]], washout: int, readers: list[str], name: str) -> str:
    """Make and open a study; return its address."""
    vera.get("/studies/")
    address = vera.post("/studies/", {"name": name, "washout": washout}).headers["Location"]
    table = "name,label\n" + "".join(f"{file},{label}\n" for file, label in batch[1].items())
    vera.post(f"{address}cases/", {"batch": batch[0]}, files={"truth": ("truth.csv", table)})
    page = vera.get(address).text
    for reader in readers:
        pk = re.search(rf'value="(\d+)"[^>]*>\s*{reader}', page)
        assert pk is not None, page
        vera.post(f"{address}readers/", {"readers": pk[1]})
    vera.post(f"{address}turn/")
    return address


def read_all(client: Client, address: str, say: Any) -> list[tuple[str, bool]]:
    """Read everything that there is to read now; return the marks and whether the answer was shown, in order."""
    seen: list[tuple[str, bool]] = []
    while (mark := re.search(r'name="of" value="(\d+)-(\d)"', page := client.get(f"{address}read/").text)) is not None:
        aided = mark[2] == "1"
        assert ("The model&#x27;s answer" in page or "The model's answer" in page) == aided
        assert ".png" not in re.sub(r"/read/\w+\.png", "", page), "a reader sees no file name"
        category, suspicion = say(int(mark[1]), aided)
        form = {"of": f"{mark[1]}-{mark[2]}", "category": category, "suspicion": suspicion, "seconds": "3.5"}
        assert client.post(f"{address}read/", form).status_code == 302
        seen.append((mark[1], aided))
        client.post(f"{address}read/", form)  # sent twice: nothing happens
    return seen


def test_read_then_reveal_from_the_first_case_to_the_results(
    site: RunningSite, batch: tuple[str, dict[str, str]]
) -> None:
    vera = site.client("vera")
    address = made(vera, batch, 0, ["rita", "rob"], "read, then reveal")
    truth = dict(site.sql("SELECT id, is_positive FROM studies_studycase"))
    dice = np.random.default_rng(3)

    def say(case: int, aided: bool) -> tuple[str, int]:
        right = dice.random() < (0.95 if aided else 0.7)
        positive = bool(truth[case]) == right
        return ("4C", int(dice.integers(60, 100))) if positive else ("2", int(dice.integers(0, 40)))

    orders = {}
    for name in ("rita", "rob"):
        seen = read_all(site.client(name), address, say)
        assert len(seen) == 2 * len(truth)
        assert [aided for _, aided in seen] == [False, True] * len(truth)
        assert all(seen[k][0] == seen[k + 1][0] for k in range(0, len(seen), 2))
        orders[name] = [case for case, aided in seen if not aided]
    assert orders["rita"] != orders["rob"]
    assert site.client("rita").get(f"{address}readings.csv").status_code == 403
    assert vera.get(f"{address}readings.csv").status_code == 404  # not before it is closed
    vera.post(f"{address}turn/")
    page = vera.get(address).text
    assert "Does the answer help?" in page
    assert "all readers, cases and readers random" in page
    rows = list(csv.DictReader(io.StringIO(vera.get(f"{address}readings.csv").text)))
    assert len(rows) == 4 * len(truth)
    # the AUROC on the page is that of the readings
    from sklearn.metrics import roc_auc_score

    mine = [row for row in rows if row["reader"] == "rita" and row["aided"] == "0"]
    expected = roc_auc_score([int(row["truth"]) for row in mine], [int(row["suspicion"]) for row in mine])
    assert f"{expected:.3f}" in page
    assert site.client("rita").get(f"{address}read/").status_code == 302


def test_a_washout_parts_the_two_readings(site: RunningSite, batch: tuple[str, dict[str, str]]) -> None:
    address = made(site.client("vera"), batch, 14, ["rita"], "washout")
    rita = site.client("rita")
    seen = read_all(rita, address, lambda case, aided: ("3", 20))
    assert not any(aided for _, aided in seen)
    assert "The second begins on" in rita.get(f"{address}read/").text
    site.sql("UPDATE studies_reading SET created = '2020-01-01 00:00:00'")
    later = read_all(rita, address, lambda case, aided: ("4B", 70))
    assert all(aided for _, aided in later)
    assert [case for case, _ in later] != [case for case, _ in seen]


def test_a_reader_of_an_open_study_sees_the_answers_nowhere_else(
    site: RunningSite, batch: tuple[str, dict[str, str]]
) -> None:
    vera = site.client("vera")
    ((pk,),) = site.sql("SELECT id FROM cases_case WHERE name = '3.png'")
    case = f"/cases/{UUID(str(pk))}/"
    assert vera.get(case).status_code == 200
    address = made(vera, batch, 0, ["vera"], "her own")
    assert vera.get(case).status_code == 404
    assert vera.get(case + "activation.png").status_code == 404
    assert "3.png" not in vera.get("/worklist/").text
    assert "chip-done" not in vera.get(f"/batches/{batch[0]}/").text
    table = csv.DictReader(io.StringIO(vera.get(f"/batches/{batch[0]}/table.csv").text))
    assert {row["label"] for row in table} <= {""}, "what is left is what the model does not answer"
    assert vera.get(f"{address}read/activation.png").status_code == 404
    assert vera.get(f"{address}read/image.png").headers["Cache-Control"] == "no-store"
    vera.post(f"{address}turn/")
    assert vera.get(case).status_code == 200


def test_what_is_open_is_fixed_and_bad_truth_is_refused(site: RunningSite, batch: tuple[str, dict[str, str]]) -> None:
    vera = site.client("vera")
    vera.get("/studies/")
    address = vera.post("/studies/", {"name": "empty", "washout": 0}).headers["Location"]
    vera.post(f"{address}turn/")
    assert "needs cases and readers" in vera.get(address).text
    vera.post(f"{address}cases/", {"batch": batch[0]}, files={"truth": ("t.csv", "a,b\n1,2\n")})
    assert "columns name and label" in vera.get(address).text
    vera.post(f"{address}cases/", {"batch": batch[0]}, files={"truth": ("t.csv", "name,label\n3.png,cyst\n")})
    assert "is no class of the model" in vera.get(address).text
    assert site.client("rita").post("/studies/", {"name": "x", "washout": 0}).status_code == 403
    assert site.client("rita").get(address).status_code == 403
    assert site.client("rob").get(f"{address}read/").status_code == 404


def test_a_reading_in_the_browser_by_keyboard(page: Page, site: RunningSite, batch: tuple[str, dict[str, str]]) -> None:
    made(site.client("vera"), batch, 0, ["rob"], "by keyboard")
    log_in(page, "rob")
    page.goto("/studies/")
    page.get_by_role("row", name=re.compile("by keyboard")).get_by_role("link", name="Read").click()
    expect(page.locator("#viewer canvas")).to_be_visible()
    page.keyboard.press("4")
    page.keyboard.press("s")
    page.keyboard.type("35")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The model's answer")).to_be_visible()
    ((category, suspicion, seconds),) = site.sql(
        "SELECT category, suspicion, seconds FROM studies_reading ORDER BY id DESC LIMIT 1"
    )
    assert (category, suspicion) == ("4A", 35)
    assert 0 < seconds < 60
