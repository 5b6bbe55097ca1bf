"""Codes of a record: whole tokens, some of them with modifiers, each with its row in a vocabulary."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import pandas as pd

from cohorts.errors import UsageError

Statements = Sequence[Collection[str]]


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
