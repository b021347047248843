import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageFile

from busight.data.readers.image import IMAGE_SUFFIXES, read_grey, read_mask
from busight.errors import ImageError

RAMP = (np.arange(20)[:, None] * 10 + np.arange(24)[None, :]).astype(np.uint8)
RGB = np.stack([RAMP, RAMP[::-1], 255 - RAMP], axis=-1)


def saved(path: Path, array: np.ndarray, mode: str | None = None, **options: object) -> Path:
    picture = Pillow.fromarray(array)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES - {".jpg", ".jpeg", ".webp", ".gif"}))
def test_grey_files_come_back_as_they_are(tmp_path: Path, suffix: str) -> None:
    grey = read_grey(saved(tmp_path / f"a{suffix}", RAMP))
    assert grey.dtype == np.uint8
    np.testing.assert_array_equal(grey, RAMP)


@pytest.mark.parametrize(
    ("suffix", "options"), [(".gif", {}), (".webp", {"lossless": True}), (".jpg", {"quality": 100})]
)
def test_other_formats_come_back_close(tmp_path: Path, suffix: str, options: dict[str, object]) -> None:
    grey = read_grey(saved(tmp_path / f"a{suffix}", RAMP, **options))
    assert np.abs(grey.astype(int) - RAMP).max() <= 2


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_equal_channels_give_exactly_that_channel(tmp_path: Path, mode: str) -> None:
    every_grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(read_grey(saved(tmp_path / "a.png", every_grey, mode)), every_grey)


def test_colour_becomes_luma(tmp_path: Path) -> None:
    colours = np.zeros((16, 16, 3), np.uint8)
    colours[:4], colours[4:8], colours[8:12], colours[12:] = (255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 100, 50)
    grey = read_grey(saved(tmp_path / "a.png", colours))
    # 0.299·255 = 76.2, 0.587·255 = 149.7, 0.114·255 = 29.1, 0.299·200 + 0.587·100 + 0.114·50 = 124.2
    assert [grey[row, 0] for row in (0, 4, 8, 12)] == [76, 150, 29, 124]


def test_colour_agrees_with_opencv(tmp_path: Path) -> None:
    import cv2

    path = saved(tmp_path / "a.png", RGB)
    reference = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2GRAY)
    assert np.abs(read_grey(path).astype(int) - reference).max() <= 1


def test_transparent_pixels_lie_over_black(tmp_path: Path) -> None:
    pixels = np.full((16, 16, 4), 200, np.uint8)
    pixels[:8, :, 3], pixels[8:, :, 3] = 255, 51
    grey = read_grey(saved(tmp_path / "a.png", pixels))
    assert (grey[:8] == 200).all()
    assert (grey[8:] == 40).all()  # 200 · 51 / 255


def test_a_transparent_palette_colour_is_black(tmp_path: Path) -> None:
    picture = Pillow.fromarray((RAMP > 100).astype(np.uint8)).convert("P")
    picture.putpalette([250, 250, 250, 90, 90, 90])
    picture.save(tmp_path / "a.png", transparency=0)
    np.testing.assert_array_equal(read_grey(tmp_path / "a.png"), np.where(RAMP > 100, 90, 0))


def test_16_bit_grey_is_narrowed_by_its_scale(tmp_path: Path) -> None:
    full = RAMP.astype(np.uint16) * 257
    full[0, 0] = 65535
    expected = RAMP.copy()
    expected[0, 0] = 255
    np.testing.assert_array_equal(read_grey(saved(tmp_path / "full.png", full)), expected)
    np.testing.assert_array_equal(read_grey(saved(tmp_path / "narrow.tif", RAMP.astype(np.uint16))), RAMP)
    with pytest.raises(ImageError, match="grey values 0 to 4095 fill neither 8 nor 16 bits"):
        read_grey(saved(tmp_path / "twelve.png", np.linspace(0, 4095, 400).reshape(20, 20).astype(np.uint16)))


@pytest.mark.parametrize(("mode", "name"), [("CMYK", "a.tif"), ("F", "a.tif"), ("CMYK", "a.jpg")])
def test_modes_without_a_grey_are_refused(tmp_path: Path, mode: str, name: str) -> None:
    with pytest.raises(ImageError, match=f"pixel mode {mode} has no agreed grey; export it"):
        read_grey(saved(tmp_path / name, RGB, mode))


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_exif_orientation_is_applied(tmp_path: Path, name: str) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise to see it upright
    picture = np.zeros((16, 32), np.uint8)
    picture[:, :16] = 255
    grey = read_grey(saved(tmp_path / name, picture, exif=exif))
    assert grey.shape == (32, 16)
    assert grey[:16].min() > 250
    assert grey[16:].max() < 5


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp", "a.tif"])
def test_animations_and_pages_are_refused(tmp_path: Path, name: str) -> None:
    frames = [Pillow.fromarray(RAMP), Pillow.fromarray(255 - RAMP)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="holds 2 frames or pages, one is needed"):
        read_grey(tmp_path / name)


