"""Every screen in Chromium: buttons, keyboard, widths, colours, and what axe says of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from dicom_files import write_dicom
from playwright.sync_api import Page, expect
from sites import RunningSite, log_in
from test_hostile_uploads import png

from busight.data.sources.catalogue import load_data

SCREENS = ("/worklist/", "/upload/", "/batches/", "BATCH", "CASE", "REFUSED", "/account/", "/account/codes/")
SCREENS += (
    "/studies/",
    "STUDY",
    "READ",
    "/model/",
    "/tokens/vera/",
    "/users/",
    "/users/rita/",
    "/log/",
    "/administration/",
)
WIDTHS = (1440, 820, 390)


@pytest.fixture(scope="module")
def lesion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated lesion."""
    import cv2

    data = load_data("phantom:12,seed=3,typical=1")
    sample = next(one for one in data.samples if one.label == "malignant")
    path = tmp_path_factory.mktemp("images") / "lesion.png"
    cv2.imwrite(str(path), data.reader.image(sample))
    return path


@pytest.fixture(scope="module")
def screens(site: RunningSite, lesion: Path) -> dict[str, str]:
    """Addresses of all screens, by what `SCREENS` calls them."""
    client = site.client("vera")
    told = client.upload([("lesion.png", lesion.read_bytes()), ("noise.png", png()), ("text.png", b"no picture")])
    site.wait_until_done()
    client.get("/studies/")
    study = client.post("/studies/", {"name": "axe", "washout": 0}).headers["Location"]
    truth = {"truth": ("t.csv", "name,label\nlesion.png,malignant\n")}
    client.post(f"{study}cases/", {"batch": told["batch"]}, files=truth)
    ((rob,),) = site.sql("SELECT id FROM accounts_user WHERE username = 'rob'")
    client.post(f"{study}readers/", {"readers": str(rob)})
    ids = {state: UUID(str(pk)) for pk, state in site.sql("SELECT id, state FROM cases_case")}
    return {name: name for name in SCREENS} | {
        "BATCH": told["address"],
        "STUDY": study,
        "READ": f"{study}read/",
        "CASE": f"/cases/{ids['done']}/",
        "REFUSED": f"/cases/{ids['refused']}/",
    }


def test_from_the_first_login_to_a_reviewed_answer(page: Page, site: RunningSite, lesion: Path) -> None:
    log_in(page, "rita")
    page.get_by_role("link", name="Upload the first images").click()
    expect(page.get_by_text("Research use only")).to_be_visible()
    page.get_by_label("Name of the batch").fill("monday")
    page.get_by_label("Pseudonym").fill("case 7")
    page.locator("input[name=uploads]").set_input_files(lesion)
    page.get_by_role("link", name="Open the batch").click()
    expect(page.get_by_role("heading", name="Batch monday")).to_be_visible()
    expect(page.get_by_text("1 answered")).to_be_visible(timeout=30_000)  # by itself, without loading the page again
    page.locator("a.chip").click()
    expect(page.locator(".answer .label")).to_be_visible()
    expect(page.locator("table.descriptors, section:has-text('undefined')").first).to_be_visible(timeout=20_000)

    page.get_by_role("button", name="Override").click()
    page.get_by_label("It is").select_option("normal")
    page.get_by_label("Reason").fill("an artefact")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".past")).to_contain_text("rita overrides with normal: an artefact")
    page.get_by_label("Note").fill("seen twice")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_label("Note")).to_have_value("seen twice")

    page.goto("/worklist/?search=twice+case")
    expect(page.locator("tr[data-row]")).to_have_count(1)
    expect(page.locator("tr[data-row]")).to_contain_text("overridden")
    page.get_by_label("Search").fill("nothing like it")
    expect(page.get_by_text("No case fits the filter.")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_review_that_differs_needs_a_reason(page: Page, screens: dict[str, str]) -> None:
    log_in(page, "vera")
    page.goto(screens["CASE"])
    page.get_by_role("button", name="Disagree").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Give a reason")).to_be_visible()


def test_the_keyboard_does_what_a_reader_does_all_day(page: Page, screens: dict[str, str]) -> None:
    log_in(page, "vera")
    page.goto("/worklist/")
    page.keyboard.press("j")
    expect(page.locator("tr.chosen")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/cases/"))
    page.goto(screens["CASE"])
    outline = page.get_by_role("button", name="Outline")
    expect(outline).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("o")
    expect(outline).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Activation")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#viewer svg image")).to_have_attribute("visibility", "visible")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(page.locator(".past").first).to_contain_text("vera agrees")
    page.keyboard.press("n")
    expect(page.get_by_label("Note")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("u")
    page.wait_for_url("**/upload/")
    page.goto("/worklist/")
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()


def test_the_outline_lies_on_the_image_and_the_ruler_measures(page: Page, screens: dict[str, str]) -> None:
    log_in(page, "vera")
    page.goto(screens["CASE"])
    expect(page.locator("#viewer canvas")).to_be_visible()
    page.wait_for_timeout(600)
    box = page.locator("#viewer").bounding_box()
    assert box is not None
    width = int(page.locator("#viewer").get_attribute("data-width") or 0)
    height = int(page.locator("#viewer").get_attribute("data-height") or 0)
    shown = box["height"] / height  # the image fills the height
    group = page.locator("#viewer svg g").get_attribute("transform") or ""
    left, top, scale = map(float, re.findall(r"[-\d.]+", group))
    assert scale == pytest.approx(shown, rel=0.02)
    assert (left, top) == pytest.approx(((box["width"] - width * shown) / 2, 0), abs=2)
    page.keyboard.press("r")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 60, middle[1])
    page.mouse.up()
    measured = page.locator("[data-ruler-length]").inner_text()
    assert measured.endswith("pixels, spacing unknown")
    assert float(measured.split()[0]) == pytest.approx(60 / shown, abs=1.5)


