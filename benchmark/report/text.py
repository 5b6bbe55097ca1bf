"""How numbers, counts and names are written in tables and figures."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark.metrics.estimates import Estimate
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


def signed_interval(estimate: Estimate) -> str:
    r"""Show a difference with its interval.

    Examples
    --------
    >>> signed_interval(Estimate(value=0.0125, low=0.002, high=0.023, undefined_fraction=0))
    '+0.013 [+0.002, +0.023]'
    """
    if estimate.value is None:
        return UNDEFINED
    if estimate.low is None or estimate.high is None:
        return f"{signed(estimate.value)} [{UNDEFINED}]"
    return f"{signed(estimate.value)} [{signed(estimate.low)}, {signed(estimate.high)}]"


def count(value: int | None) -> str:
    """Return an integer with thousands separators."""
    return UNDEFINED if value is None else f"{value:,}"


def entry_labels(entries: Iterable[Entry]) -> dict[Entry, str]:
    """Name each entry by its model, and by its protocol too where the model has several."""
    entries = list(entries)
    models = [entry.model for entry in entries]
    return {e: e.model if models.count(e.model) == 1 else f"{e.model} ({e.protocol})" for e in entries}
