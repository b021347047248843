from pathlib import Path

import numpy as np
import pytest
from picture_files import LESION, NOISE, picture, save
from PIL import Image as Pillow

from busight.data.labels import LabelSchema
from busight.data.manifest import build_manifest
from busight.data.readers.inputs import list_files
from busight.data.sources.folder import load_folder, natural_order
from busight.errors import DataError, ImageError


def table(folder: Path, text: str, name: str = "samples.csv") -> Path:
    save(folder / "a.png", NOISE)
    save(folder / "b.png", picture(1))
    save(folder / "m1.png", LESION)
    save(folder / "m2.png", LESION[::-1])
    (folder / name).write_text(text)
    return folder / name


def test_class_folders_by_hand(tmp_path: Path) -> None:
    save(tmp_path / "benign" / "x10.png", NOISE)
    save(tmp_path / "benign" / "x2.jpg", NOISE)
    save(tmp_path / "benign" / "x2_mask.png", LESION)
    save(tmp_path / "benign" / "x2_mask_1.png", LESION[::-1])
    save(tmp_path / "malignant" / "deep" / "y.TIF", NOISE)
    (tmp_path / "malignant" / "notes.txt").write_text("no picture")
    save(tmp_path / "Elsewhere" / "z.png", NOISE)
    save(tmp_path / ".cache" / "z.png", NOISE)
    save(tmp_path / "__MACOSX" / "z.png", NOISE)
    data = load_folder(str(tmp_path))
    assert [sample.sample_id for sample in data.samples] == [
        "benign/x2.jpg",
        "benign/x10.png",
        "Elsewhere/z.png",
        "malignant/deep/y.TIF",
    ]
    assert [sample.label for sample in data.samples] == ["benign", "benign", "Elsewhere", "malignant"]
    assert data.labels == LabelSchema(("benign", "malignant", "Elsewhere"), "malignant")
    assert data.samples[0].mask_paths == ("benign/x2_mask.png", "benign/x2_mask_1.png")
    np.testing.assert_array_equal(data.reader.mask(data.samples[0]), LESION | LESION[::-1])
    assert data.reader.mask(data.samples[1]) is None
    assert data.name == "folder"
    assert [problem.text for problem in data.problems] == [
        "1 file left out, because the suffix is none of an image, e.g. malignant/notes.txt"
    ]


def test_masks_without_image_are_named(tmp_path: Path) -> None:
    for name in ("x.png", "gone_mask.png", "_mask.png"):
        save(tmp_path / "normal" / name, NOISE)
    data = load_folder(str(tmp_path))
    assert [sample.sample_id for sample in data.samples] == ["normal/x.png"]
    assert {(problem.path, problem.text) for problem in data.problems} == {
        ("normal/gone_mask.png", "mask without its image; left out"),
        ("normal/_mask.png", "mask without its image; left out"),
    }


def test_a_table_by_hand(tmp_path: Path) -> None:
    text = (
        "\ufeffpath,label,patient,mask,laterality,birads,device\n"
        "a.png, Benign ,p1,m1.png; m2.png,Left,3,Logiq\n"
        "b.png,,,,,,\n"
        "\n"
        "gone.png,normal,,,,,\n"
    )
    data = load_folder(str(table(tmp_path, text)))
    first, second = data.samples
    assert (first.sample_id, first.label, first.patient_id) == ("a.png", "benign", "p1")
    assert (first.laterality, first.birads, first.device) == ("left", 3, "Logiq")
    assert first.mask_paths == ("m1.png", "m2.png")
    assert (second.label, second.patient_id, second.birads, second.laterality) == (None, None, None, None)
    assert data.class_counts() == {"benign": 1, "unlabelled": 1}
    (problem,) = data.problems
    assert (problem.path, problem.text) == ("gone.png", "listed in the table, but no such file; left out")


def test_a_side_that_is_no_side_costs_no_image(tmp_path: Path) -> None:
    data = load_folder(str(table(tmp_path, "path,label,laterality\na.png,benign,single\nb.png,benign,R\n")))
    assert [sample.laterality for sample in data.samples] == [None, "right"]
    (problem,) = data.problems
    assert problem.text == "laterality 'single' of 1 lines is neither left nor right; taken as unknown"


def test_a_folder_with_a_table_is_read_by_the_table(tmp_path: Path) -> None:
    save(tmp_path / "malignant" / "c.png", NOISE)
    table(tmp_path, "path,label\na.png,normal\n")
    assert [sample.sample_id for sample in load_folder(str(tmp_path)).samples] == ["a.png"]


