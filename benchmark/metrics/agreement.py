"""How far two readers of the same records agree, neither of them taken for the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.metrics.checks import Floats, Groups, checked_groups, checked_labels
from benchmark.metrics.estimates import Estimate
from benchmark.metrics.intervals import LEVEL, estimate
from benchmark.metrics.resampling import resampled_sums
from cohorts.errors import UsageError


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two readers on one concept, over the records that both have a label for.

    Attributes
    ----------
    records, first, second, both
        Records, positives of each reader, and positives of both.
    positive, negative
        Positive and negative agreement: of all positive (negative) calls of either reader, the fraction that
        the other one shares.
    kappa
        Cohen's kappa.
    """

    records: int
    first: int
    second: int
    both: int
    positive: Estimate
    negative: Estimate
    kappa: Estimate


def agreement(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    groups: Groups | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = LEVEL,
    name: str = "this column",
) -> Agreement:
    """Compare the labels of two readers.

    Parameters
    ----------
    first, second
        ``[records]`` each: 1 positive, 0 negative, -1 where there is no label; such records are left out.
    groups, resamples, seed
        As for `bootstrap.bootstrap`; every record by itself without groups. Intervals are percentile
        intervals over patients.
    name
        What an error calls the column.

    Raises
    ------
    UsageError
        If the labels are of different lengths, or one is none of 1, 0 and -1.

    Notes
    -----
    Kappa: Cohen, Educational and Psychological Measurement 20:37, 1960. Beside it stand the two fractions of
    Cicchetti and Feinstein (Journal of Clinical Epidemiology 43:551, 1990), because kappa falls where a
    finding is rare, however well it is read.
    """
    ours, theirs = checked_labels(first, name), checked_labels(second, name)
    if ours.shape != theirs.shape:
        raise UsageError(f"The readers of {name} have {len(ours)} and {len(theirs)} labels; give as many.")
    labelled = (ours >= 0) & (theirs >= 0)
    cells = np.stack([labelled & (ours == one) & (theirs == two) for one in (1, 0) for two in (1, 0)], axis=1)
    sums = resampled_sums(cells, checked_groups(groups, len(ours)), resamples=resamples, seed=seed)
    both, only_first, only_second, neither = (int(count) for count in cells.sum(axis=0))
    whole = _figures(np.array([[both, only_first, only_second, neither]], np.float64))
    resampled = _figures(sums)
    nothing = "" if labelled.any() else "no record has a label of both"
    reasons = (
        "no reader calls any record positive",
        "no reader calls any record negative",
        "both readers call all records the same",
    )
    positive, negative, kappa = (
        estimate(float(whole[figure, 0]), resampled[figure], why=nothing or why, level=level)
        for figure, why in enumerate(reasons)
    )
    return Agreement(
        records=int(labelled.sum()),
        first=both + only_first,
        second=both + only_second,
        both=both,
        positive=positive,
        negative=negative,
        kappa=kappa,
    )


def agreement_table(
    first: pd.DataFrame,
    second: pd.DataFrame,
    groups: Groups | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Compare two readers on every concept that both have labels for, one row a concept.

    Parameters
    ----------
    first, second
        Labels ``[records, concepts]`` of the same records in the same order.

    Returns
    -------
    pandas.DataFrame
        ``concept``, ``records``, ``first``, ``second``, ``both``, then value, ``_low`` and ``_high`` of
        ``positive_agreement``, ``negative_agreement`` and ``kappa`` (NaN where undefined), and ``reason``.

    Raises
    ------
    UsageError
        As `agreement`; also if the records are not the same.
    """
    if not first.index.equals(second.index):
        raise UsageError("The labels of the two readers are not of the same records in the same order.")
    rows: list[dict[str, object]] = []
    for concept in [name for name in first if name in second]:
        labels = first[concept], second[concept]
        found = agreement(*labels, groups, resamples=resamples, seed=seed, level=level, name=f"'{concept}'")
        if not found.records:
            continue
        row: dict[str, object] = {"concept": concept, "records": found.records}
        row |= {"first": found.first, "second": found.second, "both": found.both}
        figures = {"positive_agreement": found.positive, "negative_agreement": found.negative}
        for name, figure in (figures | {"kappa": found.kappa}).items():
            row |= {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}
        rows.append(row | {"reason": found.kappa.reason})
    return pd.DataFrame(rows)


def _figures(cells: Floats) -> Floats:
    """Positive agreement, negative agreement and kappa, ``[3, tables]``, of tables ``[tables, 4]``."""
    both, only_first, only_second, neither = cells.T
    apart = only_first + only_second
    chance = (both + only_first) * (only_first + neither) + (both + only_second) * (only_second + neither)
    parts = (
        (2 * both, 2 * both + apart),
        (2 * neither, 2 * neither + apart),
        (2 * (both * neither - only_first * only_second), chance),
    )
    figures = np.full((3, len(cells)), math.nan)
    for figure, (above, below) in zip(figures, parts, strict=True):
        np.divide(above, below, out=figure, where=below > 0)
    return figures
