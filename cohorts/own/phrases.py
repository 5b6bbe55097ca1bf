"""Cells taken apart into codes, or, where they are free text, into phrases, which a vocabulary then explains.

No label is read out of words: a phrase means what its row of the vocabulary says, and one without a row
leaves open what no other phrase states. A doubt or a no may be meant for more than the phrase that it stands
in, so a sentence with one stays whole: "V.a. LVH, LAE" never becomes a plain "LAE".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

SEPARATOR = ";"
"""Of codes, where none is stated."""

_SENTENCES = re.compile(r"[;|\n\r]+|(?<=[^\W\d]{4})\.(?=\s|$)|[!]+(?=\s|$)")
"""A full stop ends one only after a word of four letters: not after "V. a.", "Z. n." or "I."."""

_PHRASES = re.compile(r",(?!\d)|(?<!\d),")
"""A comma between digits is that of a number."""

_DOUBT = re.compile(
    r"""\?|\b(?:
    kein\w*|nicht|ohne|weder|noch|ausschlu\w+|ausgeschlossen|verd\w+|v\.?\s?a\b|d\.?d\b|m(?:ö|oe)glich\w*
    |wahrscheinlich\w*|fraglich\w*|eventuell\w*|evtl|ggf|vereinbar\w*|grenzwertig\w*|hinweis\w*|eher|k(?:ö|oe)nnte\w*|kann|oder
    |no|not|non|without|neither|nor|den(?:y|ies)|absen\w+|possib\w+|probabl\w+|suspect\w*|suspicio\w+|suggest\w*
    |consider|likely|unlikely|may|might|cannot|could|questionabl\w+|borderline|rule|ruled|r/o|versus|vs|or
    )(?!\w)""",
    re.VERBOSE,
)


_MEASURED = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+|\d)(?=$|\W|(?:ms|mv|mm|s|sec|min|bpm)\b)")
"""A number that was measured, such as a rate: of two digits or a fraction. The degree of a block has one."""


def codes_of(cell: str, separator: str | None = None, free_text: bool = False) -> list[str]:
    """Take a cell apart into its different codes, or phrases."""
    found = phrases(cell) if free_text else map(str.strip, cell.split(separator or SEPARATOR))
    return list(dict.fromkeys(filter(None, found)))


def phrases(text: str) -> Iterator[str]:
    """Yield the phrases of a text as `plain_phrase` writes them.

    Examples
    --------
    >>> list(phrases("Sinusrhythmus, Linkstyp. V.a. LVH, LAE; ST-Hebung 0,2 mV"))
    ['sinusrhythmus', 'linkstyp', 'v.a. lvh, lae', 'st-hebung # mv']
    >>> list(phrases("Sinus rhythm. No LVH, no ST elevation. AV-Block I. Grades, LSB"))
    ['sinus rhythm', 'no lvh, no st elevation', 'av-block i. grades', 'lsb']
    """
    for sentence in _SENTENCES.split(unicodedata.normalize("NFC", text).casefold()):
        for phrase in [sentence] if _DOUBT.search(sentence) else _PHRASES.split(sentence):
            if plain := plain_phrase(phrase):
                yield plain


def plain_phrase(phrase: str) -> str:
    """Write a phrase as phrases are compared: small letters, single blanks, no signs at its ends.

    What was measured is left out, or hardly two ECGs would have the same phrase.

    Examples
    --------
    >>> plain_phrase("- Frequenz  72/min"), plain_phrase("PQ 210ms"), plain_phrase("AV-Block 2. Grades (2:1)")
    ('frequenz #/min', 'pq #ms', 'av-block 2. grades (2:1)')
    >>> plain_phrase("I48.0"), plain_phrase("ST-Hebung 0,2 mV in V1-V4")
    ('i48.0', 'st-hebung # mv in v1-v4')
    """
    words = " ".join(unicodedata.normalize("NFC", phrase).casefold().split())
    return _MEASURED.sub("#", words).strip(" .,:-*")
