"""Masks of every kind; the right answer is known from how each file was made."""

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from busight.data.readers.image import read_grey
from busight.data.readers.mask import read_mask, read_mask_of
from busight.errors import ImageError

LESION = np.zeros((20, 24), bool)
LESION[5:12, 6:15] = True

FIRST, SECOND = np.zeros((120, 160), bool), np.zeros((120, 160), bool)
FIRST[20:60, 20:70] = SECOND[70:100, 90:140] = True
BOTH = FIRST | SECOND


def saved(path: Path, array: np.ndarray, mode: str | None = None, **options: object) -> Path:
    picture = Pillow.fromarray(array)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


def content(array: np.ndarray, form: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(array).save(stream, form, **options)
    return stream.getvalue()


def painted(first: object, second: object, background: object = 0, dtype: type = np.uint8) -> np.ndarray:
    shape = BOTH.shape if np.isscalar(first) else (*BOTH.shape, len(first))  # type: ignore[arg-type]
    pixels = np.empty(shape, dtype)
    pixels[:], pixels[FIRST], pixels[SECOND] = background, first, second
    return pixels


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
    with pytest.raises(ImageError, match="no image"):
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


@pytest.mark.parametrize(
    "pixels",
    [
        painted(85, 170),
        painted(127, 255),
        painted(1, 255),
        painted(3, 200),
        painted(1, 2),
        painted((0, 255, 0), (255, 0, 0), (0, 0, 0)),
        painted((0, 0, 255), (255, 255, 0), (0, 0, 0)),
        painted((60, 0, 0), (255, 255, 255), (0, 0, 0)),
        painted((0, 255, 0, 255), (255, 0, 0, 255), (0, 0, 0, 255)),
        painted((90, 90, 90, 255), (255, 0, 0, 255), (255, 255, 255, 0)),  # the background is transparent
        painted((0, 0, 0, 255), (0, 0, 0, 255), (0, 0, 0, 0)),  # black on nothing
        painted(1, 65535, dtype=np.uint16),
        painted(300, 1000, dtype=np.uint16),
        painted((33, 145, 140), (253, 231, 37), (68, 1, 84)),  # viridis, as Matplotlib saves labels
        painted((255, 0, 0), (0, 160, 0), (255, 255, 255)),
        painted(2, 3, 1),
    ],
    ids=lambda pixels: str(np.unique(pixels.reshape(len(pixels) * pixels.shape[1], -1), axis=0).tolist()),
)
def test_everything_but_the_background_is_lesion(pixels: np.ndarray) -> None:
    np.testing.assert_array_equal(read_mask(content(pixels)), BOTH)


def test_a_thin_label_is_lesion_too() -> None:
    pixels = painted(255, 255)
    pixels[110:112, 10:80] = 85
    np.testing.assert_array_equal(read_mask(content(pixels)), pixels > 0)


@pytest.mark.parametrize("colours", [[0, 0, 0, 20, 90, 40, 128, 0, 0], [0, 0, 0, 0, 0, 60, 60, 0, 0]])
def test_palettes_are_read_by_their_colours(tmp_path: Path, colours: list[int]) -> None:
    picture = Pillow.fromarray(painted(1, 2), "P")
    picture.putpalette(colours)
    for suffix in (".png", ".gif", ".bmp"):
        picture.save(tmp_path / f"m{suffix}")
        np.testing.assert_array_equal(read_mask(tmp_path / f"m{suffix}"), BOTH)


@given(st.lists(st.integers(1, 255), min_size=1, max_size=12, unique=True), st.integers(0, 2**32 - 1))
def test_any_hard_grey_labels(values: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = np.zeros((100, 140), np.uint8)
    for value in values:
        row, column = rng.integers(0, 90), rng.integers(0, 130)
        pixels[row : row + 10, column : column + 10] = value
    pixels[:3] = 0  # some background
    if pixels.max() < 128:  # small labels only: there are no edges
        np.testing.assert_array_equal(read_mask(content(pixels)), pixels > 0)
        return
    all_squares = all(_has_square(pixels == value) for value in np.unique(pixels))
    if all_squares or not ((pixels > 247) & (pixels < 255)).any():  # else compressed with loss, by its values
        brightest = cv2.dilate(pixels, np.ones((3, 3), np.uint8))
        edges = [
            v for v in values if v < 128 and not _has_square(pixels == v) and (brightest > pixels)[pixels == v].any()
        ]
        np.testing.assert_array_equal(read_mask(content(pixels)), (pixels > 0) & ~np.isin(pixels, edges))


def _has_square(mask: np.ndarray) -> bool:
    return bool(cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).any())


@pytest.mark.parametrize("pixels", [painted(85, 170), painted((0, 255, 0), (255, 0, 0), (0, 0, 0))])
@pytest.mark.parametrize(("form", "options"), [("JPEG", {"quality": 75}), ("WEBP", {"quality": 80}), ("JPEG2000", {})])
def test_labels_survive_compression(pixels: np.ndarray, form: str, options: dict[str, object]) -> None:
    wrong = np.count_nonzero(read_mask(content(pixels, form, **options)) != BOTH)
    assert wrong <= 0.02 * np.count_nonzero(BOTH)


@pytest.mark.parametrize("sigma", [0.7, 2.0, 6.0, 12.0])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_soft_edges_are_cut_at_half_of_white(sigma: float, form: str) -> None:
    soft = content(cv2.GaussianBlur(FIRST.astype(np.uint8) * 255, (0, 0), sigma), form)
    np.testing.assert_array_equal(read_mask(soft), read_grey(soft) >= 128)


def test_every_one_of_many_grey_labels_survives_jpeg() -> None:
    """The first even pixel of some is cut off from the others by the noise of compression."""
    rows, columns = np.indices((500, 1000)) // 100
    labels = (101 + (10 * rows + columns) % 20) * np.kron(np.ones((5, 10)), np.pad(np.ones((25, 25)), (25, 50)))
    mask = read_mask(content(labels.astype(np.uint8), "JPEG", quality=90))
    np.testing.assert_array_equal(mask, labels > 0)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize("grey", [60, 126, 127, 128, 140, 200])
def test_a_soft_grey_label_keeps_its_area(grey: int, form: str) -> None:
    """Beside a white one, whose half would cut it far within its edge or, below 128, leave it out."""
    blurred = cv2.GaussianBlur(painted(255.0, float(grey), 0.0, np.float64), (0, 0), 1.0)
    mask = read_mask(content(np.rint(blurred).astype(np.uint8), form))
    assert np.count_nonzero(mask ^ BOTH) <= 8  # the corners


@pytest.mark.parametrize("quality", [15, 50, 90])
def test_a_compressed_mask_has_no_specks_in_its_background(quality: int) -> None:
    ellipse = cv2.ellipse(np.zeros((120, 160), np.uint8), (70, 60), (40, 25), 20, 0, 360, 255, -1)
    compressed = content(ellipse, "JPEG", quality=quality)
    for file in (compressed, content(np.asarray(Pillow.open(io.BytesIO(compressed))))):
        np.testing.assert_array_equal(read_mask(file), read_grey(file) >= 128)


def test_a_picture_is_no_mask() -> None:
    speckle = np.random.default_rng(0).rayleigh(40, (120, 160)).clip(0, 255).astype(np.uint8)
    ramp = np.tile(np.arange(160, dtype=np.uint8) + 40, (120, 1))
    posterised, dark = speckle // 16 * 16, speckle // 6
    for picture in (speckle, ramp, posterised, dark, np.stack([speckle, ramp, speckle], axis=-1)):
        for form in ("PNG", "JPEG"):
            with pytest.raises(ImageError, match=r"m: a picture of \d+ greys, no mask; name the file in which"):
                read_mask(content(picture, form), "m")


def test_without_black_and_without_a_border_the_background_is_unknown() -> None:
    with pytest.raises(ImageError, match="no pixel is black, so which colour is background is unknown; save"):
        read_mask(content(np.repeat(np.array([[50], [90]], np.uint8), 40, axis=0).repeat(80, axis=1)))


def _oriented(path: Path, array: np.ndarray, orientation: int | None, **options: object) -> Path:
    exif = Pillow.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    Pillow.fromarray(array).save(path, exif=exif, **options)
    return path


UPRIGHT = np.zeros((48, 64), np.uint8)
UPRIGHT[6:20, 8:40] = UPRIGHT[20:30, 8:16] = 255
_STORED = {  # EXIF 2.3, section 4.6.4: how the upright image is stored
    1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud,
    5: np.transpose, 6: np.rot90, 7: lambda a: np.rot90(a, 2).T, 8: lambda a: np.rot90(a, -1),
}  # fmt: skip


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_a_mask_turns_with_its_image(tmp_path: Path, orientation: int, suffix: str) -> None:
    stored = np.ascontiguousarray(_STORED[orientation](UPRIGHT))
    image = _oriented(tmp_path / f"a{suffix}", stored, orientation)
    np.testing.assert_array_equal(read_grey(image) >= 128, UPRIGHT >= 128)
    np.testing.assert_array_equal(read_mask_of(image, saved(tmp_path / "m.png", stored)), UPRIGHT > 0)
    own = _oriented(tmp_path / "own.png", stored, orientation)
    np.testing.assert_array_equal(read_mask_of(image, own), UPRIGHT > 0)
    said_upright = _oriented(tmp_path / "upright.png", UPRIGHT, 1)
    np.testing.assert_array_equal(read_mask_of(image, said_upright), UPRIGHT > 0)
    if orientation >= 5:  # a mask of the turned image's size was drawn upright
        np.testing.assert_array_equal(read_mask_of(image, saved(tmp_path / "m2.png", UPRIGHT)), UPRIGHT > 0)


def test_orientation_behind_the_pixels_of_a_png(tmp_path: Path) -> None:
    stored = np.ascontiguousarray(np.rot90(UPRIGHT))
    exif = Pillow.Exif()
    exif[0x0112] = 6
    block = b"eXIf" + exif.tobytes()[6:]
    chunk = struct.pack(">I", len(block) - 4) + block + struct.pack(">I", zlib.crc32(block))
    file = content(stored)
    (tmp_path / "a.png").write_bytes(file[:-12] + chunk + file[-12:])
    np.testing.assert_array_equal(read_mask_of(tmp_path / "a.png", saved(tmp_path / "m.png", stored)), UPRIGHT > 0)


@pytest.mark.parametrize("sigma", [0.7, 2.0, 6.0])
@pytest.mark.parametrize("peak", [60, 120])
def test_a_faint_soft_mask_is_cut_at_half_of_its_peak(sigma: float, peak: int) -> None:
    soft = cv2.GaussianBlur(FIRST.astype(np.uint8) * np.uint8(peak), (0, 0), sigma)
    found = read_mask(content(soft))
    if len(np.unique(soft)) > 9:
        np.testing.assert_array_equal(found, soft >= soft.max() / 2)
    assert np.count_nonzero(found != FIRST) <= 0.1 * np.count_nonzero(FIRST)


def test_forty_hard_labels_stay_all_lesion() -> None:
    labels = np.zeros((120, 160), np.uint8)
    for number in range(40):
        row, column = divmod(number, 8)
        labels[row * 20 : row * 20 + 12, column * 20 : column * 20 + 12] = number + 1
    np.testing.assert_array_equal(read_mask(content(labels)), labels > 0)


@pytest.mark.parametrize(("peak", "is_read"), [(2, False), (3, False), (6, False), (12, True), (20, True)])
def test_a_faint_and_wide_soft_mask_is_never_read_too_large(peak: int, is_read: bool) -> None:
    """Few values that rise by ones may be labels within labels; many are a soft edge, cut at half of its peak."""
    rows, columns = np.indices((200, 300))
    distance = np.hypot(rows - 100, columns - 150)
    soft = np.rint(np.clip((120 - distance) / 120, 0, 1) * peak).astype(np.uint8)
    if is_read:
        np.testing.assert_array_equal(read_mask(content(soft)), soft >= soft.max() / 2)
    else:
        with pytest.raises(ImageError, match=f"its values rise by ones from 0 to {peak}, .* name in mask_values which"):
            read_mask(content(soft))
    np.testing.assert_array_equal(read_mask(content(soft), values=[peak]), soft == peak)
    with pytest.raises(
        ImageError, match=r"compressed with loss and nowhere brighter than \d+ of 255, .*save it as PNG"
    ):
        read_mask(content(soft * np.uint8(1 if peak > 2 else 2), "JPEG", quality=90))


def test_a_hard_mask_of_ones_survives_jpeg() -> None:
    wrong = np.count_nonzero(read_mask(content(FIRST.astype(np.uint8), "JPEG", quality=95)) != FIRST)
    assert wrong <= 0.05 * np.count_nonzero(FIRST)
