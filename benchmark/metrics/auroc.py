"""The AUROC of one column with its interval: the bootstrap of this package for a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.metrics.cell.evaluation import evaluate
from benchmark.metrics.checks import column
from benchmark.metrics.draws import RESAMPLES, check_draws
from benchmark.metrics.estimates import nan_if_none
from cohorts.errors import UsageError


@dataclass(frozen=True, slots=True)
class Auroc:
    """An AUROC with its 95 % percentile interval.

    Attributes
    ----------
    value, low, high
        NaN where undefined.
    n, positives
        Records with a label, and the positive ones among them.
    resamples, seed
        Of the bootstrap.
    unit
        What was drawn with replacement.
    reason
        Why a number is undefined, or why the interval is not to be trusted; empty otherwise.
    """

    value: float
    low: float
    high: float
    n: int
    positives: int
    resamples: int
    seed: int
    unit: Literal["patients", "records"]
    reason: str = ""


def bootstrap_auroc(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Auroc:
    """AUROC with a 95 % interval, drawn over patients where there are any.

    The same labels, scores, groups and seed give the numbers of ``leadboard score``.

    Parameters
    ----------
    labels
        ``[records]``: 1 positive, 0 negative; -1 or missing where not annotated.
    scores
        ``[records]``, finite, higher for more likely; no probabilities need be.
    groups
        ``[records]``: the patient of each record, as numbers or text; a record whose patient is missing is
        drawn as a patient of its own. Records are drawn if not given.
    resamples, seed
        Of the bootstrap.

    Returns
    -------
    Auroc

    Raises
    ------
    LeadboardError
        If the three are not of one length, or labels, scores, resamples or seed are not as described.

    Examples
    --------
    >>> found = bootstrap_auroc([0, 0, 1, 1, 0, 1], [0.1, 0.4, 0.35, 0.8, 0.2, 0.7], resamples=1000, seed=1)
    >>> round(found.value, 3), found.n, found.positives, found.unit
    (0.889, 6, 3, 'records')
    >>> (round(found.low, 3), found.high), found.reason
    ((0.4, 1.0), '3 positives: with fewer than 50 the interval is too narrow.')
    >>> bootstrap_auroc([0, 0, 0], [0.1, 0.2, 0.3])
    Auroc(value=nan, low=nan, high=nan, n=3, positives=0, resamples=10000, seed=0, unit='records', \
reason='no positive record')
    """
    check_draws(resamples, seed)
    table, values = pd.DataFrame({"label": _labels(labels)}), _array(scores, "scores")
    column(table["label"], values, "the column")
    patients = None
    if groups is not None:
        ids = np.asarray(groups, dtype="object")
        if ids.shape != values.shape:
            raise UsageError(
                f"The groups have shape {ids.shape}, but there are {len(table)} labels; give the patient of "
                "each record."
            )
        patients = pd.Series(ids)
    found = evaluate(table, values[:, None], patients, resamples=resamples, seed=seed)
    concept = found.concepts["label"]
    reasons = (concept.auroc.reason, concept.caution)
    return Auroc(
        value=nan_if_none(concept.auroc.value),
        low=nan_if_none(concept.auroc.low),
        high=nan_if_none(concept.auroc.high),
        n=concept.n,
        positives=concept.positives,
        resamples=resamples,
        seed=seed,
        unit=found.bootstrap.unit,
        reason="; ".join(filter(None, reasons)),
    )


def _labels(labels: npt.ArrayLike) -> npt.NDArray[Any]:
    """Labels as numbers, -1 for those that are missing."""
    given = _array(labels, "labels")
    if given.ndim != 1:
        raise UsageError(f"The labels have shape {given.shape}; give one column.")
    try:
        return pd.Series(pd.array(given)).astype("Float64").fillna(-1).to_numpy(np.float64)
    except (TypeError, ValueError):
        raise UsageError(
            "The labels are not numbers; use 1, 0, and -1 or missing for not annotated."
        ) from None


def _array(values: npt.ArrayLike, what: str) -> npt.NDArray[Any]:
    try:
        return np.asarray(values)
    except (TypeError, ValueError):
        raise UsageError(f"The {what} are not one column of numbers; give one for each record.") from None
