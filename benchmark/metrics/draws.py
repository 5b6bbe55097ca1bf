"""How many resamples are drawn, and from which seed: nothing is imported here, for a quick command line."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

from cohorts.errors import UsageError

RESAMPLES = 10_000
"""Bootstrap resamples where nobody asks for another number."""

MOST_RESAMPLES = 20_000
"""As many as `leadboard verify` recomputes; an interval hardly moves beyond a few thousand."""

MOST_SEED = 2**32 - 1
"""The largest that every library takes."""

MOST_SEEDS = 30
"""Of one run: three fits of each are still as many as `leadboard verify` reads predictions of."""


def check_draws(resamples: object, seed: object) -> None:
    """Refuse what the command line would refuse, for those who call a function.

    Raises
    ------
    UsageError
        If either is not a whole number in its range.
    """
    for what, number, least, most in (
        ("resamples", resamples, 1, MOST_RESAMPLES),
        ("seed", seed, 0, MOST_SEED),
    ):
        if isinstance(number, bool) or not isinstance(number, Integral) or not least <= int(number) <= most:
            raise UsageError(f"{what} is {number!r}; give a whole number from {least:,} to {most:,}.")


def check_seeds(seeds: Sequence[int]) -> None:
    """Refuse no seeds for a run, a seed that is there twice, and more than can be verified.

    Raises
    ------
    ValueError
        Saying why.
    """
    if not seeds:
        raise ValueError("Give one at least.")
    twice = [seed for seed in seeds if seeds.count(seed) > 1]
    if twice:
        raise ValueError(f"Seed {twice[0]} is there twice.")
    if len(seeds) > MOST_SEEDS:
        raise ValueError(f"Must be at most {MOST_SEEDS} seeds.")
