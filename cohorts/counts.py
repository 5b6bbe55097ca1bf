"""How many of what, in a sentence."""

from __future__ import annotations


def plural(number: int, noun: str, several: str | None = None) -> str:
    """Return a count with its noun, or with the noun and the verb that follow it.

    Examples
    --------
    >>> plural(1, "record"), plural(2000, "record"), plural(3, "class is", "classes are")
    ('1 record', '2,000 records', '3 classes are')
    """
    return f"{number:,} {noun if number == 1 else several or f'{noun}s'}"
