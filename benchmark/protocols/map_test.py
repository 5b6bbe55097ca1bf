"""Is a map of what a model looked at right? A map is a claim, so it is tested, however it was made.

Parts are erased together, in the order of the map and in random orders. The test looks at the first fifth
alone: a map says what a part is worth in a recording that is otherwise whole, and one of which most is erased
is like none that a model has seen. Random groups of parts show whether small and large are told apart
throughout the map.

Sources: deletion, Petsiuk et al., BMVC 2018, arXiv:1806.07421; rank correlation over random groups, Bhatt et
al., IJCAI 2020, arXiv:2005.00631; p values of random orders, Phipson and Smyth, Statistical Applications in
Genetics and Molecular Biology 9:39, 2010.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from benchmark.protocols.occlusion import Bools, Doubles, Parts

Integers = npt.NDArray[np.int64]

SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Of all parts that are erased along a deletion curve; close together where a small place may decide."""

TESTED = slice(1, 6)
"""Those that the test looks at: up to a fifth."""

ORDERS = 99
"""Random orders, of which the first is drawn whole."""

GROUPS = 100
GROUP_SHARE = 0.1
"""A random group has a tenth of all parts."""

HOLDS = 0.05
"""A map holds if chance would do as well in no more of the cases."""

Scale = Literal["score", "logit"]
Method = Literal["occlusion", "gradients"]


@dataclass(frozen=True, slots=True)
class RelevanceMap:
    """How much each part of a recording speaks for a concept, and whether that is true.

    Attributes
    ----------
    method
        How it was made.
    leads
        Names of the rows of ``importance``.
    seconds
        Length of a part.
    scale
        What ``score`` and all that follows is: the ``"score"`` that the model gives, or its ``"logit"``.
    score
        Of the whole recording.
    importance
        float64 ``[leads, parts]``: above 0 where a part speaks for the concept.
    deletion, random
        float64 ``[shares]``: scores while parts are erased, the most important first, and in a random
        order.
    advantage
        How much lower the score lies than in random orders, on average over the shares of `TESTED`.
    p
        Share of orders, the map's own among them, in which it lies as low or lower there.
    agreement
        Spearman's rank correlation, over random groups of parts, of the sum of their importances with what
        the score loses without them; None where either does not vary.
    """

    method: Method
    leads: tuple[str, ...]
    seconds: float
    scale: Scale
    score: float
    importance: Doubles
    deletion: Doubles
    random: Doubles
    advantage: float
    p: float
    agreement: float | None

    @property
    def holds(self) -> bool:
        """Whether erasing what the map names costs the score more than chance."""
        return self.p <= HOLDS


class MapTest:
    """Scores of one recording without random parts, made once to test every map of it.

    Parameters
    ----------
    scale
        What the scores are.
    seed
        Of the random orders and groups.
    """

    def __init__(self, parts: Parts, scale: Scale = "score", seed: int = 0) -> None:
        self.parts, self.scale = parts, scale
        count, random = len(parts), np.random.default_rng(seed)
        self._sizes = np.ceil(np.array(SHARES) * count).astype(np.int64)
        orders = [random.permutation(count) for _ in range(ORDERS)]
        self._groups = np.zeros((GROUPS, count), np.bool_)
        for group in self._groups:
            group[random.choice(count, max(1, round(GROUP_SHARE * count)), replace=False)] = True
        begun = [self._erased(order, self._sizes[TESTED]) for order in orders]
        found = parts.without(np.vstack([self._erased(orders[0], self._sizes), self._groups, *begun]))
        self._curve, self._cost, tested = np.split(found, [len(SHARES), len(SHARES) + GROUPS])
        self._chance = tested.reshape(ORDERS, -1).mean(axis=1)

    def _erased(self, order: Integers, sizes: Integers) -> Bools:
        """Give a mask for each size, of so many parts from the start of an order."""
        masks = np.zeros((len(sizes), len(order)), np.bool_)
        for mask, size in zip(masks, sizes, strict=True):
            mask[order[:size]] = True
        return masks

    def of(self, method: Method, importance: Doubles) -> RelevanceMap:
        """Test a map, float64 ``[leads, parts]``."""
        flat = importance.ravel()
        curve = self.parts.without(self._erased(np.argsort(-flat, kind="stable"), self._sizes))
        low = curve[TESTED].mean()
        return RelevanceMap(
            method=method,
            leads=self.parts.leads,
            seconds=self.parts.seconds,
            scale=self.scale,
            score=float(curve[0]),
            importance=importance,
            deletion=curve,
            random=self._curve,
            advantage=float(self._chance.mean() - low),
            p=(1 + int((self._chance <= low).sum())) / (1 + ORDERS),
            agreement=_agreement(self._groups @ flat, curve[0] - self._cost),
        )


def _agreement(claimed: Doubles, lost: Doubles) -> float | None:
    if np.ptp(claimed) == 0 or np.ptp(lost) == 0:
        return None
    return float(spearmanr(claimed, lost).statistic)
