from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from busight.data.labels import LabelSchema
from busight.io.csv_text import csv_rows
from busight.model.bundle.card import Card
from busight.report.overlay import draw_overlay
from busight.results.prediction_record import csv_header, csv_line, record_of
from busight.types import Failure, ImageRef, Mask, Prediction, Rejected, Roi

LABELS = LabelSchema(("no lesion", "lesion"), "lesion", ("no lesion",))
CARD = cast("Card", SimpleNamespace(labels=LABELS, name="toy", digest="ab" * 32))


def made(mask: Mask | None, spacing: tuple[float, float] | None) -> Prediction:
    image = np.zeros((10, 20), np.uint8)
    probs = np.array([0.25, 0.75])
    return Prediction(
        ref=ImageRef("x.png", SOPInstanceUID="1.2.3", pixel_spacing_mm=spacing),
        classes=LABELS.names,
        positive="lesion",
        label="lesion",
        logits=np.log(probs),
        network_logits=np.log(probs),
        raw_probs=probs,
        calibrated_probs=probs,
        image=image,
        enhanced=image,
        roi=Roi(0, 0, 10, 20),
        mask=mask,
    )


def test_areas_and_boxes_by_hand() -> None:
    mask = np.zeros((10, 20), np.bool_)
    mask[2:5, 4:10] = True
    record = record_of(made(mask, (0.5, 0.2)), CARD)
    assert record["mask_area_px"] == 18
    assert record["mask_area_mm2"] == pytest.approx(1.8)
    assert [record[f"box_{side}"] for side in ("top", "left", "bottom", "right")] == [2, 4, 5, 10]
    assert (record["box_height_mm"], record["box_width_mm"]) == (1.5, pytest.approx(1.2))
    assert (record["path"], record["SOPInstanceUID"], record["StudyInstanceUID"]) == ("x.png", "1.2.3", None)
    assert (record["model"], record["model_digest"]) == ("toy", "ab" * 32)


def test_areas_and_boxes_are_those_of_the_file_where_its_pixels_are_not_square() -> None:
    """Of 10 rows as read 5 are stored, from row 100 and column 7 of the frame on."""
    mask = np.zeros((10, 20), np.bool_)
    mask[2:8, 4:10] = True
    read = made(mask, (0.2, 0.2))
    read = replace(read, ref=replace(read.ref, origin=(100, 7), scale=(2.0, 1.0)))
    record = record_of(read, CARD)
    assert record["mask_area_px"] == 18
    assert record["mask_area_mm2"] == pytest.approx(18 * 0.4 * 0.2)
    assert [record[f"box_{side}"] for side in ("top", "left", "bottom", "right")] == [101, 11, 104, 17]
    assert (record["box_height_mm"], record["box_width_mm"]) == pytest.approx((1.2, 1.2))


def test_unknown_spacing_and_empty_masks_are_null_and_not_zero_millimetres() -> None:
    record = record_of(made(np.zeros((10, 20), np.bool_), None), CARD)
    assert record["mask_area_px"] == 0
    assert record["mask_area_mm2"] is None
    assert record["box_top"] is None
    assert record_of(made(None, None), CARD)["mask_area_px"] is None


def test_failures_and_rejections_have_the_same_columns_as_predictions() -> None:
    good = record_of(made(None, None), CARD)
    bad = record_of(Failure(ImageRef("y.png"), "broken, sadly"), CARD)
    rejected = record_of(Rejected("unlike", made(None, None)), CARD)
    assert list(good) == list(bad) == list(rejected) == csv_header(LABELS).split(",")
    assert csv_line(bad).endswith('"broken, sadly"')
    formula = record_of(Failure(ImageRef("=HYPERLINK(1).png"), "@SUM(1): broken"), CARD)
    assert csv_line(formula).startswith("'=HYPERLINK(1).png,0,")
    ((path, *_, error),) = csv_rows(csv_line(formula))
    assert (path, error) == ("=HYPERLINK(1).png", "@SUM(1): broken")
    assert (rejected["rejected"], rejected["label"], rejected["error"]) == ("unlike", None, None)
    shown = record_of(Rejected("unlike", made(None, None)), CARD, show_rejected=True)
    assert (shown["rejected"], shown["label"]) == ("unlike", "lesion")


def test_overlay_draws_the_outline_and_leaves_the_rest() -> None:
    mask = np.zeros((10, 20), np.bool_)
    mask[2:8, 4:16] = True
    picture = draw_overlay(made(mask, None))
    assert picture.shape == (30, 20, 3)
    assert picture[2, 4].tolist() == [255, 176, 0]
    assert not picture[0, 0].any()
    assert picture[10:].any()  # the line of words, below the image
