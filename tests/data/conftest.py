"""BUSI is read from end to end once for all tests of the data room (several seconds)."""

from pathlib import Path

import pytest

from busight.data.busi import load_busi
from busight.data.duplicates import DuplicatePair, near_duplicates
from busight.data.inspection import Inspection, inspect


@pytest.fixture(scope="session")
def busi(busi_root: Path) -> Inspection:
    return inspect(load_busi(str(busi_root)))


@pytest.fixture(scope="session")
def busi_pairs(busi: Inspection) -> tuple[DuplicatePair, ...]:
    return near_duplicates(busi.thumbnails)
