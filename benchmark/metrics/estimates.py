"""What a figure is everywhere: a value with its interval, or undefined with the reason."""

from __future__ import annotations

import math
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)

_stated: dict[frozenset[str], set[str]] = {}


class Result(BaseModel):
    """Undefined numbers are None with a reason: NaN and infinity are refused, so the JSON is strict."""

    model_config = ConfigDict(**STRICT, frozen=True)

    def model_post_init(self, _: Any) -> None:
        """Share the set of the fields that were given: one of its own is two thirds of a result's memory."""
        given = self.__pydantic_fields_set__
        object.__setattr__(self, "__pydantic_fields_set__", _stated.setdefault(frozenset(given), given))


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Estimate:
    """A value on the full data with its interval.

    Not a model of pydantic, which takes three times the memory and twice the time to read: the records of a
    large run hold a million of them.

    Attributes
    ----------
    value
        None where undefined, never 0 or 0.5 in its place.
    low, high
        The interval; None without one.
    reason
        Why ``value`` or the interval is None, or why the interval has no width and is not to be shown.
    undefined_fraction
        Fraction of the resamples that were left out because the value is undefined in them.
    """

    value: float | None
    low: float | None
    high: float | None
    reason: str | None = None
    undefined_fraction: float

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval, None where there is none to be shown."""
        if self.low is None or self.high is None or (self.reason and self.low == self.high):
            return None
        return self.low, self.high


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class PairedDifference(Estimate):
    """A figure minus another one of the same records, with the two-sided p value of being zero.

    Attributes
    ----------
    p
        None where undefined.
    p_holm
        Adjusted for all tests of its kind; None where p is, and where nothing was adjusted.
    """

    p: float | None
    p_holm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class PooledEstimate(Estimate):
    """A random-effects summary of several cohorts.

    Attributes
    ----------
    value, low, high
        Mean over hospitals like these, and its confidence interval.
    reason
        Why something is undefined.
    prediction_low, prediction_high
        Where the true figure of one more hospital lies, at the same level.
    tau2
        Variance of the true figures between hospitals, on the scale of the analysis.
    i2
        Percentage of the variance that is between hospitals and not chance within them.
    standard_error
        Of the mean, on the scale of the analysis.
    cohorts
        How many were pooled.
    left_out
        Positions of those that could not be.
    """

    prediction_low: float | None
    prediction_high: float | None
    tau2: float | None
    i2: float | None
    standard_error: float | None
    cohorts: int
    left_out: tuple[int, ...] = ()


def estimate_of(
    value: float,
    low: float = math.nan,
    high: float = math.nan,
    *,
    reason: str = "",
    undefined_fraction: float = 0.0,
) -> Estimate:
    """Make an estimate of computed numbers, of which NaN are undefined."""
    return Estimate(
        value=none_if_nan(value),
        low=none_if_nan(low),
        high=none_if_nan(high),
        reason=reason or None,
        undefined_fraction=undefined_fraction,
    )


def undefined(reason: str) -> Estimate:
    """Say why a figure has no value."""
    return estimate_of(math.nan, reason=reason)


def none_if_nan(value: float) -> float | None:
    """Give a computed number as results hold it."""
    return None if math.isnan(value) else float(value)


def nan_if_none(value: float | None) -> float:
    """Give a number of a result to compute with."""
    return math.nan if value is None else value
