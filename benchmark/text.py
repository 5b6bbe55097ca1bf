"""Showing what a stranger wrote, which may be made to deceive: a name, an error, the output of a program."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TERMINAL_CODES = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?)")


def printable(text: str, most: int = 300) -> str:
    r"""Put text on one line, of visible characters only and not too long, as a part of a sentence.

    Examples
    --------
    >>> printable("a\x1b[31m\nb\u202ec"), printable("abcdef", 3)
    ('a b c', 'ab…')
    """
    line = one_line(text[: 4 * most])
    return line if len(line) <= most else line[: most - 1] + "…"


def one_line(text: str) -> str:
    """Put text on one line, of visible characters only, however long it is."""
    return " ".join(visible(_TERMINAL_CODES.sub("", text), instead=" ").split())


def visible(text: str, instead: str = "\N{REPLACEMENT CHARACTER}") -> str:
    r"""Replace each character that cannot be seen, such as a line end or a mark that reverses the writing.

    Examples
    --------
    >>> visible("  a\nb"), visible("a\u202eb", "?")
    ('  a�b', 'a?b')
    """
    return "".join(character if character.isprintable() else instead for character in text)


def some(names: Iterable[object], most: int = 5) -> str:
    """List the first few of many.

    Examples
    --------
    >>> some(["a", "b", "c"], 2)
    'a, b, ...'
    """
    listed = list(names)
    shown = ", ".join(printable(str(name), 40) for name in listed[:most])
    return shown + (", ..." if len(listed) > most else "")
