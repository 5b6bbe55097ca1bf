"""Showing what a stranger wrote, and showing a stranger what was written here.

The one may be made to deceive: a name, an error, the output of a program. The other may say too much.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import socket
import unicodedata
from collections.abc import Iterable
from inspect import cleandoc
from pathlib import Path

_COLOURS = re.compile(r"(\x1b\[|\x9b)[0-?]*[ -/]*[@-~]")
"""Colours and moves of the cursor: they hold no words."""

_WORDS = re.compile(r"(\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(\x07|\x1b\\|\x9c)?")
"""Titles and links. They hold words, so that two of them in one sentence could hide what is between."""

_NO_BYTES = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
"""Halves of characters that stand for no byte of a file's name."""

_ORDERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters and marks of direction, but for tabs, line ends and carriage returns."""

_INDENTED = re.compile(r"(?:^ {4}\S.*\n?)+", re.MULTILINE)
"""Lines of one paragraph below a name."""

_SAY_NOTHING = frozenset({"admin", "guest", "localhost", "nobody", "root", "ubuntu", "user"})
"""Names of accounts and machines that many have."""

_QUOTED = re.compile(r"(?P<quote>['\"])/(?:[^'\"\n/]*/)+(?P<name>[^'\"\n/]+)/?(?P=quote)")
_PLAIN = re.compile(r"(?<![\w.~/-])/(?:[^\s'\"/:;,()\[\]<>]+/)+(?P<name>[^\s'\"/:;,()\[\]<>]+)")


def printable(text: str, most: int = 300) -> str:
    r"""Put text on one line, of visible characters only and not too long, as a part of a sentence.

    Examples
    --------
    >>> printable("a\x1b[31m\nb\u202ec"), printable("abcdef", 3)
    ('a b c', 'ab…')
    """
    line = one_line(text[: 4 * most])
    return line if len(line) <= most else line[: most - 1] + "…"


def unwrapped(docstring: str) -> str:
    r"""Put each paragraph of a docstring on one line, and what it says of each parameter.

    Examples
    --------
    >>> unwrapped("Do it\nwell.\n\nParameters\n----------\nplace\n    Where it is\n    done.")
    'Do it well.\n\nParameters\n----------\nplace\n    Where it is done.\n'
    """
    text, heading, parameters = cleandoc(docstring).partition("\n\nParameters\n")
    text = re.sub(r"(?<=\S)\n(?=\S)", " ", text)
    return text + heading + _INDENTED.sub(lambda found: f"    {' '.join(found[0].split())}\n", parameters)


def one_line(text: str) -> str:
    """Put what one stranger wrote on one line, of visible characters only, however long it is."""
    if not text.isprintable():  # as it nearly always is
        text = visible(_WORDS.sub("", text), instead=" ")
    return " ".join(text.split())


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


def unnamed(text: str) -> str:
    """Take from a sentence that may be published what says whose machine it comes from.

    Paths in the working folder become relative, those in the home folder begin with ``~``, and of others the
    last name is left. The names of the machine and of the account are blotted out.

    Examples
    --------
    >>> unnamed("No such file: '/mnt/of a hospital/w.pt'; see /opt/model/net.py:3 or https://a.org/b/c")
    "No such file: '…/w.pt'; see …/net.py:3 or https://a.org/b/c"
    """
    text = re.sub(r"\bfile:/+", "/", readable(text))
    for folder, instead in _folders():
        below = "" if instead == "." else f"{instead}/"
        text = re.sub(rf"(?<![\w.~-]){re.escape(folder)}/(?=\w)", below, text)
        text = re.sub(rf"(?<![\w.~-]){re.escape(folder)}(?![\w-]|\.\w)", instead, text)
    text = _QUOTED.sub(r"\g<quote>…/\g<name>\g<quote>", text)
    text = _PLAIN.sub(r"…/\g<name>", text)
    for name, instead in _names():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", instead, text, flags=re.IGNORECASE)
    return text


def _folders() -> list[tuple[str, str]]:
    """Give the working and the home folder, as named and without links, the longest first."""
    found = dict[str, str]()
    with contextlib.suppress(RuntimeError):
        found |= {str(Path.home()): "~", os.path.realpath(Path.home()): "~"}
    with contextlib.suppress(OSError):  # the working folder may be gone
        found |= {os.environ.get("PWD", "/"): ".", str(Path.cwd()): "."}
    apart = [(folder.rstrip("/"), instead) for folder, instead in found.items()]
    return sorted((one for one in apart if one[0] not in ("", os.devnull)), key=lambda one: -len(one[0]))


def _names() -> list[tuple[str, str]]:
    host = socket.gethostname()
    found = {host: "<host>", host.partition(".")[0]: "<host>"}
    with contextlib.suppress(KeyError, OSError, ImportError):
        found[getpass.getuser()] = "<user>"
    return sorted(
        (one for one in found.items() if len(one[0]) > 2 and one[0].lower() not in _SAY_NOTHING),
        key=lambda one: -len(one[0]),
    )
