"""Women and men, young and old, or any other groups of the records of a cell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.metrics.bootstrap import Bootstrap, Values, bootstrap
from benchmark.metrics.checks import Groups, why_undefined
from benchmark.metrics.estimates import Estimate, Result, undefined
from benchmark.metrics.intervals import estimate

UNKNOWN = "unknown"
"""Name of the group of records whose group is missing: shown, but in no gap."""

AGES = (40, 60, 80)
"""Years at which a new age band starts."""

USUAL = ("sex", "age")
"""What records are grouped by, as far as a cohort states it."""

MOST = 20
"""Most groups that a grouping may have; a column with more distinct values is not a grouping."""


class GroupConcept(Result):
    """One concept in one group."""

    auroc: Estimate
    n: int
    positives: int


class Group(Result):
    """One group of the records.

    Attributes
    ----------
    macro
        Mean AUROC over the common concepts of the grouping.
    """

    records: int
    macro: Estimate
    concepts: dict[str, GroupConcept]


class SubgroupGap(Result):
    """The highest group minus the lowest, chosen on the full data and compared in the same resamples."""

    highest: str
    lowest: str
    difference: Estimate


class Grouping(Result):
    """One way of grouping the records.

    Attributes
    ----------
    common
        Concepts of the macro averages: they have enough positives and negatives in every group whose macro
        is given. Groups and concepts are chosen so that as many pairs of the two as possible take part.
    gap, concept_gaps
        Of the macro, and of each concept with two groups of enough positives and negatives. Of many groups
        one gap is always largest.
    """

    common: tuple[str, ...]
    groups: dict[str, Group]
    gap: SubgroupGap | None
    concept_gaps: dict[str, SubgroupGap]
    reason: str | None = None


def usual_members(index: pd.DataFrame) -> dict[str, list[str | None]]:
    """Group records by sex and by age band, as far as either is known."""
    sex = [None if pd.isna(value) else str(value) for value in index["sex"]]
    ages = age_bands(pd.to_numeric(index["age"], errors="coerce").to_numpy(np.float64, na_value=math.nan))
    found: dict[str, list[str | None]] = {"sex": sex, "age": ages}
    return {name: members for name, members in found.items() if any(members)}


def grouping(
    labels: pd.DataFrame,
    scores: pd.DataFrame,
    members: Iterable[Any],
    groups: Groups,
    *,
    minimum: int,
    resamples: int,
    seed: int,
    device: str = "cpu",
) -> Grouping:
    """Measure every group of the records.

    Parameters
    ----------
    labels, scores
        ``[records, concepts]``, of the same records and concepts.
    members
        ``[records]``: group of each record, missing if unknown.
    groups
        Patient of each record.
    minimum
        Positives and negatives that a concept needs in a group to be compared there.
    """
    names = pd.Series(list(members), dtype="object")
    names = names.where(names.notna(), UNKNOWN).astype(str)
    order = [*sorted(set(names) - {UNKNOWN}), *({UNKNOWN} & set(names))]
    if len(order) > MOST:
        return _nothing(f"{len(order)} different values are no grouping; at most {MOST} are measured")
    if not len(labels.columns):
        return _nothing("no concept is eligible")
    truth, values = labels.to_numpy(np.int8), scores.to_numpy()
    drawn: dict[str, Bootstrap] = {}
    inside: dict[str, npt.NDArray[np.int8]] = {}
    for name in order:
        inside[name] = np.where((names == name).to_numpy()[:, None], truth, np.int8(-1))
        drawn[name] = bootstrap(inside[name], values, groups, resamples=resamples, seed=seed, device=device)
    concepts = [str(name) for name in labels.columns]
    enough = {name: _enough(inside[name], minimum) for name in order if name != UNKNOWN}
    compared, common = _common(enough)
    macros = {name: _macro(drawn[name], common) for name in compared}
    gaps = {
        concept: _gap({name: _column(drawn[name], at) for name in enough if enough[name][at]})
        for at, concept in enumerate(concepts)
    }
    return Grouping(
        common=tuple(concepts[at] for at in common),
        groups={
            name: Group(
                records=int((names == name).sum()),
                macro=_macro_estimate(macros.get(name), minimum),
                concepts={c: _concept(inside[name], drawn[name], at) for at, c in enumerate(concepts)},
            )
            for name in order
        },
        gap=_gap(macros),
        concept_gaps={concept: gap for concept, gap in gaps.items() if gap is not None},
    )


def _nothing(reason: str) -> Grouping:
    return Grouping(common=(), groups={}, gap=None, concept_gaps={}, reason=reason)


def _enough(truth: npt.NDArray[np.int8], minimum: int) -> npt.NDArray[np.bool_]:
    positives, negatives = (np.count_nonzero(truth == side, axis=0) for side in (1, 0))
    enough: npt.NDArray[np.bool_] = np.minimum(positives, negatives) >= minimum
    return enough


def _common(enough: Mapping[str, npt.NDArray[np.bool_]]) -> tuple[list[str], list[int]]:
    """Groups, two at least, and the concepts that all of them have, such that most pairs take part."""
    falling = sorted(enough, key=lambda name: (-int(enough[name].sum()), name))
    best: tuple[list[str], list[int]] = ([], [])
    for size in range(2, len(falling) + 1):
        chosen = falling[:size]
        shared = [int(at) for at in np.flatnonzero(np.all([enough[name] for name in chosen], axis=0))]
        if size * len(shared) > len(best[0]) * len(best[1]):
            best = (sorted(chosen), shared)
    return best


def _macro(drawn: Bootstrap, concepts: list[int]) -> tuple[float, Values]:
    return fmean(drawn.auroc[concepts].tolist()), drawn.auroc_resamples[:, concepts].mean(axis=1)


def _column(drawn: Bootstrap, at: int) -> tuple[float, Values]:
    return float(drawn.auroc[at]), drawn.auroc_resamples[:, at]


def _macro_estimate(figure: tuple[float, Values] | None, minimum: int) -> Estimate:
    if figure is None:
        return undefined(
            f"not enough concepts with {minimum} positives and {minimum} negatives to be compared"
        )
    return estimate(*figure)


def _concept(truth: npt.NDArray[np.int8], drawn: Bootstrap, at: int) -> GroupConcept:
    n, positives = (int(np.count_nonzero(kept)) for kept in (truth[:, at] >= 0, truth[:, at] == 1))
    why = why_undefined(positives, n - positives)
    return GroupConcept(auroc=estimate(*_column(drawn, at), why=why), n=n, positives=positives)


def _gap(figures: Mapping[str, tuple[float, Values]]) -> SubgroupGap | None:
    """Highest minus lowest; None with fewer than two groups."""
    if len(figures) < 2:
        return None
    rising = sorted(figures, key=lambda name: (figures[name][0], name))
    highest, lowest = rising[-1], rising[0]
    difference = figures[highest][0] - figures[lowest][0]
    resampled = figures[highest][1] - figures[lowest][1]
    return SubgroupGap(highest=highest, lowest=lowest, difference=estimate(difference, resampled))


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
