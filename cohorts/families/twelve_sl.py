"""Statements of GE's Marquette 12SL programme: a line of acronyms, taken apart.

A line is written as the programme's own tokens ("CRO IMI COMMA AU", "SRTH $SWITH FAV"). Some of them join
statements, some hedge the one that follows, some give the age of the one before, some say in brackets by
which criteria it was found. The programme's list of acronyms is not public; those known here are the ones
that PTB-XL+ and its documents hold.
"""

from __future__ import annotations

from collections.abc import Iterable

VOCABULARY = "12sl"

_HEDGES = {"PO", "CRO"}
_AGES = {"AU", "AC", "OLD", "NEW"}
_OR = "$SOR"
_LEFT_OUT = {"COMMA", "LPAREN", "RPAREN", "$SWITH", "$SAND", "OCC", "FREQ"}
_CRITERIA = {"CSEC", "RAVL", "SOKOLYON", "CORNPROD", "ROMESTES"}
_CONCLUSIONS = {"NML", "AB"}


def statements(tokens: Iterable[str]) -> tuple[str, ...]:
    """Statements of a record, with what hedges or dates them as modifiers ("IMI+CRO+AU").

    A record that is called neither normal nor abnormal says so in a statement of its own.
    """
    found: list[str] = []
    before = ""
    for token in " ".join(tokens).split():
        if token in _HEDGES:
            before += f"+{token}"
        elif token in _AGES:
            found[-1:] = [f"{statement}+{token}" for statement in found[-1:]]
        elif token == _OR:
            found[-1:] = [f"{statement}+OR" for statement in found[-1:]]
            before += "+OR"
        elif token not in _LEFT_OUT | _CRITERIA:
            found.append(token + before)
            before = ""
    return (*found, *(() if _CONCLUSIONS & {*found} else ("no conclusion",)))
