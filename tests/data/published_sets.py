"""Writes miniatures of public data sets in their official layouts for the tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from picture_files import LESION, picture, save
from PIL import Image as Pillow

RED, GREEN = (255, 0, 0), (0, 255, 0)

BREAST_COLUMNS = (
    "CaseID", "Image_filename", "Mask_tumor_filename", "Mask_other_filename", "Pixel_size", "Age",
    "Tissue_composition", "Signs", "Symptoms", "Shape", "Margin", "Echogenicity", "Posterior_features", "Halo",
    "Calcifications", "Skin_thickening", "Interpretation", "BIRADS", "Verification", "Diagnosis", "Classification",
)  # fmt: skip
BREAST_TABLE = "BrEaST-Lesions-USG-clinical-data-Dec-15-2023"
BREAST_FOLDER = "BrEaST-Lesions_USG-images_and_masks"


def breast_row(case: int, label: str, **cells: Any) -> dict[str, Any]:
    """A row of BrEaST's table; a normal case has no mask and no tumour."""
    lesion = label != "normal"
    row = {
        **dict.fromkeys(BREAST_COLUMNS, "not applicable"),
        "CaseID": case,
        "Image_filename": f"case{case:03d}.png",
        "Mask_tumor_filename": f"case{case:03d}_tumor.png" if lesion else None,
        "Mask_other_filename": None,
        "Pixel_size": 0.007,
        "Age": 57,
        "Halo": "no",
        "BIRADS": {"normal": 1, "benign": "4a", "malignant": 5}[label],
        "Classification": label,
    }
    return row | cells


BREAST_ROWS = (
    breast_row(1, "benign", Diagnosis="Fibroadenoma", Mask_other_filename="case001_other1.png&case001_other2.png"),
    breast_row(2, "malignant", Diagnosis="Invasive carcinoma & DCIS", Pixel_size=0.1),
    breast_row(3, "normal"),
    breast_row(4, "malignant", BIRADS="4C", Mask_tumor_filename="case004_tumor1.png&case004_tumor2.png"),
)


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]], mark: str = ",") -> Path:
    lines = [mark.join(columns)]
    lines += [mark.join("" if row[column] is None else str(row[column]) for column in columns) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join((*lines, "")), encoding="utf-8")
    return path


