"""Where a column says 0 of a finding and something else states a kind of it: nobody knows who is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.errors import UsageError
from cohorts.ontology.codes import Rows
from cohorts.ontology.ontology import load_ontology
from cohorts.own.labels import STATES, Code, Positions, Said

_SHOWN = 3
_NOTE = "a column of the table says 0 of what it is a kind of"

Pair = tuple[str, str]
"""A concept that is denied, and a kind of it."""


def left_open(said: Said, columns: Mapping[str, str], ids: Sequence[str] | None = None) -> Said:
    """Leave open what a record states of the kinds of a concept of which its column says 0.

    A code that states a kind of a column's concept gets a twin, which leaves it open, and with it the concept
    itself. Where the column says 0 the twin stands in place of the code. That holds for columns, native codes
    and ICD-10 alike; a code of several concepts leaves open all of them that are kinds of a column's.

    Parameters
    ----------
    said
        What all sources say.
    columns
        Concept -> column.
    ids
        Id of each row of the index; without them, the rows of the columns were not read.

    Raises
    ------
    UsageError
        If a twin has the name of another code.
    """
    above: dict[str, list[str]] = {}
    for concept in columns:
        for kind in load_ontology().descendants(concept):
            above.setdefault(kind, []).append(concept)
    meanings = _meanings(said)
    stating = {
        code: kinds
        for code, rows in meanings.items()
        if (kinds := [kind for _, _, kind, relation, _ in rows if relation in STATES and kind in above])
    }
    twins = {code: f"{code}, contradicted" for code in stating}
    taken = next((twin for twin in twins.values() if twin in meanings), None)
    if taken is not None:
        raise UsageError(f"The code '{taken}' is one that is made here for another purpose; rename it.")
    codes = [
        (twins[code], name, concept, *(("ambiguous", _NOTE) if concept in kinds else (relation, note)))
        for code, kinds in stating.items()
        for _, name, concept, relation, note in meanings[code]
    ]
    denied = _denied(said, columns, len(ids)) if ids is not None else {}
    statements = dict[str, Positions]()
    against, unclear = dict[Pair, list[Positions]](), dict[Pair, list[Positions]]()
    for code, rows in said.statements.items():
        moved = np.zeros(len(rows), np.bool_)
        for _, _, kind, relation, _ in meanings[code]:
            for concept in above.get(kind, ()) if denied else ():
                both = denied[concept][rows]
                where = against if relation in STATES else unclear
                where.setdefault((concept, kind), []).append(rows[both])
                if relation in STATES:
                    moved |= both
        statements[code] = rows[~moved]
        if code in twins:
            statements[twins[code]] = rows[moved]
    examples = {
        _stated(pair, columns, len(rows)): tuple(ids[row] for row in rows[:_SHOWN] if ids[row])
        for pair, rows in sorted(_joined(against).items(), key=lambda item: item[0])
        if ids is not None
    }
    return replace(
        said,
        statements=statements,
        codes=(*said.codes, *codes),
        warnings=(*said.warnings, *examples, *_unclear(_joined(unclear))),
        examples=examples,
    )


def _meanings(said: Said) -> dict[str, list[Code]]:
    """Rows of each code that is listed or stated; a code with a hedging modifier states nothing."""
    table = Rows(pd.DataFrame(said.codes, columns=["code", "name", "concept", "relation", "note"]))
    listed: dict[int, list[Code]] = {}
    for row in said.codes:
        listed.setdefault(table[row[0]], []).append(row)
    found = {}
    for code in dict.fromkeys([*table, *said.statements]):
        number = table[code]
        hedged = number > table.unknown
        rows = listed[number - table.unknown - 1 if hedged else number]
        found[code] = [
            (code, name, concept, "ambiguous" if hedged and relation in STATES else relation, note)
            for _, name, concept, relation, note in rows
        ]
    return found


def _denied(said: Said, columns: Mapping[str, str], records: int) -> dict[str, npt.NDArray[np.bool_]]:
    """Whether the column of each concept says 0, by row."""
    found = {concept: np.ones(records, np.bool_) for concept in columns}
    for concept, zero in found.items():
        zero[said.statements[f"{concept}: 1"]] = False
        zero[said.statements[f"{concept}: empty"]] = False
    return found


def _joined(found: Mapping[Pair, Sequence[Positions]]) -> dict[Pair, Positions]:
    """Put the rows that several codes gave a pair together; a pair without a row is left out."""
    together = {pair: np.unique(np.concatenate(pieces)) for pair, pieces in found.items()}
    return {pair: rows for pair, rows in together.items() if len(rows)}


def _stated(pair: Pair, columns: Mapping[str, str], rows: int) -> str:
    concept, kind = pair
    return (
        f"Rows in which {concept} is 0 in column '{columns[concept]}' and {kind}, a kind of it, is stated: "
        f"{rows:,}; both are left open (-1) there."
    )


def _unclear(found: Mapping[Pair, Positions]) -> Iterator[str]:
    """Say of each concept where it is denied and a kind of it is left open."""
    for concept in dict.fromkeys(concept for concept, _ in found):
        kinds = {kind: rows for (one, kind), rows in found.items() if one == concept}
        yield (
            f"Rows in which {concept} is 0 and a kind of it ({', '.join(kinds)}) is left open: "
            f"{len(reduce(np.union1d, kinds.values())):,}; {concept} is -1 there too, because a finding is "
            "absent only where all its kinds are."
        )
