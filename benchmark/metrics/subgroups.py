"""Women and men, young and old: metrics for each group of the records, and the largest gap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.metrics.bootstrap import Bootstrap, bootstrap
from benchmark.metrics.checks import Groups, checked_groups, why_undefined
from benchmark.metrics.intervals import LEVEL, Measure, measure
from cohorts.errors import UsageError

UNKNOWN = "unknown"
"""The group of records whose group is missing: shown, but in no gap."""

AGES = (40, 60, 80)
"""Years at which a new age band starts."""

MINIMUM = 10
"""Positives, and negatives, that a group needs to take part in a gap."""


@dataclass(frozen=True, slots=True)
class Subgroup:
    """One concept in one group of the records."""

    auroc: Measure
    auprc: Measure
    n: int
    positives: int


@dataclass(frozen=True, slots=True)
class SubgroupGap:
    """The groups with the highest and the lowest AUROC of a concept, and their difference.

    Attributes
    ----------
    highest, lowest
        Names of the groups; empty where there are fewer than two.
    difference
        With an interval from shared resamples: patients are drawn once and both groups evaluated in the
        same draw. The pair is chosen on the full data, so that of many groups one gap is always largest:
        an interval that just leaves out zero is no proof of unfairness.
    """

    highest: str
    lowest: str
    difference: Measure


def by_subgroup(
    labels: npt.NDArray[np.int8],
    scores: npt.NDArray[Any],
    members: Iterable[Any],
    groups: Groups | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = LEVEL,
) -> tuple[dict[str, list[Subgroup]], list[SubgroupGap]]:
    """AUROC and AUPRC of every concept in each group of the records, and the largest gap in AUROC.

    Parameters
    ----------
    labels, scores
        ``[records, concepts]``, as for `bootstrap.bootstrap`.
    members
        ``[records]``: group of each record (sex, `age_bands`, any column of the index), missing if unknown.
    groups, resamples, seed
        As for `bootstrap.bootstrap`; every record by itself without groups.

    Returns
    -------
    tuple
        By name of the group, sorted, one `Subgroup` for each concept; and one `SubgroupGap` for each
        concept. AUPRC depends on the prevalence in the group and so has no gap.

    Raises
    ------
    UsageError
        If there is not one group for each record, or as `bootstrap.bootstrap`.
    ModelError
        As `bootstrap.bootstrap`.
    """
    names = pd.Series(list(members), dtype="object")
    if len(names) != len(labels):
        raise UsageError(f"There are {len(names)} subgroup members for {len(labels)} records.")
    names = names.where(names.notna(), UNKNOWN).astype(str)
    groups = checked_groups(groups, len(labels))
    drawn: dict[str, Bootstrap] = {}
    found: dict[str, list[Subgroup]] = {}
    for name in sorted(names.unique()):
        inside = np.where((names == name).to_numpy()[:, None], labels, np.int8(-1))
        drawn[name] = bootstrap(inside, scores, groups, resamples=resamples, seed=seed)
        found[name] = [_subgroup(inside[:, c], drawn[name], c, level) for c in range(labels.shape[1])]
    return found, [_gap(found, drawn, concept, level) for concept in range(labels.shape[1])]


def age_bands(ages: npt.ArrayLike, starts: tuple[int, ...] = AGES) -> list[str | None]:
    """Name the band of each age in years; None where it is unknown (NaN).

    Examples
    --------
    >>> age_bands([18, 40, 59.9, 93, float("nan")])
    ['under 40', '40 to 59', '40 to 59', '80 and over', None]
    """
    bands = [f"under {starts[0]}"]
    bands += [f"{start} to {end - 1}" for start, end in pairwise(starts)]
    bands.append(f"{starts[-1]} and over")
    years = np.asarray(ages, np.float64)
    at = np.searchsorted(np.asarray(starts), years, side="right")
    return [None if np.isnan(age) else bands[k] for age, k in zip(years, at, strict=True)]


def _subgroup(labels: npt.NDArray[np.int8], drawn: Bootstrap, concept: int, level: float) -> Subgroup:
    n, positives = int(np.count_nonzero(labels >= 0)), int(np.count_nonzero(labels == 1))
    why = why_undefined(positives, n - positives)
    auroc = measure(float(drawn.auroc[concept]), drawn.auroc_resamples[:, concept], why=why, level=level)
    auprc = measure(float(drawn.auprc[concept]), drawn.auprc_resamples[:, concept], why=why, level=level)
    return Subgroup(auroc, auprc, n, positives)


def _gap(
    found: dict[str, list[Subgroup]], drawn: dict[str, Bootstrap], concept: int, level: float
) -> SubgroupGap:
    values = {
        name: subgroups[concept].auroc.value
        for name, subgroups in found.items()
        if name != UNKNOWN
        and min(subgroups[concept].positives, subgroups[concept].n - subgroups[concept].positives) >= MINIMUM
    }
    if len(values) < 2:
        why = f"fewer than two groups with {MINIMUM} positives and {MINIMUM} negatives"
        return SubgroupGap("", "", Measure(float("nan"), reason=why))
    highest, lowest = max(values, key=values.__getitem__), min(values, key=values.__getitem__)
    if values[highest] == values[lowest]:
        highest, lowest = sorted(values)[:2]
    resampled = drawn[highest].auroc_resamples[:, concept] - drawn[lowest].auroc_resamples[:, concept]
    return SubgroupGap(highest, lowest, measure(values[highest] - values[lowest], resampled, level=level))
