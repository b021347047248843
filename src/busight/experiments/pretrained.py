"""Initial weights from another run's bundle: its training images must not be in the test or validation subset."""

from __future__ import annotations

from busight.audit.checked_dataset import CheckedDataset
from busight.data.split import Split
from busight.errors import DataError
from busight.io.paths import user_path
from busight.model.bundle.card import CARD, WEIGHTS
from busight.model.bundle.load import load_bundle
from busight.recipes.schema import Recipe


def training_digests_of_weights(recipe: Recipe) -> frozenset[str]:
    """Return the images that a recipe's initial weights were trained on, as `TrainingPart.digests` names them.

    Empty for ImageNet weights, for none, and for a file outside a bundle, whose training images are unknown.

    Raises:
        BundleError: The file is in a damaged bundle.
    """
    sources = [recipe.classify.weights] if recipe.classifies else []
    sources += [recipe.segment.weights] if recipe.strategy.segments_first else []
    digests: set[str] = set()
    for source in sources:
        path = user_path(source)
        if path.name == WEIGHTS and (path.parent / CARD).is_file():
            digests.update(load_bundle(path.parent).card.training.digests)
    return frozenset(digests)


def require_unseen(seen: frozenset[str], checked: CheckedDataset, split: Split) -> None:
    """Raise for a split that tests or validates on training images of the weights, or on near-duplicates of them.

    Args:
        seen: From `training_digests_of_weights`.
        checked: The data.
        split: The split of the data.

    Raises:
        DataError: There is such an image.
    """
    if not seen:
        return
    group_of = checked.group_of()
    known = {
        group_of[entry.sample.sample_id]
        for entry in checked.rows
        if entry.is_among(seen) and entry.sample.sample_id in group_of
    }
    held = [sample_id for sample_id in (*split.val, *split.test) if group_of[sample_id] in known]
    if held:
        raise DataError(
            f"the initial weights were trained on {len(held)} of the {len(split.val) + len(split.test)} images to tune "
            f"and to test on, or on copies of them, e.g. {held[0]}; take weights of other data or of the same split"
        )
