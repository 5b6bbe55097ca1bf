"""Reading and showing what a stranger wrote: text, JSON and paths that may be made to deceive."""

from __future__ import annotations

import re
from collections.abc import Iterable


def printable(text: str, most: int = 300) -> str:
    r"""Put text on one line, of visible characters only, not too long.

    Examples
    --------
    >>> printable("a\x1b[31m\nb\u202ec"), printable("abcdef", 3)
    ('a [31m b c', 'ab…')
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * most]).split())
    return line if len(line) <= most else line[: most - 1] + "…"


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


_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?)")


def one_line(text: str) -> str:
    """Make a stranger's text harmless for a terminal and fit for one line."""
    text = _ESCAPES.sub("", text)
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
