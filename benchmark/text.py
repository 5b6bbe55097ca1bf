"""Showing what a stranger wrote, which may be made to deceive: a name, an error, the output of a program."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_COLOURS = re.compile(r"(\x1b\[|\x9b)[0-?]*[ -/]*[@-~]")
"""Colours and moves of the cursor: they hold no words."""

_WORDS = re.compile(r"(\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(\x07|\x1b\\|\x9c)?")
"""Titles and links. They hold words, so that two of them in one sentence could hide what is between."""

_NO_BYTES = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
"""Halves of characters that stand for no byte of a file's name."""

_ORDERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters and marks of direction, but for tabs, line ends and carriage returns."""


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
    """Put what one stranger wrote on one line, of visible characters only, however long it is."""
    return " ".join(visible(_WORDS.sub("", text), instead=" ").split())


def visible(text: str, instead: str = "\N{REPLACEMENT CHARACTER}") -> str:
    r"""Replace each character that cannot be seen, such as a line end or a mark that reverses the writing.

    Examples
    --------
    >>> visible("  a\nb"), visible("a\u202e\x1b[31mb", "?")
    ('  a�b', 'a?b')
    """
    if text.isprintable():
        return text
    text = _COLOURS.sub("", text)
    return "".join(
        character if character.isprintable() else " " if unicodedata.category(character) == "Zs" else instead
        for character in text
    )


def harmless(text: str) -> str:
    r"""Take from any output of a program what a terminal would obey; lines stay lines.

    Examples
    --------
    >>> harmless("a\x1b[31mb\x07\n\tc")
    'ab�\n\tc'
    """
    return _ORDERS.sub("\N{REPLACEMENT CHARACTER}", _COLOURS.sub("", text))


def readable(text: str) -> str:
    r"""Replace what Python puts for bytes of a file's name that are no text: no file can hold that.

    Examples
    --------
    >>> readable("r\udcc3\udca9"), readable("r\udcff\ud800")
    ('ré', 'r��')
    """
    whole = _NO_BYTES.sub("\N{REPLACEMENT CHARACTER}", text)
    return whole.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


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
