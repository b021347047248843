from pathlib import Path

from busight.io.paths import user_path


def test_a_folder_of_an_unknown_user_stays_as_typed() -> None:
    assert user_path("~nobody-of-this-name/x") == Path("~nobody-of-this-name/x")
    assert user_path("~") == Path.home()
