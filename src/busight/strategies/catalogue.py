"""The strategies by name: what a recipe's ``classify.strategy`` may be."""

from __future__ import annotations

import difflib

from busight.errors import ConfigError
from busight.strategies.global_local import GlobalLocal
from busight.strategies.joint import Joint
from busight.strategies.mask_channel import MaskChannel
from busight.strategies.masked import Masked
from busight.strategies.segment_only import SegmentOnly
from busight.strategies.strategy import Strategy
from busight.strategies.two_stage import TwoStage
from busight.strategies.whole import Whole

STRATEGIES: dict[str, Strategy] = {
    strategy.name: strategy
    for strategy in (Whole(), TwoStage(), Masked(), MaskChannel(), Joint(), GlobalLocal(), SegmentOnly())
}


def strategy_of(name: str) -> Strategy:
    """Return a strategy.

    Raises:
        ConfigError: There is no strategy of this name.
    """
    if name not in STRATEGIES:
        near = difflib.get_close_matches(name, STRATEGIES, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(f"classify.strategy {name!r}: {hint}known: {', '.join(STRATEGIES)}")
    return STRATEGIES[name]
