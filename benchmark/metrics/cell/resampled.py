"""The resampled figures of a cell in memory, and means over some of its concepts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from benchmark.metrics.intervals import Values, variance
from benchmark.metrics.names import Metric

Drawn = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Resampled:
    """Resampled figures behind the intervals of an evaluation, for differences between models and cohorts.

    Attributes
    ----------
    macro_auroc, macro_auprc
        float64 ``[resamples]``, NaN where undefined.
    concepts
        The eligible ones.
    drawn
        What `auroc` gives, or what reads it: it is by far the largest, and seldom asked for.
    variances
        float64 ``[concepts]``, of each concept's AUROC, where they are known; see `variance`.
    drawn_auprc
        What `auprc` gives, or what reads it; None where it was not kept.
    means
        Means over some of the concepts that are at hand: metric and concepts -> float64 ``[resamples]``.
    """

    macro_auroc: Values
    macro_auprc: Values
    concepts: tuple[str, ...]
    drawn: Drawn | Callable[[], Drawn]
    variances: tuple[float, ...] | None = None
    drawn_auprc: Drawn | Callable[[], Drawn] | None = None
    means: Mapping[tuple[Metric, frozenset[str]], Values] = field(default_factory=dict)

    @property
    def auroc(self) -> Drawn:
        """float32 ``[resamples, concepts]``, which is exact enough for an interval and half the size."""
        return self.drawn() if callable(self.drawn) else self.drawn

    @property
    def auprc(self) -> Drawn | None:
        """The same of AUPRC."""
        return self.drawn_auprc() if callable(self.drawn_auprc) else self.drawn_auprc

    def mean_over(self, concepts: Collection[str], metric: Metric) -> Values | None:
        """Mean over some of the concepts in each resample; None where the metric was not kept."""
        chosen = frozenset(concepts)
        if (metric, chosen) in self.means:
            return self.means[metric, chosen]
        drawn = self.auroc if metric == "auroc" else self.auprc
        return None if drawn is None else means_over(drawn, self.concepts, [chosen])[0]

    def with_means(self, sets: Iterable[Collection[str]], metric: Metric) -> Resampled:
        """Have the means over several sets of the concepts at hand, for what they take together."""
        every = frozenset(self.concepts)
        chosen = [one for one in dict.fromkeys(map(frozenset, sets)) if one and one < every]
        drawn = (self.auroc if metric == "auroc" else self.auprc) if chosen else None
        if drawn is None:
            return self
        means = means_over(drawn, self.concepts, chosen)
        return replace(self, means={(metric, one): mean for one, mean in zip(chosen, means, strict=True)})

    def variance_of(self, concept: str) -> float:
        """Variance of the AUROC of one of the concepts over its resamples, on the scale of the AUROC."""
        at = self.concepts.index(concept)
        return self.variances[at] if self.variances else variance(self.auroc[:, at].astype(np.float64))


ONE_THREAD = 2**18
"""Multiplications of a product of matrices up to which OpenBLAS takes no threads: those that wait for the
next product keep the processors busy."""


def means_over(drawn: Drawn, concepts: Sequence[str], sets: Sequence[frozenset[str]]) -> Values:
    """Mean over each set of concepts, none empty, in each resample.

    Of float32, sums of fewer than 128 numbers that are 0 or above 2**-22 are exact in float64, whatever their
    order: one product of matrices gives the mean of each set to the last digit.

    Parameters
    ----------
    drawn
        ``[resamples, concepts]``, NaN where undefined.

    Returns
    -------
    array
        float64 ``[sets, resamples]``, NaN where one of the concepts is.
    """
    within = np.array([[concept in one for one in sets] for concept in concepts], np.float64)
    sums = np.empty((len(drawn), len(sets)))
    rows = max(1, ONE_THREAD // within.size)
    for start in range(0, len(drawn), rows):
        np.matmul(drawn[start : start + rows].astype(np.float64), within, out=sums[start : start + rows])
    undefined = np.flatnonzero(np.isnan(sums[:, 0]))  # in any concept, of the set or not
    for at, columns in enumerate(within.T.astype(bool) if len(undefined) else ()):
        sums[undefined, at] = drawn[np.ix_(undefined, columns)].sum(axis=1, dtype=np.float64)
    means: Values = np.divide(sums.T, within.sum(axis=0)[:, None], order="C")
    return means