def test_files_that_hold_no_picture(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture\n")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    for name, rule in [
        ("text.png", "no picture .* can be found in it"),
        ("empty.png", "the file is empty"),
        ("folder.png", "not a file"),
        ("missing.png", "cannot be reached"),
        ("null\0byte.png", "cannot be reached"),
    ]:
        with pytest.raises(ImageError, match=rule) as caught:
            read_grey(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_truncated_file(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    for name in ("a.png", "a.jpg"):
        whole = saved(tmp_path / name, noise).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ImageError, match="truncated or damaged"):
            read_grey(tmp_path / name)


def test_small_pictures_are_refused(tmp_path: Path) -> None:
    assert read_grey(saved(tmp_path / "a.png", RAMP[:16, :16])).shape == (16, 16)
    with pytest.raises(ImageError, match="24×15 pixels, needs at least 16 a side"):
        read_grey(saved(tmp_path / "a.png", RAMP[:15]))


@pytest.mark.parametrize("side", [9000, 12000, 60000])
def test_bombs_are_refused_from_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int) -> None:
    """9000 is above our limit only, 12000 where Pillow would warn, 60000 where Pillow refuses by itself."""
    header = bytearray(saved(tmp_path / "a.png", RAMP).read_bytes())
    header[16:24] = side.to_bytes(4, "big") * 2
    header[29:33] = _crc(bytes(header[12:29]))
    (tmp_path / "a.png").write_bytes(header)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("the bomb was decoded"))
    with pytest.raises(ImageError, match=r"at most 67108864 (pixels )?are decoded"):
        read_grey(tmp_path / "a.png")


def _crc(chunk: bytes) -> bytes:
    import zlib

    return zlib.crc32(chunk).to_bytes(4, "big")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"\xff\xd8\xff", b"II*\0"])
)
def test_arbitrary_bytes_are_refused_with_one_line(tmp_path: Path, content: bytes, magic: bytes) -> None:
    _reads_or_refuses(tmp_path / "a.png", magic + content)


def _valid(kind: str) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(RGB).save(stream, kind)
    return stream.getvalue()


VALID = [_valid(kind) for kind in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP")]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_pictures_are_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(VALID)))
    for place in data.draw(st.lists(st.integers(0, min(len(content), 150) - 1), max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    _reads_or_refuses(tmp_path / "a.png", bytes(content[: data.draw(st.integers(1, len(content)))]))


def _reads_or_refuses(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    refusal, grey = "", RAMP
    try:
        grey = read_grey(path)
    except ImageError as error:
        refusal = str(error)
    assert "\n" not in refusal
    assert refusal == "" or refusal.startswith(f"{path}: ")
    assert grey.dtype == np.uint8
    assert grey.ndim == 2


LESION = np.zeros((20, 24), bool)
LESION[5:12, 6:15] = True


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_masks_of_every_mode(tmp_path: Path, mode: str) -> None:
    mask = read_mask(saved(tmp_path / "m.png", LESION.astype(np.uint8) * 255, mode))
    assert mask.dtype == np.bool_
    np.testing.assert_array_equal(mask, LESION)


def test_mask_labels_and_soft_edges(tmp_path: Path) -> None:
    labels = LESION.astype(np.uint8)
    labels[15:18, 15:18] = 2
    np.testing.assert_array_equal(read_mask(saved(tmp_path / "labels.png", labels)), labels > 0)
    soft = np.where(LESION, 255, 3).astype(np.uint8)
    soft[4], soft[12] = 127, 128
    expected = LESION.copy()
    expected[12] = True
    np.testing.assert_array_equal(read_mask(saved(tmp_path / "soft.png", soft)), expected)
    assert not read_mask(saved(tmp_path / "empty.png", np.zeros((20, 24), np.uint8))).any()


def test_a_mask_file_is_refused_like_an_image(tmp_path: Path) -> None:
    (tmp_path / "m.png").write_text("no mask")
    with pytest.raises(ImageError, match="no picture"):
        read_mask(tmp_path / "m.png")


def test_real_masks_of_all_three_modes(busi_root: Path) -> None:
    masks = sorted(busi_root.rglob("*_mask*.png"))
    modes: dict[str, Path] = {}
    for path in masks:
        with Pillow.open(path) as picture:
            modes.setdefault(picture.mode, path)
    assert set(modes) == {"1", "RGB", "RGBA"}
    shares = {mode: float(read_mask(path).mean()) for mode, path in modes.items()}
    assert shares["RGB"] == 0  # the empty masks of normal images
    assert 0 < shares["1"] < 0.8
    assert 0 < shares["RGBA"] < 0.8


def test_real_images_with_colour_marks(busi_root: Path) -> None:
    coloured = 0
    for path in sorted((busi_root / "normal").glob("normal (11*).png")):
        with Pillow.open(path) as picture:
            channels = np.asarray(picture.convert("RGB")).astype(int)
        grey = read_grey(path)
        coloured += bool((channels[..., 0] != channels[..., 1]).any())
        assert grey.shape == channels.shape[:2]
        assert (grey >= channels.min(axis=2)).all()
        assert (grey <= channels.max(axis=2)).all()
    assert coloured > 0
