"""How numbers, counts and names are written in tables and figures."""

from __future__ import annotations

import math
from collections.abc import Iterable

from benchmark.metrics.cell.evaluation import Estimate
from benchmark.metrics.intervals import Measure
from benchmark.report.board import Entry

UNDEFINED = "\N{EN DASH}"


def number(value: float | None, digits: int = 3) -> str:
    """Round to fixed decimals; a dash where undefined, and never a zero that is none.

    Examples
    --------
    >>> number(0.5), number(0.0), number(0.0001), number(None) == UNDEFINED
    ('0.500', '0.000', '<0.001', True)
    """
    if value is None:
        return UNDEFINED
    smallest = 10.0**-digits
    return f"<{smallest:.{digits}f}" if 0 < value < smallest / 2 else f"{value:.{digits}f}"


def signed(value: float | None, digits: int = 3) -> str:
    r"""Show a difference with its sign, a real minus, and no negative zero.

    Examples
    --------
    >>> signed(0.0125, 2), signed(-0.0001, 2), signed(-0.0375, 2) == "\N{MINUS SIGN}0.04"
    ('+0.01', '0.00', True)
    """
    if value is None:
        return UNDEFINED
    rounded = round(value, digits)
    sign = "+" if rounded > 0 else "\N{MINUS SIGN}" if rounded < 0 else ""
    return f"{sign}{abs(rounded):.{digits}f}"


def interval(estimate: Estimate) -> str:
    """Value with its interval, for example ``0.871 [0.850, 0.893]``."""
    if estimate.value is None:
        return UNDEFINED
    if estimate.interval is None:
        return f"{number(estimate.value)} [{UNDEFINED}]"
    low, high = estimate.interval
    return f"{number(estimate.value)} [{number(low)}, {number(high)}]"


def signed_interval(measure: Measure) -> str:
    r"""Show a difference with its interval.

    Examples
    --------
    >>> signed_interval(Measure(0.0125, 0.002, 0.023))
    '+0.013 [+0.002, +0.023]'
    """
    if math.isnan(measure.value):
        return UNDEFINED
    if math.isnan(measure.low) or math.isnan(measure.high):
        return f"{signed(measure.value)} [{UNDEFINED}]"
    return f"{signed(measure.value)} [{signed(measure.low)}, {signed(measure.high)}]"


def count(value: int | None) -> str:
    """Return an integer with thousands separators."""
    return UNDEFINED if value is None else f"{value:,}"


def plural(value: int, noun: str) -> str:
    """Return a count with its noun, for example ``1 cohort`` or ``2 cohorts``."""
    return f"{count(value)} {noun}{'' if value == 1 else 's'}"


def entry_labels(entries: Iterable[Entry]) -> dict[Entry, str]:
    """Name each entry by its model, and by its protocol too where the model has several."""
    entries = list(entries)
    models = [entry.model for entry in entries]
    return {e: e.model if models.count(e.model) == 1 else f"{e.model} ({e.protocol})" for e in entries}
