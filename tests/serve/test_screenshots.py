"""Pictures of the screens for README and documentation: BUSIGHT_SCREENSHOTS=docs/images writes them there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from uuid import UUID

import cv2
from PIL import Image
from playwright.sync_api import Browser, expect
from sites import RunningSite, log_in

from busight.data.sources.catalogue import load_data

SCHEMES: dict[str, Any] = {"light": "light", "dark": "dark"}


def test_screens_of_simulated_images(site: RunningSite, browser: Browser, tmp_path: Path) -> None:
    folder = Path(os.environ.get("BUSIGHT_SCREENSHOTS") or tmp_path)
    data = load_data("phantom:40,seed=3,typical=1")
    files = [
        (f"view {number}.png", cv2.imencode(".png", data.reader.image(sample))[1].tobytes())
        for number, sample in enumerate(data.samples)
    ]
    client = site.client("vera")
    client.upload(files, pseudonym="phantom")
    site.wait_until_done()
    rows = site.sql("SELECT id, label FROM cases_case WHERE state = 'done' ORDER BY positive_prob DESC")
    assert rows
    shown = UUID(str(rows[0][0]))
    for pk, _ in rows[1:4]:
        client.post(f"/cases/{UUID(str(pk))}/review/", {"verdict": "agreed"})
    for name, scheme in SCHEMES.items():
        size = {"width": 1280, "height": 800}
        with browser.new_context(base_url=site.address, viewport=size, color_scheme=scheme) as context:
            page = context.new_page()
            log_in(page, "vera")
            page.goto("/worklist/")
            expect(page.locator("tr[data-row]").first).to_be_visible()
            page.wait_for_load_state("networkidle")
            page.screenshot(path=folder / f"serve-worklist-{name}.png")
            page.goto(f"/cases/{shown}/")
            expect(page.locator("#viewer canvas")).to_be_visible()
            expect(page.locator("table.descriptors")).to_be_visible(timeout=20_000)
            page.keyboard.press("a")
            page.wait_for_timeout(700)
            page.screenshot(path=folder / f"serve-case-{name}.png")
    pictures = list(folder.glob("serve-*.png"))
    assert len(pictures) == 4
    for path in pictures:  # a third of the bytes
        Image.open(path).convert("RGB").quantize(192, dither=Image.Dither.NONE).save(path, optimize=True)
