"""Labels of a hospital's own cohort, as statements: what each column or code says of which concept.

The ontology makes labels of them as of any release's: parents, hedges and unknown codes follow its rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from cohorts.errors import UsageError
from cohorts.ontology.ontology import load_ontology

_VALUES = {"1": 1, "1.0": 1, "0": 0, "0.0": 0, "": -1}
_HARMLESS = re.compile(
    r"[-+]?\d{1,3}([.,]\d{1,3})?|true|false|yes|no|y|n|ja|nein|pos|neg|na|nan|n/a|null|none|x|\?", re.I
)
_SHOWN = 5

Rows = list[tuple[str, str, str, str, str]]
"""Code, name, concept, relation and note, as a vocabulary has them."""


@dataclass(frozen=True)
class Said:
    """What one source says of the records of an index.

    Attributes
    ----------
    position, code
        Of each statement: the row of the index, and the code.
    rows
        What the codes mean.
    annotated
        Concept -> why silence about it means no.
    """

    position: np.ndarray[tuple[int], np.dtype[np.intp]]
    code: np.ndarray[tuple[int], np.dtype[np.object_]]
    rows: Rows
    annotated: Mapping[str, str]
    warnings: tuple[str, ...] = field(default=())


def from_columns(path: Path, cells: pd.DataFrame, columns: Mapping[str, str]) -> Said:
    """Read columns of 1, 0 and nothing.

    Parameters
    ----------
    columns
        Concept -> column.

    Raises
    ------
    UsageError
        If a column holds anything else; with the number of cells of each value.
    """
    positions, codes, rows, annotated, warnings = [], [], [], {}, []
    for concept, column in columns.items():
        values = _values(path, cells[column])
        for value, code in ((1, f"{concept}: 1"), (-1, f"{concept}: empty")):
            found = np.flatnonzero(values == value)
            positions.append(found)
            codes.append(np.full(len(found), code, dtype=object))
        rows.append((f"{concept}: 1", f"1 in column {column}", concept, "same", ""))
        rows.append(
            (
                f"{concept}: empty",
                f"nothing in column {column}",
                concept,
                "ambiguous",
                "not annotated in this ECG",
            )
        )
        annotated[concept] = f"1, 0 or empty in column {column} of the hospital's own table."
        if (values < 0).all():
            warnings.append(f"The column '{column}' is empty in every row, so {concept} is not annotated.")
    warnings += _contradictions(cells, columns)
    return Said(
        np.concatenate([np.empty(0, np.intp), *positions]),
        np.concatenate([np.empty(0, object), *codes]),
        rows,
        annotated,
        tuple(warnings),
    )


def _values(path: Path, column: pd.Series[str]) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    values = column.map(_VALUES)
    odd = column[values.isna()]
    if len(odd):
        counts = odd.value_counts()
        shown = [f"'{text}' ({count:,}x)" for text, count in counts.items() if _HARMLESS.fullmatch(str(text))]
        hidden = int(sum(count for text, count in counts.items() if not _HARMLESS.fullmatch(str(text))))
        more = f"other text ({hidden:,}x)"
        found = ", ".join(
            [*shown[:_SHOWN], *([f"{len(shown) - _SHOWN} more"] if len(shown) > _SHOWN else [])]
        )
        raise UsageError(
            f"The column '{column.name}' of {path} holds {' and '.join(filter(None, [found, more if hidden else '']))}"
            f" beside {int((column == '1').sum()):,} ones, {int((column == '0').sum()):,} zeros and "
            f"{int((column == '').sum()):,} empty cells; a label is 1, 0 or empty (not annotated)."
        )
    return values.to_numpy(dtype=np.int8)


def reasons(annotated: Mapping[str, str]) -> dict[str, str]:
    """Name, in the reason of each parent, the children that nobody states: what states it answers for them."""
    ontology = load_ontology()
    found = {}
    for concept, reason in annotated.items():
        below = [child for child in ontology.descendants(concept) if child not in annotated]
        found[concept] = f"Complete without {', '.join(below)}: {reason}" if below else reason
    return found


def _contradictions(cells: pd.DataFrame, columns: Mapping[str, str]) -> list[str]:
    """Say where a kind of a finding is stated and the finding itself is denied, or left out."""
    found = []
    for concept, column in columns.items():
        for child in load_ontology().descendants(concept):
            if child not in columns:
                continue
            yes = int(((cells[column] == "0") & (cells[columns[child]] == "1")).sum())
            left_open = int(((cells[column] == "0") & (cells[columns[child]] == "")).sum())
            if yes:
                found.append(
                    f"{concept} is 0 and {child}, which is a kind of it, is 1 in {yes:,} rows: both are 1 there."
                )
            if left_open:
                found.append(
                    f"{concept} is 0 and {child}, which is a kind of it, is empty in {left_open:,} rows: both are "
                    "-1 (not annotated) there."
                )
    return found


def grouped(said: Said, records: int) -> list[tuple[str, ...]]:
    """Give the codes of each record, in the order of the positions."""
    order = np.argsort(said.position, kind="stable")
    codes = said.code[order].tolist()
    ends = np.searchsorted(said.position[order], np.arange(records), side="right").tolist()
    return [tuple(codes[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
