"""What the figures draw, looked up in the drawn objects."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from synthetic_record import synthetic_crossval, synthetic_record

from busight.report.catalogue import FIGURES
from busight.report.figures.activation import relative_activation
from busight.report.figures.confusion_matrix import draw_confusion_matrix
from busight.report.figures.panels import ANNOTATED_STYLE, outline, panel_grid
from busight.report.figures.shrink import shrink_stages
from busight.report.figures.target_prediction import draw_target_prediction
from busight.report.figures.training_curves import draw_training_curve
from busight.report.render.style import SEQUENTIAL, styled

RECORD = synthetic_record(counts=(4, 8, 6), images=6)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_names_of_figures_are_unique_and_every_figure_is_explained() -> None:
    specs = {family: specs_of(RECORD) for family, specs_of in FIGURES.items()}
    assert [family for family, of_family in specs.items() if not of_family] == ["folds"]
    names = [spec.name for of_family in specs.values() for spec in of_family]
    assert len(names) == len(set(names))
    for spec in (spec for of_family in specs.values() for spec in of_family):
        assert spec.title
        assert spec.alt.endswith(".")
        assert spec.caption.endswith(".")


def test_only_a_cross_validation_has_fold_metrics_and_it_has_no_single_cases() -> None:
    empty = {family for family, specs_of in FIGURES.items() if not specs_of(synthetic_crossval())}
    assert empty == {"example cases", "samples", "training", "predictions", "segmentation", "activation"}


def test_confusion_matrix_shows_counts_and_row_shares() -> None:
    figure = draw_confusion_matrix(((3, 1), (0, 0)), ("benign", "malignant"))
    assert texts(figure) == ["3", "1", "0", "0", "75.0%", "25.0%", "–", "–"]


@pytest.mark.parametrize(
    ("quantity", "hues"),
    [("accuracy", ("blue", "red")), ("loss", ("green", "orange"))],
)
def test_curves_have_the_papers_colours_and_mark_the_kept_epoch(quantity, hues) -> None:
    classifier = RECORD.histories[1]
    ax = draw_training_curve(classifier, quantity).axes[0]
    training, validation, kept = ax.lines
    assert [hue(line.get_color()) for line in (training, validation)] == list(hues)
    assert training.get_linestyle() != validation.get_linestyle()
    assert training.get_marker() != validation.get_marker()
    assert list(kept.get_xdata()) == [classifier.best_epoch] * 2
    assert list(training.get_ydata()) == [getattr(row, f"train_{quantity}") for row in classifier.rows]


def hue(colour: str) -> str:
    red, green, blue = (int(to_hex(colour)[i : i + 2], 16) for i in (1, 3, 5))
    if max(red, green, blue) == blue:
        return "blue"
    if max(red, green, blue) == green:
        return "green"
    return "orange" if green > 0.4 * red else "red"


def test_a_segmenter_has_a_dice_curve_in_place_of_accuracy() -> None:
    assert [spec.name for spec in FIGURES["training"](RECORD)] == [
        "dice-segmenter",
        "loss-segmenter",
        "accuracy-classifier",
        "loss-classifier",
    ]


def test_exactly_the_wrong_predictions_are_marked() -> None:
    record = synthetic_record(seed=3, images=16)
    cases = list(record.more_cases)
    n_errors = sum(stages.case.is_error for stages in cases)
    assert 0 < n_errors < len(cases)
    assert texts(draw_target_prediction(cases)).count("✗ wrong") == n_errors


def test_an_outline_follows_a_mask_that_fills_the_image() -> None:
    _, axes = panel_grid(1, 1)
    outline(axes[0], np.ones((4, 6), bool), ANNOTATED_STYLE)
    corners = np.concatenate([path.vertices for path in axes[0].collections[0].get_paths()])
    assert corners.min(0).tolist() == pytest.approx([-0.5, -0.5])
    assert corners.max(0).tolist() == pytest.approx([5.5, 3.5])


def test_an_empty_mask_draws_nothing() -> None:
    _, axes = panel_grid(1, 1)
    outline(axes[0], np.zeros((4, 6), bool), ANNOTATED_STYLE)
    assert not axes[0].collections


def test_a_flat_or_broken_activation_map_is_no_activation() -> None:
    assert not relative_activation(np.full((2, 3), 7, np.float32)).any()
    assert not relative_activation(np.array([[np.nan, 1.0]], np.float32)).any()


def test_the_shading_keeps_its_order_in_grey() -> None:
    luminance = SEQUENTIAL(np.linspace(0, 1, 64))[:, :3] @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(luminance) < 0).all()


def test_shrinking_keeps_aspect_lesion_and_box() -> None:
    stages = RECORD.example_cases[1]
    small = shrink_stages(stages, longest=75)
    assert small.image.shape == (60, 75)
    assert small.annotated_mask is not None
    assert small.annotated_mask.mean() == pytest.approx(stages.annotated_mask.mean(), rel=0.05)
    assert (small.roi.top, small.roi.left) == (round(stages.roi.top / 2), round(stages.roi.left / 2))


def test_the_readers_own_style_neither_leaks_in_nor_out() -> None:
    import matplotlib

    with matplotlib.rc_context({"font.size": 31}):
        with styled():
            assert matplotlib.rcParams["font.size"] == 9
        assert matplotlib.rcParams["font.size"] == 31
