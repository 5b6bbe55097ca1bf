"""Labels and scores of patients who do not exist."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd


@dataclass(frozen=True)
class Cohort:
    """A row a record, a column a concept."""

    labels: npt.NDArray[np.int8]
    scores: npt.NDArray[np.float64]
    patients: pd.Series[int]


def made_up_cohort(records: int = 2203, concepts: int = 71, patients: int = 1900) -> Cohort:
    """By default as large as the test fold of PTB-XL with all its statements."""
    rng = np.random.default_rng(0)
    labels = (rng.random((records, concepts)) < rng.uniform(0.01, 0.3, concepts)).astype(np.int8)
    scores = rng.normal(size=(records, concepts)) + labels
    return Cohort(labels, scores, pd.Series(rng.integers(0, patients, records)))
