"""What the page of the model says of the site's cases."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import cv2
from sites import RunningSite, wait_for

from busight.data.sources.catalogue import load_data
from busight.model.model import Model

COLUMNS = (
    *("id", "batch_id", "name", "pixels", "frame", "n_frames", "model", "model_digest", "region", "state", "width"),
    *("height", "image_file", "coloured", "origin", "scale", "input_warnings", "pseudonym", "laterality", "device"),
    *("label", "reason", "mask_file", "outline", "activation_file", "flagged", "reviewed", "note", "search", "worker"),
    *("tries", "created", "changed"),
)
INSERT = f"INSERT INTO cases_case ({', '.join(COLUMNS)}) VALUES "


def test_shares_agreement_and_a_device_that_is_unlike_the_others(site: RunningSite) -> None:
    client = site.client("vera")
    digest = Model.load().card.digest
    batch = client.upload([("x.png", b"no picture")])["batch"].replace("-", "")
    site.wait_until_done()
    rows = []
    for number in range(120):
        device = "Scanner A" if number < 60 else "Scanner B"
        refused = device == "Scanner B" and number % 2 == 0
        reviewed = "" if refused else "agreed" if number % 3 else "overridden"
        rows.append(
            f"('{number:032x}', '{batch}', 'n', '{number}', 0, 1, 'busight-base', '{digest}', '', "
            f"'{'refused' if refused else 'done'}', 9, 9, '', 0, '[]', '[]', '[]', '', '', '{device}', 'benign', '', "
            f"'', '', '', 0, '{reviewed}', '', '', '', 0, '2026-11-20 10:00:00', '2026-11-20 10:00:00')"
        )
    site.sql(INSERT + ", ".join(rows))
    page = client.get("/model/").text
    assert "Model busight-base" in page
    assert digest in page
    text = re.sub(r"<[^>]+>", " ", page)
    assert re.search(r"Answered\s+90, 0 of them flagged", text)
    assert re.search(r"Reviewed\s+90: 60 agreed, 30 disagreed or overridden", text)
    assert re.search(r"Scanner B\s+60\s+50 %\s+0 %\s+More often not answered than on other devices", text)
    assert re.search(r"Scanner A\s+60\s+0 %\s+0 %\s+Less often not answered than on other devices", text)
    assert site.client("adam").get("/model/").status_code == 403
    # a reader sees what the own cases say
    assert re.search(r"Answered\s+0, 0", re.sub(r"<[^>]+>", " ", site.client("rita").get("/model/").text))


def test_a_model_is_recalibrated_on_confirmed_cases_and_serves_from_then_on(site: RunningSite, tmp_path: Path) -> None:
    data = load_data("phantom:120,seed=12,typical=1")
    lesions = [sample for sample in data.samples if sample.label in ("benign", "malignant")][:60]
    files = [
        (f"{number}.png", cv2.imencode(".png", data.reader.image(sample))[1].tobytes())
        for number, sample in enumerate(lesions)
    ]
    vera = site.client("vera")
    vera.get("/model/")
    few = vera.post("/model/recalibrate/").headers["Location"]
    wait_for(lambda: "no confirmed case" in vera.get(few).text, 30)
    vera.upload(files)
    site.wait_until_done()
    truth = {f"{number}.png": str(sample.label) for number, sample in enumerate(lesions)}
    rows = site.sql("SELECT id, name, label FROM cases_case WHERE state = 'done' AND device = ''")
    confirmed = [(UUID(str(pk)), truth[name], label) for pk, name, label in rows if name in truth]
    assert len(confirmed) >= 25
    for pk, right, label in confirmed:
        verdict = (
            {"verdict": "agreed"} if right == label else {"verdict": "overridden", "label": right, "reason": "truth"}
        )
        assert vera.post(f"/cases/{pk}/review/", verdict).status_code == 302
    asked = vera.post("/model/recalibrate/").headers["Location"]
    wait_for(lambda: "recalibrated on" in vera.get(asked).text, 120, lambda: vera.get(asked).text)
    page = vera.get("/model/").text
    (name,) = set(re.findall(r"recalibrated-[\d-]+", page))
    made = Model.load(site.data / "models" / name)
    assert made.card.name == "busight-base, recalibrated"
    assert made.decision != Model.load().decision
    assert not list((site.data / "models").glob(".*"))
    assert site.client("rita").post("/model/recalibrate/").status_code == 403
