"""What a site is: one population and how it is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cohorts.simulator.noise import Noise
from cohorts.simulator.statements import Vocabulary


@dataclass(frozen=True)
class Site:
    """One population and how it is recorded.

    Attributes
    ----------
    id
        Name; part of every seed, so that a site does not depend on which others are simulated.
    records
        Recordings at scale 1.
    rate
        Sampling rate in Hz.
    seconds
        Lengths with their weights.
    ages
        Mean, standard deviation, least and most, in years.
    female
        Share of women.
    prevalence
        Share of recordings by condition.
    noise
        Typical noise.
    vocabulary
        How conditions are written.
    amplitude
        Relative size of the signal.
    healthy
        Share of patients who have none of the conditions.
    returning
        Share of recordings whose patient is already in the release.
    missed
        Chance that a condition of medium severity is not stated; a marked one never is.
    mistaken
        Chance that another condition is stated in its place.
    clean_folds
        Folds that were read with more care.
    """

    id: str
    records: int
    rate: float
    seconds: Mapping[float, float]
    ages: tuple[float, float, float, float]
    female: float
    prevalence: Mapping[str, float]
    noise: Noise
    vocabulary: Vocabulary
    amplitude: float = 1.0
    healthy: float = 0.3
    returning: float = 0.0
    missed: float = 0.08
    mistaken: float = 0.03
    clean_folds: tuple[int, ...] = ()


def shares(text: str) -> dict[str, float]:
    """Parse ``"AF 9 AFL 2.5"``, in percent."""
    words = text.split()
    return {name: float(percent) / 100 for name, percent in zip(words[::2], words[1::2], strict=True)}
