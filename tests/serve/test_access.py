"""Who may see and do what."""

from __future__ import annotations

from uuid import UUID

import pytest
from sites import PASSWORD, Client, RunningSite
from test_hostile_uploads import png


@pytest.fixture(scope="module")
def case(site: RunningSite) -> str:
    """A case that rita uploaded."""
    site.client("rita").upload([("ritas.png", png(seed=1))])
    site.wait_until_done()
    ((found,),) = site.sql("SELECT id FROM cases_case")
    return str(UUID(str(found)))


PAGES = (
    "/",
    "/worklist/",
    "/upload/",
    "/batches/",
    "/account/",
    "/users/",
    "/log/",
    "/log/export/",
    "/users/rita/",
    "/account/codes/",
)


@pytest.mark.parametrize("page", PAGES)
def test_nobody_sees_anything_without_login(site: RunningSite, page: str) -> None:
    answer = Client(site).get(page)
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/login/")


def test_without_login_no_case_and_no_image(site: RunningSite, case: str) -> None:
    for path in (f"/cases/{case}/", f"/cases/{case}/image.png"):
        assert Client(site).get(path).status_code == 302


@pytest.mark.parametrize(
    ("name", "forbidden"),
    [
        ("rita", ("/users/", "/log/", "/log/export/")),
        ("vera", ("/users/", "/log/")),
        ("adam", ("/worklist/", "/upload/", "/batches/")),
    ],
)
def test_each_role_has_its_pages(site: RunningSite, name: str, forbidden: tuple[str, ...]) -> None:
    client = site.client(name)
    for page in forbidden:
        assert client.get(page).status_code == 403, page


def test_a_reader_sees_the_own_cases_a_reviewer_all_an_administrator_none(site: RunningSite, case: str) -> None:
    seen = {name: site.client(name).get(f"/cases/{case}/").status_code for name in ("rita", "rob", "vera", "adam")}
    assert seen == {"rita": 200, "rob": 404, "vera": 200, "adam": 403}
    images = {name: site.client(name).get(f"/cases/{case}/image.png").status_code for name in ("rita", "rob", "adam")}
    assert images == {"rita": 200, "rob": 404, "adam": 403}
    assert "ritas.png" not in site.client("rob").get("/worklist/").text
    assert site.client("rob").post(f"/cases/{case}/review/", {"verdict": "agreed"}).status_code == 404


def test_who_uploads_the_same_image_sees_its_case_too(site: RunningSite, case: str) -> None:
    site.client("rob").upload([("robs.png", png(seed=1))])
    site.wait_until_done()
    assert site.client("rob").get(f"/cases/{case}/").status_code == 200


def test_a_form_without_its_token_is_refused(site: RunningSite, case: str) -> None:
    client = site.client("rita")
    answer = client.session.post(site.address + f"/cases/{case}/note/", {"note": "x"}, allow_redirects=False)
    assert answer.status_code == 403


def test_cookies_and_headers(site: RunningSite) -> None:
    answer = Client(site).get("/login/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "no-store" in site.client("rita").get("/worklist/").headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    client = site.client("rita")
    cookie = next(cookie for cookie in client.session.cookies if cookie.name == "sessionid")
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "Lax"


def test_wrong_passwords_lock_the_name_and_say_so_in_one_page(site: RunningSite) -> None:
    client = Client(site)
    answers = [client.log_in("mallory", "wrong").status_code for _ in range(6)]
    assert answers == [200, 200, 200, 200, 429, 429]
    assert "Too many wrong passwords" in client.log_in("mallory", "wrong").text
    assert site.client("rita").get("/worklist/").status_code == 200  # nobody else is locked


def test_an_administrator_makes_users_and_the_last_one_stays(site: RunningSite) -> None:
    client = site.client("adam")
    client.get("/users/")
    weak = client.post("/users/", {"username": "nora", "roles": "reader", "password": "short"})
    assert "at least 12 characters" in weak.text
    assert client.post("/users/", {"username": "nora", "roles": "reader", "password": PASSWORD}).status_code == 302
    assert site.client("nora").get("/worklist/").status_code == 200
    stays = client.post("/users/adam/", {"roles": "reader", "is_active": "on"})
    assert "the last administrator" in stays.text
    client.post("/users/nora/", {"roles": "reader"})
    assert Client(site).log_in("nora").status_code == 200  # the form again
