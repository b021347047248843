from hypothesis import given
from hypothesis import strategies as st

from busight.report.text.sanitise import file_stem, printable, short_label


def test_printable_keeps_text_and_replaces_what_breaks_files() -> None:
    assert printable("Läsion, 5 mm\n中") == "Läsion, 5 mm\n中"
    assert printable("a\x00b\x1b\udc80\u202e") == "a\ufffdb\ufffd\ufffd\ufffd"


@given(st.text())
def test_printable_text_is_always_utf8(text: str) -> None:
    printable(text).encode()


@given(st.text(max_size=200), st.integers(6, 60))
def test_a_label_is_one_line_no_longer_than_asked(text: str, longest: int) -> None:
    label = short_label(text, longest)
    assert len(label) <= longest
    assert "\n" not in label


def test_a_long_label_keeps_both_ends() -> None:
    assert short_label("benign/" + "x" * 50 + " (12)", 20) == "benign/xx…xxxxx (12)"


def test_glyphs_the_figure_font_lacks_become_boxes() -> None:
    assert short_label("中 (1)") == "□ (1)"


def test_a_file_stem_cannot_leave_its_folder() -> None:
    assert file_stem("../../etc/x y") == "------etc-x-y"
