"""What all figures share: colours, labels, files, and how they are put into a page."""

from __future__ import annotations

import re
from dataclasses import dataclass

INK = "#1b1f24"
FAINT = "#6b7280"
RULE = "#d0d5dc"
FONT = 8.5

WARNING = "SIMULATED: not a recording of a patient"
"""On every ECG of a simulated cohort."""

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a6761d", "#56b4e9", "#4d4d4d")
"""After Okabe and Ito (2008), distinct with a colour vision deficiency; its yellow is too faint on white."""

PIXELS = 30_000
"""Longest side of a PNG: Agg refuses 65,536, and browsers give up before."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One figure as SVG and PNG, with what it shows in words."""

    name: str
    alt: str
    svg: str
    png: bytes


_IDS = ('id="', 'href="#', "url(#")


def inline_svg(picture: Picture) -> str:
    """SVG element for an HTML page: no XML declaration, no style, and ids that no other picture has.

    Safe to insert as it is: ``<``, ``>`` and ``&`` are escaped in text, so a tag is a tag. Styles become
    attributes, because the policy of the page obeys no style but its own.
    """
    svg = picture.svg[picture.svg.index("<svg") :]
    sheet = re.search(r"<defs>\s*<style[^>]*>\*\{([^}]*)\}</style>\s*</defs>", svg)
    if sheet:
        svg = svg.replace(sheet[0], "", 1).replace("<svg", f'<svg style="{sheet[1]}"', 1)

    def own_ids(tag: re.Match[str]) -> str:
        plain = tag[0]
        if 'style="' in plain:
            plain = re.sub(r'\bstyle="([^"]*)"', lambda style: _as_attributes(style[1]), plain)
        if any(sign in plain for sign in _IDS):  # in few of the tags, of which there may be 70,000
            plain = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{picture.name}-", plain)
        return plain

    return re.sub(r"(?<=>)\s*\n\s*(?=<)", "", re.sub(r"<[^<>]+>", own_ids, svg).strip())


def _as_attributes(style: str) -> str:
    """Write declarations such as ``fill: none; stroke: red`` as attributes, which SVG takes as well."""
    pairs = (one.partition(":") for one in style.split(";") if one.strip())
    return " ".join(f'{name.strip()}="{value.strip()}"' for name, _, value in pairs)


def label(text: str, longest: int = 40) -> str:
    r"""Shorten text to what a figure can show: printable ASCII, since no font has everything.

    Examples
    --------
    >>> label("ptb-xl"), label("AF\n\u5fc3", 4), label("x" * 9, 5)
    ('ptb-xl', 'AF ?', 'xx...')
    """
    shown = "".join(c if c.isprintable() and c.isascii() else " " if c.isspace() else "?" for c in text)
    return shown if len(shown) <= longest else f"{shown[: longest - 3]}..."
