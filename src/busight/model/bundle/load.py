"""Reading a bundle: its format, its paths and every byte are checked before anything is used."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from busight.errors import BundleError
from busight.io.digests import sha256_of_file
from busight.model.bundle.card import CARD, FORMAT, Card, card_digest, is_known_file


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle on disk with verified files.

    Attributes:
        folder: Its folder.
        card: Its card.
    """

    folder: Path
    card: Card

    @property
    def parts(self) -> tuple[Path, Card]:
        """Folder and card."""
        return self.folder, self.card


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle and check every file of it.

    Args:
        folder: The bundle, or the folder of a run with one under ``bundle/``.

    Raises:
        BundleError: Not a bundle, of a newer format, with a path that leaves the folder, or with a changed byte.
    """
    if not (folder / CARD).is_file() and (folder / "bundle" / CARD).is_file():
        folder = folder / "bundle"
    card = _read_card(folder / CARD)
    for name, digest in card.files.items():
        if not is_known_file(name):
            raise BundleError(
                f"{folder}: names the file {name!r}, which is not part of a bundle; do not use this bundle"
            )
        path = folder / name
        if not path.is_file() or path.is_symlink():
            raise BundleError(f"{path}: missing from the bundle; copy the whole folder again")
        if sha256_of_file(path) != digest:
            raise BundleError(
                f"{path}: changed since the bundle was made (SHA-256 differs); copy the whole folder again"
            )
    return Bundle(folder, card)


def _remedy_without_card(folder: Path) -> str:
    """Return what to do with a folder that is no bundle, by what lies in it."""
    if any(folder.glob("repeat-*/fold-*/bundle")):
        return "of a cross-validation give one fold, e.g. repeat-1/fold-1, or make one bundle with busight ensemble"
    if (folder / "recipe.toml").is_file():
        return "its run is not finished: go on with busight run --resume"
    return "give the folder that a run wrote"


def _read_card(path: Path) -> Card:
    try:
        content = path.read_bytes()
        document = json.loads(content)
    except OSError as error:
        raise BundleError(
            f"{path.parent}: not a bundle, it has no readable {CARD}; {_remedy_without_card(path.parent)}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: not JSON; copy the bundle again") from error
    version = document.get("format") if isinstance(document, dict) else None
    if isinstance(version, int) and version != FORMAT:
        remedy = "update busight" if version > FORMAT else "train it anew"
        raise BundleError(f"{path}: bundle format {version}, this version reads {FORMAT}; {remedy}")
    try:
        card = Card.model_validate_json(content, strict=True)  # no number out of a text or out of true
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BundleError(
            f"{path}: not a card of format {FORMAT} ({where}: {first['msg']}); copy the bundle again"
        ) from error
    if card.digest != card_digest(document):
        raise BundleError(f"{path}: changed since the bundle was made (its digest differs); copy the bundle again")
    return card
