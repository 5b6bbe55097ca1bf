"""How often a model is fitted under a protocol, and from which seed each time."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.metrics.draws import MOST_SEED

REPLICATES = 3
"""Fits from different subsets for each seed where not all labels are given; their metrics are averaged."""


def replicates_of(percent: int) -> int:
    """Say how many fits each seed of a run gives.

    Parameters
    ----------
    percent
        Share of the source's patients whose labels are given.
    """
    return REPLICATES if percent < 100 else 1


def fit_seeds(percent: int, seeds: Sequence[int]) -> tuple[int, ...]:
    """Give each fit a seed of its own, of the fit and of its subset of patients.

    A fit takes the seed of the run, or the next number that no fit before it has. Another seed therefore adds
    fits and changes none.

    Parameters
    ----------
    percent
        As for `replicates_of`.
    seeds
        Of the run, all different.

    Examples
    --------
    >>> fit_seeds(100, [0, 1, 2])
    (0, 1, 2)
    >>> fit_seeds(10, [0])
    (0, 1, 2)
    >>> fit_seeds(10, [0, 1])
    (0, 1, 2, 3, 4, 5)
    >>> fit_seeds(10, [0, 40])
    (0, 1, 2, 40, 41, 42)
    """
    taken: dict[int, None] = {}
    for seed in seeds:
        for _ in range(replicates_of(percent)):
            while seed in taken:
                seed = (seed + 1) % (MOST_SEED + 1)
            taken[seed] = None
    return tuple(taken)


def run_seeds(percent: int, fits: Sequence[int]) -> tuple[int, ...]:
    """Give seeds of a run that has made these fits: of each of its seeds the first fit.

    Parameters
    ----------
    percent
        As for `replicates_of`.
    fits
        Seeds of the fits, as from `fit_seeds`.

    Examples
    --------
    >>> run_seeds(10, (0, 1, 2, 3, 4, 5))
    (0, 3)
    >>> fit_seeds(10, run_seeds(10, fit_seeds(10, [0, 1])))
    (0, 1, 2, 3, 4, 5)
    """
    return tuple(fits[:: replicates_of(percent)])
