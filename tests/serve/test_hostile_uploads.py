"""Uploads that were made to break something, or that are none."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from dicom_files import write_dicom
from sites import RunningSite

from busight.serve.web.cases.decoder import Decoder
from busight.serve.web.cases.names import plain_name


def png(size: int = 120, seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (size, size), dtype=np.uint8)
    return cv2.imencode(".png", pixels)[1].tobytes()


def zipped(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def large_png() -> bytes:
    """A picture of 30,000 × 30,000 pixels in a few kilobytes."""
    return cv2.imencode(".png", np.zeros((30_000, 30_000), np.uint8))[1].tobytes()


HOSTILE = {
    "text.png": (b"no picture at all", "no image"),
    "page.html": (b"<html><script>alert(1)</script></html>", "no image"),
    "half.png": (png()[:300], "half.png"),
    "large.png": (large_png(), "large.png"),
    "program.png": (b"\x7fELF" + bytes(2000), "no image"),
    "climbing.zip": (zipped({"../../../../tmp/busight-evil.png": png()}), "climbing.zip"),
    "absolute.zip": (zipped({"/tmp/busight-evil.png": png()}), "absolute.zip"),
    "bomb.zip": (zipped({"zeros.png": bytes(300 << 20)}), "bomb.zip"),
    "hollow.zip": (zipped({".hidden": b"x"}), "without files"),
    "half.dcm": (bytes(128) + b"DICM" + bytes(40), "half.dcm"),
}


@pytest.fixture(scope="module")
def told(site: RunningSite) -> dict[str, tuple[str, str]]:
    """State and reason of each hostile file, all uploaded at once."""
    site.client("vera").upload([(name, content) for name, (content, _) in HOSTILE.items()])
    site.wait_until_done(180)
    return {name: (state, reason) for name, state, reason in site.sql("SELECT name, state, reason FROM cases_upload")}


@pytest.mark.parametrize("name", HOSTILE)
def test_each_is_refused_in_one_line(told: dict[str, tuple[str, str]], name: str) -> None:
    state, reason = told[name]
    assert (state, HOSTILE[name][1] in reason) == ("refused", True), reason
    assert "\n" not in reason
    assert "/spool/" not in reason, "a user has no use for places on the server"
    assert not Path("/tmp/busight-evil.png").exists()


def test_the_site_lives_on(site: RunningSite, told: dict[str, tuple[str, str]]) -> None:
    client = site.client("vera")
    client.upload([("good.png", png(seed=3))])
    site.wait_until_done()
    assert site.sql("SELECT state FROM cases_upload WHERE name = 'good.png'") == [("accepted",)]


def test_folders_and_archives_become_a_file_each(site: RunningSite, told: dict[str, tuple[str, str]]) -> None:
    archive = zipped({"left/1.png": png(seed=11), "left/2.png": png(seed=12), "__MACOSX/._1.png": b"x", "x.txt": b"x"})
    site.client("vera").upload([("study.zip", archive), ("folder/deep/3.png", png(seed=13))])
    site.wait_until_done()
    found = dict(site.sql("SELECT name, state FROM cases_upload"))
    assert [found[name] for name in ("study.zip", "left/1.png", "left/2.png", "folder/deep/3.png")] == ["accepted"] * 4
    assert found["x.txt"] == "refused"
    assert "__MACOSX/._1.png" not in found


def test_what_is_no_file_is_said_at_once(site: RunningSite, told: dict[str, tuple[str, str]]) -> None:
    client = site.client("vera")
    assert client.upload([("empty.png", b"")])["files"][0]["reason"] == "empty.png: the file is empty"
    nothing = client.post("/upload/", {}, headers={"Accept": "application/json"})
    assert (nothing.status_code, nothing.json()["reason"]) == (400, "Choose at least one file.")
    strange = client.upload([("a.png", png())], batch="0" * 32)
    assert strange["status"] == 404


def test_no_name_of_a_patient_is_kept_anywhere(
    site: RunningSite, told: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    pixels = np.random.default_rng(8).integers(0, 255, (2, 90, 120), dtype=np.uint8)
    path = tmp_path / "clip.dcm"
    write_dicom(
        path, pixels, PatientName="Mustermann^Erika", PatientID="4711-secret", ManufacturerModelName="Scanner 9"
    )
    site.client("vera").upload([("clip.dcm", path.read_bytes())])
    site.wait_until_done()
    asked = "SELECT pseudonym, device, frame FROM cases_case WHERE name = 'clip.dcm' ORDER BY frame"
    found = [(len(pseudonym), device, frame) for pseudonym, device, frame in site.sql(asked)]
    assert found == [(12, "Scanner 9", 0), (12, "Scanner 9", 1)]
    kept = [file for file in site.data.rglob("*") if file.is_file()]
    for file in kept:
        content = file.read_bytes()
        assert b"Mustermann" not in content, file
        assert b"4711-secret" not in content, file


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("C:\\Users\\me\\a.png", "a.png"),
        ("a\nb\x1b[31m.png", "a\\nb\\x1b[31m.png"),
        ("..", "unnamed"),
        ("x" * 400, "x" * 255),
    ],
)
def test_names_are_shown_and_lead_nowhere(given: str, shown: str) -> None:
    assert plain_name(given) == shown


def test_a_reader_that_hangs_or_dies_is_ended_and_the_next_file_is_read(tmp_path: Path) -> None:
    good = tmp_path / "good.png"
    good.write_bytes(png())
    decoder = Decoder(seconds=0.001)
    assert "took longer than 0.001 s" in decoder.decode(good, "good.png", tmp_path).reason
    decoder.seconds = 30
    assert decoder.decode(good, "good.png", tmp_path).frames[0].shape == (120, 120)
    process = decoder._process
    assert process is not None
    process.kill()
    process.wait()
    assert decoder.decode(good, "good.png", tmp_path).frames[0].reason == ""
    decoder.stop()
