"""Writing TOML, which the standard library only reads: text, numbers, lists, and tables of these."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from benchmark.text import readable

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml(content: Mapping[str, Any]) -> str:
    r"""Write a table; what is None is left out, and so is a table with nothing in it.

    Only ASCII is written, so that no terminal and no editor can spoil it.

    Examples
    --------
    >>> print(toml({"data": "/d", "cache": None, "run": {"models": ["a"], "seed": 1, "more": {"env": "ä"}}}))
    data = "/d"
    <BLANKLINE>
    [run]
    models = ["a"]
    seed = 1
    <BLANKLINE>
    [run.more]
    env = "\u00e4"
    <BLANKLINE>
    """
    return "".join(_lines(content, ())).lstrip("\n")


def _lines(table: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    own = {key: value for key, value in table.items() if key not in inner and value is not None}
    if names and own:
        yield f"\n[{'.'.join(map(_key, names))}]\n"
    for key, value in own.items():
        yield f"{_key(key)} = {_value(value)}\n"
    for key, value in inner.items():
        yield from _lines(value, (*names, key))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _value(value: object) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _text(text: str) -> str:
    """Write a basic string: that of JSON, but for characters beyond 16 bits and DEL.

    Bytes of a file's name that are no text cannot stand in TOML; a sign stands for them.
    """
    text = readable(text)
    escaped = (f"\\U{ord(sign):08x}" if ord(sign) > 0xFFFF else json.dumps(sign)[1:-1] for sign in text)
    return f'"{"".join(escaped)}"'.replace("\x7f", "\\u007f")
