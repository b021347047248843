"""Whatever is killed whenever: nothing is lost, nothing is there twice."""

from __future__ import annotations

import itertools
import random
import time

import cv2
import numpy as np
import pytest
from sites import RunningSite, wait_for

from busight.data.sources.catalogue import load_data
from busight.model.model import Model

N_IMAGES = 30


@pytest.fixture(scope="module")
def pictures() -> dict[str, bytes]:
    """PNG files of different simulated images by name."""
    data = load_data(f"phantom:{N_IMAGES},seed=5,size=160")
    return {
        f"image {number}.png": cv2.imencode(".png", data.reader.image(sample))[1].tobytes()
        for number, sample in enumerate(data.samples)
    }


def test_kill_9_of_everything_while_images_come_in_and_are_answered(
    any_site: RunningSite, pictures: dict[str, bytes]
) -> None:
    client = any_site.client("vera")
    batch, dice = "", random.Random(4)
    victims = itertools.cycle(["cases.worker", "cases.decoder", "gunicorn", "cases.worker"])
    n_killed = 0
    for name, content in pictures.items():
        told = None
        while told is None:  # a killed web server answers nothing; the page's user would send it again
            try:
                told = client.upload([(name, content)], batch)
            except OSError:
                wait_for(any_site.answers, 30)
        batch = told["batch"]
        if dice.random() < 0.25:
            time.sleep(dice.random())
            n_killed += any_site.kill(next(victims))
    for _ in range(4):
        time.sleep(0.3)
        n_killed += any_site.kill("cases.worker")
    wait_for(any_site.answers, 30)
    any_site.wait_until_done()
    assert n_killed > 5

    states = any_site.states()
    assert states.pop("cases_upload accepted") >= N_IMAGES
    assert states == {"cases_case done": N_IMAGES}, any_site.log()
    assert any_site.sql("SELECT count(DISTINCT pixels) FROM cases_case") == [(N_IMAGES,)]
    # each answer is in the audit log once, and the log is whole
    answered = "SELECT count(*), count(DISTINCT what) FROM audit_log_entry WHERE action = 'case answered'"
    assert any_site.sql(answered) == [(N_IMAGES, N_IMAGES)]
    chain = any_site.client("adam").post("/log/verify/")
    assert chain.status_code == 302
    assert "The chain is whole" in any_site_messages(any_site)
    # nothing of what was uploaded is left over
    wait_for(lambda: not list((any_site.data / "spool").iterdir()), 10)


def any_site_messages(site: RunningSite) -> str:
    client = site.client("adam")
    client.post("/log/verify/")
    return client.get("/log/").text


def test_answers_are_those_of_the_model(any_site: RunningSite, pictures: dict[str, bytes]) -> None:
    model = Model.load()
    images = [cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) for content in pictures.values()]
    found = dict(any_site.sql("SELECT name, positive_prob FROM cases_case"))
    for name, answer in zip(pictures, model.predict(images), strict=True):
        assert found[name] == pytest.approx(answer.positive_prob, abs=1e-5)  # type: ignore[union-attr]


def test_the_same_images_again_are_the_same_cases(any_site: RunningSite, pictures: dict[str, bytes]) -> None:
    client = any_site.client("vera")
    before = any_site.sql("SELECT id FROM cases_case ORDER BY id")
    told = client.upload(list(pictures.items()))
    any_site.wait_until_done()
    assert any_site.sql("SELECT id FROM cases_case ORDER BY id") == before
    page = client.get(told["address"]).text
    assert f"<b>{N_IMAGES}</b> answered" in page


def test_what_kills_the_worker_each_time_is_given_up(any_site: RunningSite) -> None:
    """As if it had been begun three times: the fourth worker does not try it again."""
    any_site.sql(
        "UPDATE cases_case SET state = 'running', tries = 3, worker = 'gone', lease_until = '2020-01-01 00:00'"
    )
    any_site.kill("cases.worker")
    wait_for(lambda: any_site.states().get("cases_case failed") == N_IMAGES, 90)
    ((reason,),) = any_site.sql("SELECT DISTINCT reason FROM cases_case WHERE name = 'image 3.png'")
    assert "was begun 3 times and never finished" in reason
