from __future__ import annotations

import numpy as np

from busight.data.sources.catalogue import load_data
from busight.preprocess.enhance.artifact.remove_overlays import remove_overlays


def test_overlays_are_inpainted_and_tissue_stays() -> None:
    clean, marked = load_data("phantom:12,seed=4"), load_data("phantom:12,seed=4,overlays=1")
    errors_before, errors_after = [], []
    for sample in clean.samples:
        before, burned = clean.reader.image(sample).astype(int), marked.reader.image(sample)
        inpainted = remove_overlays(burned).astype(int)
        strokes = np.abs(burned - before) > 40
        errors_before += np.abs(burned - before)[strokes].tolist()
        errors_after += np.abs(inpainted - before)[strokes].tolist()
        assert (inpainted == before).mean() > 0.9
    assert np.mean(errors_after) < 0.5 * np.mean(errors_before)