def test_a_mask_that_the_table_names_and_nobody_has(tmp_path: Path) -> None:
    data = load_folder(str(table(tmp_path, "path,label,mask\na.png,benign,gone.png\nb.png,benign,m1.png\n")))
    manifest = build_manifest(data)
    (problem,) = manifest.dataset.problems
    assert problem.path == "gone.png"
    assert "mask ignored" in problem.text
    assert len(manifest.rows) == 2


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "the columns path and label are needed, found none"),
        ("file,label\na.png,benign\n", "the columns path and label are needed, found file, label"),
        ("# from the clinic\npath,label\na.png,benign\n", "the columns path and label are needed, found # from the"),
        ("path;label;mask\na.png;benign;m1.png;m2.png\n", "line 2 has more cells than the header; put cells with semi"),
        ("path,label\na.png,benign\na.png,benign\n", "line 3 repeats the path a.png; name each image once"),
        ("path,label\na.png,benign\n./a.png,normal\n", "line 3 repeats the path a.png; name each image once"),
        ("id,path,label\n1,a.png,benign\n2,a.png,benign\n", "line 3 repeats the path a.png"),
        ("id,path,label\n1,a.png,benign\n1,b.png,benign\n", "line 3 repeats the id 1"),
        ("path,label\n,benign\n", "line 2 has no path; name an image"),
        ("path,label\na,b.png,benign\n", "line 2 has more cells than the header"),
        ("path,label,birads\na.png,benign,7\n", "line 2: BI-RADS '7' is not a category 0–6"),
        ("path,label,birads\na.png,benign,²\n", "line 2: BI-RADS '²' is not a category 0–6"),
        ('path,label\n"a.png,benign\n', "not a CSV table in UTF-8"),
        ("path,label\n", "has a header and no line under it"),
        ("path,label\ngone.png,benign\n", r"none of its 1 images is there \(first: gone.png\); paths are relative"),
        ("path,label,label\na.png,benign,normal\n", "has two columns label"),
        ("path,label,part\na.png,benign,banana\n", "part 'banana' is not train, val, test or the number of a fold"),
        ("path,label,part\na.png,benign,train\nb.png,benign,2\n", "parts are partly folds, partly train"),
        ("path,label,spacing_mm\na.png,benign,1e-300;0.1\n", "spacing_mm '1e-300;0.1' is not ROW;COLUMN from 0.001 to"),
    ],
)
def test_tables_that_are_refused(tmp_path: Path, text: str, rule: str) -> None:
    with pytest.raises(DataError, match=rule) as caught:
        load_folder(str(table(tmp_path, text)))
    assert "\n" not in str(caught.value)
    assert "samples.csv" in str(caught.value)


@pytest.mark.parametrize("label", ["bening", "malignent", "Normals"])
def test_a_label_that_is_probably_another_misspelt_is_refused(tmp_path: Path, label: str) -> None:
    with pytest.raises(DataError, match=f"label '{label}' looks like '.*' written otherwise; .* labels.json") as caught:
        load_folder(str(table(tmp_path, f"path,label\na.png,{label}\nb.png,benign\n")))
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="label 'CYST' looks like 'cyst' written otherwise"):
        load_folder(str(table(tmp_path, "path,label\na.png,cyst\nb.png,CYST\n")))


