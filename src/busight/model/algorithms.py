"""Versions of the algorithms outside the graphs that determine a prediction.

A bundle names those that it uses. Where this version of BUSight has another one, the bundle is refused: its predictions
would differ from those that its metrics were computed on.
"""

from __future__ import annotations

from busight.decision.decision import Decision
from busight.descriptors.lexicon import lexicon_digest
from busight.errors import BundleError
from busight.metrics.image_statistics import STATISTICS_VERSION
from busight.segment.proposal import PROPOSAL_VERSION


def algorithms_of(decision: Decision, *, classical: bool, use_proposal: bool) -> dict[str, str]:
    """Return the versions of the algorithms that a model depends on.

    Args:
        decision: The model's decision.
        classical: Whether its masks come from a method without training, which starts from a lesion proposal.
        use_proposal: Whether it has a local view of the lesion proposal.
    """
    versions: dict[str, str] = {}
    describes = decision.fusion is not None and decision.fusion.model is not None
    if use_proposal or classical or describes:
        versions["proposal"] = PROPOSAL_VERSION
    if describes:
        versions["lexicon"] = lexicon_digest()
    if decision.ood is not None and decision.ood.appearance is not None:
        versions["image statistics"] = STATISTICS_VERSION
    return versions


def require_same(algorithms: dict[str, str], where: str, busight: str) -> None:
    """Raise for a bundle that depends on other versions of the algorithms than this one has.

    Args:
        algorithms: The card's versions.
        where: The bundle, for the message.
        busight: The BUSight version that wrote it.

    Raises:
        BundleError: A version differs.
    """
    own = {"proposal": PROPOSAL_VERSION, "lexicon": lexicon_digest(), "image statistics": STATISTICS_VERSION}
    other = [name for name, version in algorithms.items() if own.get(name) != version]
    if other:
        raise BundleError(
            f"{where}: was made with another version of {', '.join(other)}; use busight {busight}, or train it anew"
        )
