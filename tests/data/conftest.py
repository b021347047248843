"""BUSI is read from end to end once for all tests of the data room (several seconds)."""

from pathlib import Path

import pytest

from busight.audit.duplicates.near_duplicates import Copy, find_copies
from busight.data.manifest import Inspection, inspect
from busight.data.sources.busi import load_busi


@pytest.fixture(scope="session")
def busi(busi_root: Path) -> Inspection:
    return inspect(load_busi(str(busi_root)))


@pytest.fixture(scope="session")
def busi_copies(busi: Inspection) -> tuple[Copy, ...]:
    return find_copies(busi.smalls, [entry.image_digest for entry in busi.entries])
