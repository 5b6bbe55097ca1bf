"""Cells of any source as they are joined, and how several of one name are told apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmark.exchange.disclosure import pseudonym
from benchmark.exchange.gathering import Cell, Told
from benchmark.exchange.identity import Learnt, Stated, identity_of, learnt_in, stated_in
from benchmark.records.record import OntologyFacts
from benchmark.text import printable, some
from cohorts.catalogue import is_private

SHORTEST = 4
"""Characters of a hash that tell two of one name apart; more where four do not."""


@dataclass(slots=True)
class Item:
    """A cell of either kind, by what decides which others it is the same as."""

    found: Cell | Told
    model: str
    identity: str
    stated: Stated
    learnt: Learnt | None
    protocol: str
    cohort: str
    simulated: bool
    private: bool
    state: str
    ontology: OntologyFacts

    @property
    def source(self) -> str:
        """Name of what it is from."""
        return self.found.source


def of_cell(cell: Cell, key: bytes | None) -> Item:
    """Give the item of a cell that has predictions; ``key`` as for `benchmark.exchange.joining.join`."""
    record = cell.record
    state = record.cohort.fingerprint
    if key is not None and is_private(record.cohort.id):
        state = pseudonym(key, state)
    return Item(
        found=cell,
        model=record.model.name,
        identity=identity_of(record),
        stated=stated_in(record, record.model),
        learnt=learnt_in(record),
        protocol=record.protocol,
        cohort=record.cohort.id,
        simulated=record.cohort.simulated,
        private=is_private(record.cohort.id),
        state=state,
        ontology=record.ontology,
    )


def of_told(told: Told) -> Item:
    """Give the item of a cell that an aggregate submission tells of."""
    cell = told.cell
    return Item(
        found=told,
        model=cell.model,
        identity=cell.identity,
        stated=stated_in(cell, told.card),
        learnt=learnt_in(cell),
        protocol=cell.protocol,
        cohort=cell.cohort.id,
        simulated=cell.cohort.simulated,
        private=cell.cohort.private,
        state=cell.cohort.state,
        ontology=cell.ontology,
    )


def apart(begin: str, items: Sequence[Item], *, cohorts: bool = False) -> str:
    """Say which of several things of one name is from where."""
    places: dict[str, dict[str, None]] = {}
    for item in items:
        places.setdefault(item.cohort if cohorts else item.model, {})[item.source] = None
    parts = [f"{name} is from {some(sources)}" for name, sources in places.items()]
    return printable(f"{begin}: {'; '.join(parts)}.", 500)


def shortened(hashes: Iterable[str]) -> dict[str, str]:
    """Shorten hashes, in their order, to what tells them apart."""
    distinct = list(dict.fromkeys(hashes))
    longest = max(map(len, distinct), default=SHORTEST)
    for length in range(SHORTEST, longest + 1):
        short = {one: printable(one[:length], length) for one in distinct}
        if len(set(short.values())) == len(distinct):
            return short
    return {one: f"{one[:SHORTEST]}.{at}" for at, one in enumerate(distinct, 1)}
