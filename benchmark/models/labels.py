"""Labels as the baselines learn from them: what is annotated, what can be learnt, how well it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.models.contract import Records
from cohorts.counts import plural
from cohorts.errors import ModelError

Labels = npt.NDArray[np.int8]
Doubles = npt.NDArray[np.float64]


def targets(records: Records, concepts: tuple[str, ...], part: str = "training") -> Labels:
    """Take the labels of the concepts to learn.

    Parameters
    ----------
    records
        A part of a cohort.
    concepts
        Columns of its labels.
    part
        What the error calls these records.

    Returns
    -------
    int8 ``[records, concepts]``: 1, 0, or -1 for not annotated.

    Raises
    ------
    ModelError
        If there is no record or no concept.
    """
    if len(records) == 0 or not concepts:
        missing = "concepts" if len(records) else "records"
        raise ModelError(f"There are no {part} {missing}: choose a source cohort and folds that have some.")
    return records.labels[list(concepts)].to_numpy(np.int8, copy=True)


def learnable(labels: Labels) -> npt.NDArray[np.bool_]:
    """Tell which concepts have a positive and a negative record: bool ``[concepts]``."""
    both: npt.NDArray[np.bool_] = (labels == 1).any(axis=0) & (labels == 0).any(axis=0)
    return both


def nothing_to_learn(labels: Labels) -> str:
    """Say that no concept has both classes and what is done; empty if one has."""
    if learnable(labels).any():
        return ""
    return (
        f"None of the {plural(labels.shape[1], 'concept')} has both a positive and a negative among the "
        f"{plural(len(labels), 'training record')}, so nothing is learnt: "
        "the score of each is its prevalence."
    )


def prevalence(labels: Labels) -> Doubles:
    """Compute the share of positives among the annotated records of each concept.

    A concept with a single class has Laplace's rule of succession instead,
    ``(positives + 1) / (annotated + 2)``: one never seen in 100 records is rare, not impossible.

    Returns
    -------
    float64 ``[concepts]``, strictly between 0 and 1.
    """
    positives = (labels == 1).sum(axis=0)
    annotated = (labels >= 0).sum(axis=0)
    smoothing = np.where(learnable(labels), 0, 1)
    shares: Doubles = (positives + smoothing) / (annotated + 2 * smoothing)
    return shares


def macro_auroc(labels: Labels, scores: npt.NDArray[np.floating[Any]]) -> float | None:
    """Average the AUROC over the concepts that have both classes, to choose between fits of one model.

    Parameters
    ----------
    labels
        int8 ``[records, concepts]``, -1 is left out.
    scores
        ``[records, concepts]``.

    Returns
    -------
    The average, or None if no concept has both classes.

    Raises
    ------
    ValueError
        If a score is NaN.
    """
    from scipy.stats import rankdata  # scikit-learn's checks take a hundred times as long, every epoch

    values = []
    for column in np.flatnonzero(learnable(labels)):
        annotated = labels[:, column] >= 0
        positive = labels[annotated, column] == 1
        n = int(positive.sum())
        ranks = rankdata(scores[annotated, column], nan_policy="raise")
        above = ranks[positive].sum() - n * (n + 1) / 2
        values.append(above / (n * (len(positive) - n)))
    return float(np.mean(values)) if values else None
