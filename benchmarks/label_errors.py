"""Recall and precision of the audit's likely wrong labels, on phantoms a twentieth of whose labels are wrong.

    python benchmarks/label_errors.py --out runs/labels [--seed N] [--count N] [--repeats N] [--set KEY=VALUE ...]

The phantoms are typical ones: where findings overlap as in life, no reader could tell a wrong label from an odd case. A
cross-validation trains on the wrong labels too. A second call goes on where an interrupted one stopped.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from busight.data.sources.catalogue import load_data
from busight.experiments.audit import audit
from busight.experiments.crossval import crossval
from busight.recipes.load import load_recipe
from busight.results.crossval_folder import Plan

CHEAP = (
    "classify.lesion=whole",
    "classify.size=96",
    "train.epochs=10",
    "train.label_smoothing=0",
    "assess.resamples=100",
)
"""The default recipe without masks and smaller. Smoothed labels would keep every probability from being sure."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7, help="of the phantoms; 5 was used to choose the rule")
    parser.add_argument("--count", type=int, default=1200)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    spec = f"phantom:{options.count},seed={options.seed},size=128,typical=1,wrong_labels=0.05"
    recipe = load_recipe("default", [*CHEAP, *options.set], spec)
    begun = (options.out / "plan.json").is_file()
    crossval(recipe, options.out, Plan(options.folds, options.repeats), resume=begun)
    data = load_data(spec)
    planted = {
        sample.sample_id: f"{tag.removeprefix('wrong-label:true=')}, labelled {sample.label}"
        for sample in data.samples
        for tag in sample.tags
        if tag.startswith("wrong-label:")
    }
    named = {one.sample for one in audit(data, crossval=options.out).label_issues}
    print("| planted | number | named | recall |\n|---|---|---|---|")
    for kind in sorted(set(planted.values())):
        own = {name for name, of in planted.items() if of == kind}
        print(f"| {kind} | {len(own)} | {len(own & named)} | {len(own & named) / len(own):.3f} |")
    hits = len(named & planted.keys())
    print(f"label errors: recall {hits / len(planted):.3f}, precision {hits / max(1, len(named)):.3f}")


if __name__ == "__main__":
    main()
