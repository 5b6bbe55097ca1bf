"""The draws of a bootstrap, for tests that make its numbers again."""

from __future__ import annotations

import numpy as np

from benchmark.metrics.resampling import drawn_counts


def counts_of(groups: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """How often each record is in each resample, ``[records, resamples]``."""
    return np.concatenate([part for _, part in drawn_counts(groups, resamples, seed)], axis=1)
