"""Labels of a hospital's own cohort, as statements: what each column or code says of which concept.

The ontology makes labels of them as of any release's: parents, hedges and what is left open follow its rules.
A concept belongs to one source: to its column if it has one, else to the native codes, else to ICD-10.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.counts import plural
from cohorts.errors import UsageError
from cohorts.ontology.ontology import load_ontology
from cohorts.ontology.sentences import NO_SENTENCE

Positions = npt.NDArray[np.intp]
Code = tuple[str, str, str, str, str]
"""Code, name, concept, relation and note, as a vocabulary has them."""
Question = tuple[str, str, str]
"""Concepts, what answers it, and the reason, as the ontology's table of questions has them."""

UNSAID: Code = ("no label", NO_SENTENCE, "", "unmapped", "nothing of this cohort is made a label")
"""The one code of a cohort that has reports alone."""

UNIONS = {"AF_AFL": ("AF", "AFL"), "AVB": ("IAVB", "IIAVB", "IIIAVB")}
"""Concepts that are nothing but the sum of these, so that they are annotated wherever these are."""

STATES = ("same", "narrower")
"""Relations by which a code states its concept."""

VALUES = {"1": 1, "1.0": 1, "0": 0, "0.0": 0, "": -1}
_HARMLESS = re.compile(
    r"[-+]?\d{1,3}([.,]\d{1,3})?|true|false|yes|no|y|n|ja|nein|j|pos|neg|na|nan|n/a|null|none|x|\?", re.I
)
_SHOWN = 5


@dataclass(frozen=True)
class Said:
    """What one source, or all of them, say of the rows of an index.

    Attributes
    ----------
    statements
        Code -> rows that state it.
    codes
        What the codes mean.
    annotates
        Concept -> why silence about it means no.
    questions
        What a record can leave open.
    warnings
        Sentences for the user.
    examples
        Warning -> ids of a few rows that it is about.
    unheard
        Code that no vocabulary knows -> number of rows that state it.
    """

    statements: Mapping[str, Positions]
    codes: tuple[Code, ...]
    annotates: Mapping[str, str]
    questions: tuple[Question, ...] = ()
    warnings: tuple[str, ...] = ()
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unheard: Mapping[str, int] = field(default_factory=dict)

    def of_records(self, records: int) -> list[tuple[str, ...]]:
        """Give the codes of each record."""
        codes = np.array(list(self.statements), dtype=object)
        lengths = [len(positions) for positions in self.statements.values()]
        positions = np.concatenate([np.empty(0, np.intp), *self.statements.values()])
        order = np.argsort(positions, kind="stable")
        in_order = codes[np.repeat(np.arange(len(codes)), lengths)[order]].tolist() if len(codes) else []
        ends = np.searchsorted(positions[order], np.arange(records), side="right").tolist()
        return [tuple(in_order[start:end]) for start, end in pairwise([0, *ends])]


def joined(sources: Sequence[Said]) -> Said:
    """Put together what several sources say, each of concepts of its own."""
    annotates = {concept: why for said in sources for concept, why in said.annotates.items()}
    for concept, kinds in UNIONS.items():
        if concept not in annotates and all(kind in annotates for kind in kinds):
            annotates[concept] = f"It is {' or '.join(kinds)}, all of which are annotated."
    codes = [code for said in sources for code in said.statements]
    twice = next((code for code in codes if codes.count(code) > 1), None)
    if twice is not None:
        raise UsageError(f"The code '{twice}' is one that is made here for another purpose; rename it.")
    return Said(
        {code: rows for said in sources for code, rows in said.statements.items()},
        tuple(row for said in sources for row in said.codes),
        annotates,
        tuple(question for said in sources for question in said.questions),
        tuple(warning for said in sources for warning in said.warnings),
        unheard={code: count for said in sources for code, count in said.unheard.items()},
    )


def without(codes: Sequence[Code], taken: Collection[str], why: str) -> tuple[Code, ...]:
    """Leave out what codes say of concepts that another source answers for; the codes stay known."""
    kept = [code for code in codes if code[2] not in taken]
    known = {code[0] for code in kept}
    lost = {code[0]: code for code in codes if code[0] not in known}
    return (*kept, *((code, name, "", "unmapped", why) for code, name, *_ in lost.values()))


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
    statements: dict[str, Positions] = {}
    codes: list[Code] = []
    warnings: list[str] = []
    names = load_ontology().concepts["name"]
    for concept, column in columns.items():
        values = _values(path, cells[column])
        yes, nothing = f"{concept}: 1", f"{concept}: empty"
        statements[yes], statements[nothing] = np.flatnonzero(values == 1), np.flatnonzero(values < 0)
        codes.append((yes, names[concept], concept, "same", f"1 in column {column}"))
        codes.append((nothing, NO_SENTENCE, concept, "ambiguous", f"nothing in column {column}"))
        if len(values) and (values < 0).all():
            warnings.append(f"The column '{column}' is empty in every row, so {concept} is not annotated.")
    reason = "A column of the hospital's own table: 1, 0, or empty where it is not annotated."
    return Said(statements, tuple(codes), dict.fromkeys(columns, reason), warnings=tuple(warnings))


def _values(path: Path, column: pd.Series[str]) -> npt.NDArray[np.int8]:
    values = column.map(VALUES)
    odd = column[values.isna()]
    if len(odd):
        counts = odd.value_counts()
        harmless = [text for text in counts.index if _HARMLESS.fullmatch(str(text))]
        found = [f"'{text}' ({counts[text]:,}x)" for text in harmless[:_SHOWN]]
        other = int(counts.sum() - counts[harmless[:_SHOWN]].sum())
        found += [f"something else ({other:,}x)"] if other else []
        ones, zeros, empty = (int(column.isin(texts).sum()) for texts in (["1", "1.0"], ["0", "0.0"], [""]))
        others = f"{plural(ones, 'one')}, {plural(zeros, 'zero')} and {plural(empty, 'empty cell')}"
        raise UsageError(
            f"The column '{column.name}' of {path} holds {' and '.join(found)}, beside {others}; a label "
            "is 1, 0, or empty where it is not annotated."
        )
    return values.to_numpy().astype(np.int8)
