"""How numbers read, and how text from strangers is made harmless in Markdown and CSV.

HTML is escaped by the template engine, SVG by the plotting library.
"""

from __future__ import annotations

import re
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


def plural(value: int, noun: str) -> str:
    """Return a count with its noun, for example ``1 cohort`` or ``2 cohorts``."""
    return f"{count(value)} {noun}{'' if value == 1 else 's'}"


def entry_labels(entries: Iterable[Entry]) -> dict[Entry, str]:
    """Name each entry by its model, and by its protocol too where the model has several."""
    entries = list(entries)
    models = [entry.model for entry in entries]
    return {e: e.model if models.count(e.model) == 1 else f"{e.model} ({e.protocol})" for e in entries}


def plain(text: str) -> str:
    """Put text on one line, without control characters or marks that reverse the direction of writing."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def markdown(text: str) -> str:
    r"""Escape text so that Markdown shows it as it is, on one line, in a table cell too.

    Characters that some parser treats apart even after a backslash become entities.

    Examples
    --------
    >>> print(markdown("a|b <i>*c*</i>\n0.871 [0.850, 0.893] [x](y)"))
    a&#124;b &#60;i&#62;\*c\*&#60;/i&#62; 0.871 [0.850, 0.893] [x\](y)
    """
    return re.sub(
        r"[&<>|\\`$]|[*_~]|\](?=[(\[:])|^[-+#](?=[\s#-]|$)|(?<=^\d)[.)](?=\s|$)",
        lambda match: f"&#{ord(match[0])};" if match[0] in "&<>|\\`$" else f"\\{match[0]}",
        plain(text),
    )


def csv_cell(value: str | float | bool | None) -> str | float | None:
    """Make a cell safe to open in a spreadsheet: text never starts a formula, numbers stay numbers.

    Text that begins with ``= + - @``, a tab or a line break gets a leading apostrophe (OWASP, CSV Injection).
    None is an empty cell, a truth value ``true`` or ``false``.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        return f"'{value}"
    return value
