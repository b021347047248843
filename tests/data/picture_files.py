"""Writes small pictures and data sets in the official layouts for the tests."""

import io
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

NOISE = np.random.default_rng(0).integers(0, 256, (24, 32), dtype=np.uint8)
LESION = np.zeros((24, 32), dtype=bool)
LESION[8:14, 10:20] = True

BUSBRA_HEADER = "ID,Case,Histology,Pathology,BIRADS,Device,Width,Height,Side,BBOX"
BREASTMNIST_PARTS = ("train", "val", "test")


def save(path: Path, pixels: np.ndarray) -> Path:
    """Write a picture; a bool array becomes a mask of 0 and 255."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels.astype(np.uint8) * 255 if pixels.dtype == np.bool_ else pixels).save(path)
    return path


def noise_files(folder: Path, count: int, broken: int) -> Path:
    """Write so many pictures of noise to a folder, one of which is no image."""
    rng = np.random.default_rng(0)
    for number in range(count):
        save(folder / f"{number:03d}.png", rng.integers(20, 200, (120, 160)).astype(np.uint8))
    (folder / f"{broken:03d}.png").write_bytes(b"no image")
    return folder


def picture(seed: int, shape: tuple[int, int] = (24, 32)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def small_busi(root: Path, count: int = 3) -> Path:
    """Images 1..count of each class, each with its mask; normal ones with an empty mask."""
    for number in range(1, count + 1):
        for place, finding in enumerate(("benign", "malignant", "normal")):
            name = f"{finding} ({number})"
            save(root / finding / f"{name}.png", picture(10 * number + place))
            save(root / finding / f"{name}_mask.png", LESION & (finding != "normal"))
    return root


def small_busbra(root: Path, *rows: str) -> Path:
    """Two images of case 1 (left, right) and one of case 2, in folds 1 and 2; or the given rows for the table."""
    rows = rows or (
        'bus_0001-l,1,fibroadenoma,benign,3,GE Logiq 7,32,24,left,"[10,8,10,6]"',
        'bus_0001-r,1,fibroadenoma,benign,2,GE Logiq 7,32,24,right,"[10,8,10,6]"',
        'bus_0002-s,2,invasive ductal carcinoma,malignant,5,GE Logiq 5,32,24,single,"[10,8,10,6]"',
    )
    root.mkdir(parents=True, exist_ok=True)
    (root / "bus_data.csv").write_text("\n".join((BUSBRA_HEADER, *rows, "")))
    folds = ("ID,Pathology,kFold", "bus_0001-l,benign,1", "bus_0001-r,benign,1", "bus_0002-s,malignant,2", "")
    (root / "5-fold-cv.csv").write_text("\n".join(folds))
    for number, name in enumerate(("0001-l", "0001-r", "0002-s")):
        save(root / "Images" / f"bus_{name}.png", picture(number))
        save(root / "Masks" / f"mask_{name}.png", LESION)
    return root


def breastmnist_arrays(side: int = 28) -> dict[str, np.ndarray]:
    """Three images a part, labels 0 1 1."""
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}
    for part in BREASTMNIST_PARTS:
        arrays[f"{part}_images"] = rng.integers(0, 256, (3, side, side), dtype=np.uint8)
        arrays[f"{part}_labels"] = np.array([[0], [1], [1]], dtype=np.uint8)
    return arrays


def npz_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()
