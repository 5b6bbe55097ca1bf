"""Markdown of the generated pages. Words of others come through `plain`, so that none of them is markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from benchmark.text import one_line

NOTHING = "–"


def plain(text: object) -> str:
    r"""Show text as it is, on one line, in a table cell too: what Markdown or HTML might obey is an entity.

    Examples
    --------
    >>> plain("a|b <i>*c*</i>\n[x](y)")
    'a&#124;b &#60;i&#62;&#42;c&#42;&#60;/i&#62; &#91;x&#93;(y)'
    """
    return re.sub(
        r"[\\`*_{}\[\]<>&|~^$#!]|^[-+](?=\s)|(?<=^\d)[.](?=\s)",
        lambda found: f"&#{ord(found[0])};",
        one_line(str(text)),
    )


def code(text: object) -> str:
    """Show text as code; backticks in it do no harm."""
    return f"<code>{plain(text)}</code>"


def prose(docstring: str) -> str:
    """Turn the words of a docstring, up to its first section, into paragraphs; `names` stay code."""
    words = re.split(r"\n\w[\w ]*\n-{3,}\n", docstring)[0].strip()
    paragraphs = [" ".join(part.split()) for part in words.split("\n\n")]
    return "\n\n".join(
        "".join(
            code(part) if at % 2 else _sentence(part)
            for at, part in enumerate(re.split(r"``?([^`]+)``?", paragraph))
        )
        for paragraph in paragraphs
    )


def _sentence(part: str) -> str:
    """Escape a part of a sentence, and keep the blanks at its ends."""
    inner = part.strip()
    return part.replace(inner, plain(inner)) if inner else part


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table of cells that are Markdown already."""
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return "\n".join(f"| {' | '.join(cell or ' ' for cell in line)} |" for line in lines)


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Write name and value, a row each; what has no value is left out."""
    return table(("", ""), [(f"**{name}**", value) for name, value in pairs if value])


def console(*commands: str) -> str:
    """Write commands to type."""
    return "\n".join(["```console", *(f"$ {command}" for command in commands), "```"])
