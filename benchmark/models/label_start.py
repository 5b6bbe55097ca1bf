"""The start of a map (`benchmark.models.label_map`): a model's own names, looked up in the ontology.

What is known for certain gets its relation. Everything else is a row without one, with what may be meant in
its note: a map with such a row is refused until somebody has decided.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from benchmark.models.label_map import COLUMNS, LARGEST
from benchmark.text import printable
from cohorts.errors import UnknownNameError, UsageError
from cohorts.ontology.names import concept_meant, names_and_codes, plain
from cohorts.ontology.ontology import load_ontology

_LONGEST = 200
_NEAR = 0.8
_CANDIDATES = 3
_LEAST_OF_VOCABULARY = 0.8

Row = tuple[str, str, str, str]
"""Label, concept, relation ("" for undecided) and note."""


@dataclass(frozen=True)
class Start:
    """A map to be completed.

    Attributes
    ----------
    rows
        In the order of the labels; each label has one at least.
    vocabularies
        Name -> number of the labels that are codes of it, for those that have nearly all.
    """

    rows: tuple[Row, ...]
    vocabularies: dict[str, int]

    @property
    def undecided(self) -> tuple[Row, ...]:
        """Rows that somebody has to decide."""
        return tuple(row for row in self.rows if not row[2])

    def text(self) -> str:
        """Write the rows as CSV."""
        written = io.StringIO()
        csv.writer(written, lineterminator="\n").writerows([(*COLUMNS, "note"), *self.rows])
        return written.getvalue()


def read_names(file: Path) -> tuple[str, ...]:
    """Read a model's own names: one a line, in the order of its columns.

    Raises
    ------
    UsageError
        If it is no such file, or a name stands twice.
    """
    try:
        if file.stat().st_size > LARGEST:
            raise UsageError(f"{file} has more than {LARGEST // 1024} kB; write one name a line.")
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is no text in UTF-8; save it as that.") from None
    names = tuple(line.strip() for line in lines if line.strip())
    if not names:
        raise UsageError(f"{file} is empty; write one name a line, in the order of the model's columns.")
    long = next((name for name in names if len(name) > _LONGEST), None)
    twice = next((name for name in names if names.count(name) > 1), None)
    if long or twice:
        wrong = f"a name of more than {_LONGEST} characters" if long else f"'{printable(twice or '')}' twice"
        raise UsageError(f"{file} has {wrong}; write one name a line, each once.")
    return names


def start_map(names: Sequence[str], vocabulary: str | None = None) -> Start:
    """Look names up.

    Parameters
    ----------
    names
        In the order of the model's columns.
    vocabulary
        One of the ontology's, if the names are its codes: then its rows say what they mean.

    Raises
    ------
    UnknownNameError
        If there is no such vocabulary.
    """
    vocabularies = load_ontology().vocabularies
    if vocabulary is not None and vocabulary not in vocabularies:
        raise UnknownNameError("vocabulary", printable(vocabulary, 40), vocabularies)
    found = [row for name in names for row in _rows(name, vocabulary)]
    rows = [*found, *_of_parents(found)]
    order = {name: at for at, name in enumerate(names)}
    rows.sort(key=lambda row: order[row[0]])
    counts = {name: sum(one in set(table["code"]) for one in names) for name, table in vocabularies.items()}
    most = {name: count for name, count in counts.items() if count >= _LEAST_OF_VOCABULARY * len(names)}
    return Start(tuple(rows), {} if vocabulary else most)


def _rows(name: str, vocabulary: str | None) -> list[Row]:
    if vocabulary is not None and (rows := _by_vocabulary(name, vocabulary)):
        return rows
    concept = concept_meant(name)
    if concept:
        return [(name, concept, "same", "")]
    near = _near(name)
    return [(name, "", "", f"perhaps {' or '.join(near)}" if near else "nothing near is known")]


def _by_vocabulary(name: str, vocabulary: str) -> list[Row]:
    """Take what a vocabulary says of a code; where it leaves all open, the code has no concept."""
    table = load_ontology().vocabularies[vocabulary]
    says = table[(table["code"] == name) & (table["cohort"] == "")]
    states = says[says["relation"].isin(["same", "narrower"])]
    if len(states):
        said = zip(states["concept"], states["relation"], states["note"], strict=True)
        return [(name, concept, relation, note) for concept, relation, note in said]
    if says.empty:
        return []
    may_be = ", ".join(concept for concept in says["concept"] if concept)
    reason = f"may be {may_be}: nothing of it is stated" if may_be else says["note"].iloc[0] or "no concept"
    return [(name, "", "unmapped", reason)]


def _of_parents(rows: Iterable[Row]) -> list[Row]:
    """Say of each label that it is a kind of what stands above its concepts.

    That is a score of the parent only if its kinds together are nearly all of it, which is certain where
    the ontology has several kinds of it and each has a label; else it is to be decided.
    """
    ontology = load_ontology()
    stated: dict[str, dict[str, str]] = {}
    for label, concept, relation, _ in rows:
        if concept and relation:
            stated.setdefault(label, {})[concept] = relation
    have = {concept for said in stated.values() for concept in said}
    kinds: dict[str, set[str]] = {}
    for kind, parents in _parents().items():
        for parent in parents if not ontology.parts(kind) else ():
            kinds.setdefault(parent, set()).add(kind)
    named = {concept for said in stated.values() for concept, relation in said.items() if relation == "same"}
    found = []
    for label, said in stated.items():
        for parent in _ancestors(said):
            missing = sorted(kinds[parent] - have) or ["its other kinds"] * (len(kinds[parent]) == 1)
            if parent not in said and (parent in named or not missing):
                found.append((label, parent, "narrower", ""))
            elif parent not in said:
                note = f"narrower if your labels are nearly all of {parent} (none for {', '.join(missing)})"
                found.append((label, parent, "", f"{note}; else delete this row"))
    return found


def _parents() -> dict[str, tuple[str, ...]]:
    return {str(concept): parents for concept, parents in load_ontology().concepts["parents"].items()}


def _ancestors(concepts: Iterable[str]) -> list[str]:
    """List what stands above concepts, the nearest first."""
    above = _parents()
    found: list[str] = []
    to_do = list(concepts)
    while to_do:
        new = [parent for parent in above[to_do.pop(0)] if parent not in found]
        found += new
        to_do += new
    return found


def _near(name: str) -> list[str]:
    """List concepts of which a name or code is in this one, holds it, or is spelt like it."""
    words, known = plain(name), names_and_codes()
    within = sorted(
        (
            one
            for one in known
            if len(min(one, words, key=len)) > 3 and (_has(words, one) or _has(one, words))
        ),
        key=lambda one: -len(one) if _has(words, one) else len(one),
    )
    spelt = get_close_matches(words, known, n=_CANDIDATES, cutoff=_NEAR)
    return list(dict.fromkeys(known[one] for one in (*within, *spelt)))[:_CANDIDATES]


def _has(long: str, short: str) -> bool:
    """Whether whole words stand in others."""
    return f" {short} " in f" {long} "