def test_a_region_is_moved_by_a_box_and_by_a_click_and_asked_again(
    page: Page, site: RunningSite, screens: dict[str, str]
) -> None:
    log_in(page, "vera")
    for number, (dx, dy) in enumerate([(60, 45), (0, 0)], start=1):
        page.goto(screens["CASE"])
        expect(page.locator("#viewer canvas")).to_be_visible()
        page.wait_for_timeout(600)
        page.keyboard.press("m")
        area = page.locator("#viewer").bounding_box()
        assert area is not None
        x, y = area["x"] + area["width"] / 2 - 30, area["y"] + area["height"] / 2 - 30
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + dx, y + dy)
        page.mouse.up()
        expect(page.locator(".regions [aria-current]")).to_contain_text(f"region {number}")
        expect(page.locator(".answer .label")).to_be_visible(timeout=20_000)
    regions = [region for (region,) in site.sql("SELECT region FROM cases_case WHERE region <> '' ORDER BY created")]
    assert [len(region.split(",")) for region in regions] == [4, 2]
    page.get_by_role("link", name=re.compile("the model's region")).click()
    page.wait_for_url(f"**{screens['CASE']}")


def test_a_clip_shows_each_frame_and_the_best(page: Page, site: RunningSite, lesion: Path, tmp_path: Path) -> None:
    import cv2

    image = cv2.imread(str(lesion), cv2.IMREAD_GRAYSCALE)
    frames = np.stack([cv2.convertScaleAbs(image, alpha=alpha) for alpha in (0.7, 1.0, 1.2)])
    write_dicom(tmp_path / "clip.dcm", frames)
    site.client("vera").upload([("clip.dcm", (tmp_path / "clip.dcm").read_bytes())])
    site.wait_until_done()
    found = site.sql("SELECT frame, positive_prob FROM cases_case WHERE name = 'clip.dcm' ORDER BY frame")
    assert [frame for frame, _ in found] == [0, 1, 2]
    best = max(found, key=lambda row: row[1] or 0)[0]
    log_in(page, "vera")
    page.goto("/worklist/?search=clip.dcm&order=oldest")
    page.get_by_role("link", name="clip.dcm, frame 2").click()
    strip = page.get_by_role("navigation", name="Frames of this clip")
    expect(strip.locator("a")).to_have_count(3)
    expect(strip.locator("[aria-current]")).to_contain_text("2:")
    expect(strip.locator("a").nth(best)).to_contain_text("★")


