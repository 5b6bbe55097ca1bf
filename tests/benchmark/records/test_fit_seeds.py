"""Which seeds the fits of a run have: none twice, and what one more seed adds changes no other."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark.metrics.draws import MOST_SEED, MOST_SEEDS, check_seeds
from benchmark.records import fit_seeds as module
from benchmark.records.checks import MOST_FITS
from benchmark.records.fit_seeds import REPLICATES, fit_seeds, replicates_of, run_seeds

numbers = st.integers(0, 12) | st.integers(MOST_SEED - 12, MOST_SEED) | st.integers(0, MOST_SEED)
several = st.lists(numbers, min_size=1, max_size=MOST_SEEDS, unique=True)
percents = st.sampled_from([1, 10, 100])


@given(percents, several)
@example(10, [0, 1, 2])
@example(1, [MOST_SEED, 0])
def test_no_fit_is_made_twice_and_another_seed_changes_none(percent: int, seeds: list[int]) -> None:
    fits = fit_seeds(percent, seeds)
    assert len(set(fits)) == len(fits) == len(seeds) * replicates_of(percent)
    assert all(0 <= fit <= MOST_SEED for fit in fits)
    assert fits[0] == seeds[0]
    before = fit_seeds(percent, seeds[:-1])
    assert fits[: len(before)] == before
    assert fit_seeds(percent, run_seeds(percent, fits)) == fits
    assert len(run_seeds(percent, fits)) == len(seeds)


@given(percents, numbers.filter(lambda seed: seed <= MOST_SEED - REPLICATES))
def test_the_fits_of_one_seed_are_those_that_they_always_were(percent: int, seed: int) -> None:
    assert fit_seeds(percent, [seed]) == tuple(seed + at for at in range(3 if percent < 100 else 1))


def test_the_examples_run() -> None:
    assert doctest.testmod(module) == (0, 6)


def test_what_may_be_asked_for_can_be_verified() -> None:
    assert MOST_SEEDS * REPLICATES <= MOST_FITS
    check_seeds(range(MOST_SEEDS))
    for seeds, why in (
        ((), "Give one at least"),
        ((3, 0, 3), "Seed 3 is there twice"),
        (range(MOST_SEEDS + 1), "at most 30 seeds"),
    ):
        with pytest.raises(ValueError, match=why):
            check_seeds(seeds)
