"""Codes of a record: whole tokens, some of them with modifiers, each with its row in a vocabulary."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.errors import UsageError

Statements = Sequence[Collection[str]]

AMBIGUOUS, POSITIVE = 1, 2  # what a code says of a concept; 0 is nothing
_STRENGTH = {"same": POSITIVE, "narrower": POSITIVE, "ambiguous": AMBIGUOUS}


class Rows(dict[str, int]):
    """Row of each code of a vocabulary in its table of strengths; `unknown` for a code that is not known.

    Attributes
    ----------
    modifiers
        Relation of each modifier by its code, such as ``"+310"``.
    unknown
        Row of every code that is not known.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        codes = table["code"].tolist()
        super().__init__({code: row for row, code in enumerate(dict.fromkeys(codes), start=1)})
        self.unknown = len(self) + 1
        self._uncertain = self.unknown + 1  # rows further down, where nothing is more than ambiguous
        listed = zip(codes, table["relation"].tolist(), strict=True)
        self.modifiers = {code: relation for code, relation in listed if code.startswith("+")}

    def __missing__(self, code: str) -> int:
        base, *rest = code.split("+")
        modifiers = [f"+{modifier}" for modifier in rest]
        if not (base and rest) or not all(modifier in self.modifiers for modifier in modifiers):
            return self.unknown
        own = [base + modifier for modifier in modifiers if base + modifier in self]
        row = self.get(own[0] if own else base, self.unknown)
        uncertain = any(self.modifiers[modifier] == "uncertain" for modifier in modifiers)
        return row + self._uncertain if uncertain and row != self.unknown else row

    def base(self, code: str) -> str:
        """Give the code of the vocabulary that a code with modifiers is read as; any other as it is."""
        row = self[code]
        known = list(self)
        return known[row % self._uncertain - 1] if row != self.unknown else code


def checked(statements: Statements) -> Iterator[Collection[str]]:
    """Give each record's codes, or say which record has something else.

    Raises
    ------
    UsageError
        If a record's statements are not a collection of codes.
    """
    for position, codes in enumerate(statements):
        # A string is a collection too, of its letters: "AF" in "AFIB".
        if isinstance(codes, str | bytes) or not isinstance(codes, Collection):
            raise UsageError(
                f"The statements of record {position} are {codes!r:.80}; give a collection of codes, "
                f"each a string."
            )
        for code in codes:
            if not isinstance(code, str):
                raise UsageError(
                    f"The statements of record {position} hold {code!r:.80}, which is no code; "
                    f"give codes as strings."
                )
        yield codes


def strengths(
    table: pd.DataFrame, descendants: Mapping[str, Collection[str]]
) -> tuple[Rows, npt.NDArray[np.uint8]]:
    """Tabulate what each code of a vocabulary says of each concept, ancestors included.

    The closure is taken here, once for a code, not for every record. That is exact: a child whose ambiguity
    is outweighed is positive, and so are then all its ancestors.

    Parameters
    ----------
    table
        The vocabulary: ``code``, ``concept`` and ``relation``.
    descendants
        All concepts below each concept; the order is that of the columns.

    Returns
    -------
    The row of each code, and uint8 ``[rows, concepts]``: 0 is nothing, 1 ambiguous, 2 yes.
    """
    row_of = Rows(table)
    column_of = {concept: column for column, concept in enumerate(descendants)}
    stated = np.zeros((row_of.unknown, len(column_of)), dtype=np.uint8)
    for code, concept, relation in zip(table["code"], table["concept"], table["relation"], strict=True):
        if concept:
            stated[row_of[code], column_of[concept]] = _STRENGTH[relation]
    strength = np.empty_like(stated)
    for concept, below in descendants.items():
        family = [column_of[member] for member in (concept, *below)]
        strength[:, column_of[concept]] = stated[:, family].max(axis=1)
    # The row of unknown codes, and below it all rows once more, for an uncertain modifier.
    anything = np.full((1, len(column_of)), AMBIGUOUS, dtype=np.uint8)
    hedged = np.where(strength == POSITIVE, AMBIGUOUS, strength)
    return row_of, np.vstack([strength, anything, hedged])