def write_workbook(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> Path:
    """A workbook whose second sheet is the table; the first one explains it, as in BrEaST."""
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["Column", "What it means"])
    sheet = book.create_sheet("clinical data")
    for row in (columns, *([row[column] for column in columns] for row in rows)):
        sheet.append(list(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def opaque(mask: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """A mask as RGBA: one colour where it is, transparent elsewhere."""
    return np.dstack([np.where(mask, value, 0) for value in (*colour, 255)]).astype(np.uint8)


def small_breast(root: Path, rows: Sequence[dict[str, Any]] = BREAST_ROWS, suffix: str = ".csv") -> Path:
    """Case 1 benign with two other findings, 2 malignant, 3 normal, 4 malignant with two tumours."""
    folder = root / BREAST_FOLDER
    for row in rows:
        case = str(row["Image_filename"]).removesuffix(".png")
        save(folder / f"{case}.png", np.dstack([picture(int(row["CaseID"]))] * 3))
        for number, name in enumerate(str(row["Mask_tumor_filename"] or "").split("&")):
            if name:
                save(folder / name, opaque(np.roll(LESION, 11 * number, axis=1), (255, 255, 255)))
        for name in str(row["Mask_other_filename"] or "").split("&"):
            if name:
                save(folder / name, opaque(np.roll(LESION, 8, axis=0), (255, 255, 255)))
    (write_workbook if suffix == ".xlsx" else write_csv)(root / f"{BREAST_TABLE}{suffix}", BREAST_COLUMNS, rows)
    return root


UCLM_COLUMNS = ("Image", "Resolution", "Label", "Doppler", "Marks", "Combined")
UCLM_ROWS = tuple(
    dict(zip(UCLM_COLUMNS, row, strict=True))
    for row in (
        ("ALWI_000.png", "32x24", "Benign", "No", "Yes", "No"),
        ("ALWI_001.png", "32x24", "Normal", "No", "No", "No"),
        ("HESN_000.png", "32x24", "Malignant", "Yes", "No", "No"),
        ("VITR_000.png", "32x24", "Malignant", "No", "No", "Yes"),
    )
)


def painted(**lesions: np.ndarray) -> np.ndarray:
    """An RGB mask: black, with lesions in red or green."""
    mask = np.zeros((24, 32, 3), np.uint8)
    for colour, lesion in lesions.items():
        mask[lesion] = {"red": RED, "green": GREEN}[colour]
    return mask


SECOND_LESION = np.roll(LESION, 11, axis=1)


def small_bus_uclm(root: Path, rows: Sequence[dict[str, str]] = UCLM_ROWS) -> Path:
    """Two images of ALWI, one of HESN, one of VITR with a green and a red lesion."""
    masks = {
        "ALWI_000.png": painted(green=LESION),
        "ALWI_001.png": painted(),
        "HESN_000.png": painted(red=LESION),
        "VITR_000.png": painted(green=LESION, red=SECOND_LESION),
    }
    for number, (name, mask) in enumerate(masks.items()):
        save(root / "images" / name, np.dstack([picture(number)] * 3))
        save(root / "masks" / name, mask)
    write_csv(root / "INFO.csv", UCLM_COLUMNS, rows, mark=";")
    return root


def small_bus_uc(root: Path) -> Path:
    """Two images a class of 001 and 002, and the folder All with the same four."""
    for place, label in enumerate(("Benign", "Malignant")):
        for number in (1, 2):
            image, mask = picture(10 * number + place), LESION
            save(root / label / "images" / f"{number:03d}.png", image)
            save(root / label / "masks" / f"{number:03d}.png", mask)
            save(root / "All" / "images" / f"{2 * place + number:03d}.png", image)
            save(root / "All" / "masks" / f"{2 * place + number:03d}.png", mask)
    return root


def small_buid(root: Path) -> Path:
    """Cases 1, 2 and 10 a class; the lesion's picture beside image and mask."""
    for place, label in enumerate(("Benign", "Malignant")):
        for number in (1, 2, 10):
            image = np.dstack([picture(10 * number + place)] * 3)
            save(root / label / f"{number} {label} Image.bmp", image)
            save(root / label / f"{number} {label} Lesion.bmp", image * LESION[:, :, None])
            mask = Pillow.fromarray(LESION.astype(np.uint8) * 255).convert("1")
            mask.save(root / label / f"{number} {label} Mask.tif")
    return root


UDIAT_COLUMNS = ("Image", "Type", "Diagnosis")
UDIAT_ROWS = tuple(
    dict(zip(UDIAT_COLUMNS, row, strict=True))
    for row in ((1, "Benign", "CYST"), (2, "Malignant", "IDC"), (3, "Benign", ""), (10, "Malignant", "ILC"))
)


def small_udiat(root: Path, rows: Sequence[dict[str, Any]] = UDIAT_ROWS, suffix: str = ".csv") -> Path:
    """Images 1, 2, 3 and 10."""
    for number in (1, 2, 3, 10):
        save(root / "original" / f"{number:06d}.png", picture(number))
        save(root / "GT" / f"{number:06d}.png", LESION)
    if rows:
        (write_workbook if suffix == ".xlsx" else write_csv)(root / f"DatasetB{suffix}", UDIAT_COLUMNS, rows)
    return root


def echoes(seed: int, shape: tuple[int, int] = (1040, 64)) -> np.ndarray:
    """Speckle-like echoes at 10 MHz, sampled at 40 MHz, weaker with depth, int16."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=shape) * np.cos(2 * np.pi * 0.25 * np.arange(shape[0]))[:, None]
    return (8000 * noise * np.exp(-np.arange(shape[0]) / shape[0])[:, None]).astype(np.int16)


def oasbud_lesion(number: int, **fields: Any) -> dict[str, Any]:
    roi = np.zeros((1040, 64), np.uint8)
    roi[400:640, 20:45] = 1
    benign = number % 2 == 1
    lesion = {
        "id": f"p{number}",
        "rf1": echoes(2 * number),
        "rf2": echoes(2 * number + 1),
        "roi1": roi,
        "roi2": np.roll(roi, 5, axis=1),
        "birads": "3" if benign else "4c",
        "class": 0 if benign else 1,
    }
    return lesion | fields


def small_oasbud(folder: Path, lesions: Sequence[dict[str, Any]] | None = None) -> Path:
    """Lesions 1 and 3 benign, 2 and 4 malignant; 3 and 4 are of one woman."""
    from scipy.io import savemat

    lesions = lesions or [oasbud_lesion(number, **({"id": "p3"} if number == 4 else {})) for number in (1, 2, 3, 4)]
    names = tuple(lesions[0])
    data = np.zeros((1, len(lesions)), dtype=[(name, object) for name in names])
    for place, lesion in enumerate(lesions):
        for name in names:
            data[name][0, place] = lesion[name]
    folder.mkdir(parents=True, exist_ok=True)
    savemat(folder / "OASBUD.mat", {"data": data}, do_compression=True)
    return folder / "OASBUD.mat"
