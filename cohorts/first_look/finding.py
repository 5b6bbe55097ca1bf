"""One doubtful thing about a cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen, in how many records, and what to do.

    Attributes
    ----------
    records, of
        How many records it was seen in, and of how many that were looked at; both 0 where it is about none.
    examples
        Ids of at most three of them.
    """

    what: str
    records: int
    of: int
    examples: tuple[str, ...]
    to_do: str


def shown(ids: Iterable[str]) -> tuple[str, ...]:
    """Give the first ids, as many as are shown."""
    return tuple(list(ids)[:SHOWN])


def reasons(counts: Counter[str]) -> str:
    """Name the most frequent reasons, as something to be done.

    Examples
    --------
    >>> reasons(Counter({"Its file is not there": 3, "x.xml is empty": 1}))
    'see why: Its file is not there (3); x.xml is empty'
    """
    named = [f"{why} ({number:,})" if number > 1 else why for why, number in counts.most_common(SHOWN)]
    more = len(counts) - len(named)
    return f"see why: {'; '.join(named)}" + (f"; and {more:,} other reasons" if more else "")