def test_two_views_and_two_breasts_are_joined(page: Page, site: RunningSite, lesion: Path) -> None:
    import cv2

    image = cv2.imread(str(lesion), cv2.IMREAD_GRAYSCALE)
    views = [
        cv2.imencode(".png", pixels)[1].tobytes() for pixels in (image[:, ::-1], cv2.convertScaleAbs(image, alpha=0.9))
    ]
    client = site.client("vera")
    client.upload([("one.png", views[0]), ("two.png", views[1])], pseudonym="two views")
    site.wait_until_done()
    probs = dict(site.sql("SELECT name, positive_prob FROM cases_case WHERE pseudonym = 'two views'"))
    assert None not in probs.values()
    log_in(page, "vera")
    page.goto("/worklist/?search=two.png")
    page.get_by_role("link", name="two.png").click()
    page.get_by_label("same lesion").check()
    page.get_by_role("button", name="Join the views").click()
    odds = np.array(list(probs.values()))
    mean = 1 / (1 + np.exp(-np.log(odds / (1 - odds)).mean()))
    expect(page.get_by_text("By 2 views of this lesion together")).to_contain_text(f"{100 * mean:.0f} %")
    site.sql("UPDATE cases_case SET laterality = 'left' WHERE name = 'one.png'")
    site.sql("UPDATE cases_case SET laterality = 'right' WHERE name = 'two.png'")
    page.reload()
    expect(page.get_by_text("the person, by the more suspicious one")).to_contain_text(
        f"{100 * max(probs.values()):.0f} %"
    )
    page.get_by_label("same lesion").uncheck()
    page.get_by_role("button", name="Join the views").click()
    expect(page.get_by_text("of this lesion together")).to_have_count(0)


def test_a_batch_waits_and_goes_on(page: Page, site: RunningSite) -> None:
    client = site.client("vera")
    told = client.upload([("first.png", png(seed=21))])
    site.wait_until_done()
    log_in(page, "vera")
    page.goto(told["address"])
    page.get_by_role("button", name="Pause").click()
    client.upload([("second.png", png(seed=22))], told["batch"])
    page.wait_for_timeout(1500)
    assert site.sql("SELECT state FROM cases_case WHERE name = 'second.png'") == [("received",)]
    page.get_by_role("button", name="Go on").click()
    site.wait_until_done()
    assert site.sql("SELECT state FROM cases_case WHERE name = 'second.png'") != [("received",)]


def test_one_time_codes(page: Page, site: RunningSite) -> None:
    from django_otp.oath import totp

    log_in(page, "rita")
    page.goto("/account/")
    page.get_by_role("link", name="Set up one-time codes").click()
    import base64

    key = base64.b32decode(page.locator("code.secret").inner_text())
    page.get_by_label("Code").fill("000000" if totp(key) else "")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("This code is not right")).to_be_visible()
    page.wait_for_timeout(1100)  # a wrong code locks for a second
    page.get_by_label("Code").fill(f"{totp(key):06d}")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("One-time codes are on.").first).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    log_in(page, "rita")
    expect(page.get_by_role("heading", name="One-time code")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("heading", name="One-time code")).to_be_visible()  # no way around it


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing_and_no_screen_is_wider_than_the_window(
    page: Page, site: RunningSite, screens: dict[str, str], screen: str, scheme: Any
) -> None:
    if screen == "READ":
        site.sql("UPDATE studies_study SET opened = '2026-01-01 00:00:00'")
    log_in(
        page,
        "rob" if screen == "READ" else "adam" if screen.startswith(("/users", "/log", "/administration")) else "vera",
    )
    page.emulate_media(color_scheme=scheme)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(screens[screen])
        page.wait_for_timeout(200)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{screen} is {wide} wide at {width}"
    found = Axe().run(page)
    faults = [f"{one['id']}: {one['nodes'][0]['html'][:150]}" for one in found.response["violations"]]
    assert faults == []