def test_labels_json_says_what_the_class_names_mean(tmp_path: Path) -> None:
    path = table(tmp_path, "path,label\na.png,cyst\nb.png,grade 2\n")
    assert load_folder(str(path)).labels == LabelSchema(("cyst", "grade 2"))
    text = '{"names": ["empty", "cyst", "grade 2"], "positive": "grade 2", "without_lesion": ["empty"]}'
    (tmp_path / "labels.json").write_text(text)
    assert load_folder(str(path)).labels == LabelSchema(("empty", "cyst", "grade 2"), "grade 2", ("empty",))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "not label names .*; write"),
        ('{"names": ["cyst"]}', "not label names .*at least two different names are needed"),
        (
            '{"names": ["cyst", "grade 2"], "positive": "grade 3"}',
            "not label names .*label 'grade 3' is not one of the classes",
        ),
        ('{"names": ["cyst", "grade 2"], "colour": "red"}', "not label names"),
        ('{"names": ["cyst", "grade 1"]}', "does not name the label 'grade 2'; known: cyst, grade 1"),
    ],
)
def test_label_names_that_are_refused(tmp_path: Path, text: str, rule: str) -> None:
    path = table(tmp_path, "path,label\na.png,cyst\nb.png,grade 2\n")
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(DataError, match=f"labels.json: {rule}") as caught:
        load_folder(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_as_spreadsheets_save_them(tmp_path: Path, encoding: str, delimiter: str) -> None:
    save(tmp_path / "ä.png", NOISE)
    spacing = "0.1;0.2" if delimiter == "," else '"0,1;0,2"'
    rows = (
        ("", "PATH", "Label", " Patient ", "Mask", "BI-RADS", "Spacing_mm", "Site", "", ""),
        ("0", "a.png", "benign", "p1", '"m1.png;m2.png"', "4A", spacing, "", "", ""),
        ("1", "ä.png", "malignant", "NaN", "", "4.0", "", "Köln", "", ""),
        ("", "", "", "", "", "", "", "", "", ""),
    )  # fmt: skip
    cells = [[f'"{cell}"' if ";" in cell and '"' not in cell else cell for cell in row] for row in rows]
    text = "\r\n".join(delimiter.join(row) for row in cells) + "\r\n"
    path = table(tmp_path, "")
    path.write_bytes(text.encode(encoding))
    data = load_folder(str(path))
    first, second = data.samples
    assert (first.image_path, first.patient_id, first.mask_paths) == ("a.png", "p1", ("m1.png", "m2.png"))
    assert (first.birads, first.pixel_spacing_mm) == (4, (0.1, 0.2))
    assert (second.image_path, second.label, second.patient_id, second.birads) == ("ä.png", "malignant", None, 4)
    assert first.metadata == (("birads_subcategory", "4A"),)
    assert second.metadata == (("Site", "Köln"),)
    told = [problem.text for problem in data.problems]
    assert ["not in UTF-8, read as Windows-1252" in text for text in told] == [True] * (encoding == "cp1252") + [False]
    assert told[-1] == "kept as metadata, without a meaning here: Site"


def test_a_column_that_is_probably_another_is_told(tmp_path: Path) -> None:
    data = load_folder(str(table(tmp_path, "path,label,patient_id,devise,age\na.png,benign,p1,Logiq,50\n")))
    assert data.samples[0].metadata == (("patient_id", "p1"), ("devise", "Logiq"), ("age", "50"))
    assert [problem.text for problem in data.problems] == [
        "kept as metadata, without a meaning here: patient_id, devise, age",
        "column 'patient_id' has no meaning here; rename it to 'patient' if it is that",
        "column 'devise' has no meaning here; rename it to 'device' if it is that",
    ]


def test_masks_by_copied_names(tmp_path: Path) -> None:
    save(tmp_path / "benign" / "x.jfif", NOISE)
    save(tmp_path / "benign" / "case_07.png", NOISE)
    names = (
        "x_mask.png",
        "x_mask (1).png",
        "x_Mask - Copy.tif",
        "x_mask_1_1.png",
        "case_mask_07.png",
        "gone_mask (1).png",
    )
    for name in names:
        save(tmp_path / "benign" / name, LESION)
    save(tmp_path / "normal" / "y.JPE", NOISE)
    (tmp_path / "normal" / "._y.JPE").write_bytes(b"AppleDouble")
    save(tmp_path / "loose.png", NOISE)
    data = load_folder(str(tmp_path))
    masks = {sample.image_path: len(sample.mask_paths) for sample in data.samples}
    assert masks == {"benign/x.jfif": 4, "benign/case_07.png": 1, "normal/y.JPE": 0}
    assert [(problem.path, problem.text) for problem in data.problems] == [
        ("benign/gone_mask (1).png", "mask without its image; left out"),
        ("loose.png", "1 images beside the class folders were left out; move them into the folder of their class"),
    ]


def test_folders_that_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\(nothing\): no such folder; write --data folder:PATH"):
        load_folder("")
    with pytest.raises(DataError, match="the folder is empty"):
        load_folder(str(tmp_path))
    save(tmp_path / "a.png", NOISE)
    with pytest.raises(DataError, match=r"no labelled images found; expected a sub-folder for each class"):
        load_folder(str(tmp_path))


@pytest.mark.parametrize("only_masks", [False, True])
def test_a_class_without_images(tmp_path: Path, only_masks: bool) -> None:
    save(tmp_path / "benign" / "a.png", NOISE)
    (tmp_path / "malignant").mkdir()
    if only_masks:
        save(tmp_path / "malignant" / "a_mask.png", LESION)
    with pytest.raises(DataError, match="malignant: no images of class malignant; add some or remove the folder"):
        load_folder(str(tmp_path))


def test_natural_order() -> None:
    names = ["a (10).png", "B (1).png", "a (2).png", "a5²3.png"]
    assert sorted(map(Path, names), key=natural_order) == [
        Path("a5²3.png"),
        Path("a (2).png"),
        Path("a (10).png"),
        Path("B (1).png"),
    ]


def test_a_carriage_return_in_a_name_survives_the_table(tmp_path: Path) -> None:
    save(tmp_path / "a\rb.png", NOISE)
    table(tmp_path, 'path,label\n"a\rb.png",benign\n')
    assert [sample.sample_id for sample in load_folder(str(tmp_path)).samples] == ["a\rb.png"]


def test_a_table_says_which_values_of_a_mask_are_lesion(tmp_path: Path) -> None:
    mask = np.zeros((40, 50), np.uint8)
    mask[5:15, 5:15], mask[20:30, 20:30] = 85, 170
    for name, pixels in (("a.png", np.full((40, 50), 90, np.uint8)), ("m.png", mask)):
        Pillow.fromarray(pixels).save(tmp_path / name)
    expected = {"": mask > 0, "85": mask == 85, "170.0": mask == 170, "85;170": mask > 0, "3": mask > 255}
    for values, lesion in expected.items():
        (tmp_path / "samples.csv").write_text(f"path,label,mask,mask_values\na.png,benign,m.png,{values}\n")
        data = load_folder(str(tmp_path))
        np.testing.assert_array_equal(data.reader.mask(data.samples[0]), lesion)
    for wrong in ("red", "0", "-1", "1.5", "70000"):
        (tmp_path / "samples.csv").write_text(f"path,label,mask,mask_values\na.png,benign,m.png,{wrong}\n")
        with pytest.raises(DataError, match=r"line 2: mask_values .* are not whole numbers above 0"):
            load_folder(str(tmp_path))
    (tmp_path / "samples.csv").write_text("path,label,mask,mask_values\na.png,benign,m.jpg,85\n")
    Pillow.fromarray(mask).save(tmp_path / "m.jpg")
    data = load_folder(str(tmp_path))
    with pytest.raises(ImageError, match="compressed with loss, so that its values are not exact"):
        data.reader.mask(data.samples[0])


def test_results_inside_a_data_set_are_no_class(tmp_path: Path) -> None:
    for name in ("benign/a.png", "malignant/b.png"):
        save(tmp_path / name, NOISE)
    for marker, image in (
        ("found/lesions.csv", "found/masks/00001_a_0.png"),
        ("stopped/lesions.unfinished.csv", "stopped/masks/00001_a_0.png"),
        ("explained/report.html", "explained/figures/map.png"),
        ("pages/00001_a_0/report.html", "pages/00001_a_0/figures/map.png"),
        ("benign/audit/audit.json", "benign/audit/figures/map.png"),
        ("runs/default/bundle/card.json", "runs/default/figures/roc.png"),
    ):
        save(tmp_path / image, NOISE)
        (tmp_path / marker).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / marker).write_text("x")
    data = load_folder(str(tmp_path))
    assert [sample.sample_id for sample in data.samples] == ["benign/a.png", "malignant/b.png"]
    assert {problem.path for problem in data.problems} == {
        *("found", "stopped", "explained", "pages/00001_a_0", "benign/audit", "runs/default")
    }
    assert {problem.text for problem in data.problems} == {
        "a bundle or a result of BUSight, whose images are none; left out"
    }
    for place in ("overlays", "benign/overlays", "enhanced/images"):
        save(tmp_path / place / "00001_a_0.png", NOISE)
        with pytest.raises(DataError, match=f"{place}: its images are named like those that BUSight draws"):
            load_folder(str(tmp_path))
        (tmp_path / place / "00001_a_0.png").unlink()
        (tmp_path / place).rmdir()
        if place.startswith("enhanced"):
            (tmp_path / "enhanced").rmdir()


