"""What the page of the model says of the site's cases."""

from __future__ import annotations

import re

from sites import RunningSite

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