def test_12_bit_values_in_16_bits_are_left_out_whatever_lies_beside_them(tmp_path: Path) -> None:
    save(tmp_path / "benign" / "twelve.png", NOISE.astype(np.uint16) * 16)
    twelve = load_folder(str(tmp_path))
    with pytest.raises(ImageError, match="fill neither 8 nor 16 bits"):
        twelve.reader.image(twelve.samples[0])
    save(tmp_path / "benign" / "full.png", NOISE.astype(np.uint16) * 257)
    manifest = build_manifest(load_folder(str(tmp_path)))
    assert [row.sample.sample_id for row in manifest.rows] == ["benign/full.png"]
    np.testing.assert_array_equal(manifest.dataset.reader.image(manifest.rows[0].sample), NOISE)
    assert ["fill neither 8 nor 16 bits" in problem.text for problem in manifest.dataset.problems] == [True]


def test_a_table_written_on_windows_names_the_same_images(tmp_path: Path) -> None:
    """A backslash separates folders, unless a file of that very name is there."""
    for name in ("images/a.png", "images\\b.png"):
        save(tmp_path / name, NOISE)
    save(tmp_path / "masks" / "a.png", LESION)
    rows = ["path,label,mask", r"images\a.png,benign,masks\a.png", r"images\b.png,benign,"]
    (tmp_path / "samples.csv").write_text("\n".join(rows))
    data = load_folder(str(tmp_path))
    assert [sample.image_path for sample in data.samples] == ["images/a.png", "images\\b.png"]
    assert (data.samples[0].sample_id, data.samples[0].mask_paths) == ("images/a.png", ("masks/a.png",))
    assert [path.name for path in list_files([tmp_path]).masks] == ["a.png"]
