"""The sets that models are ranked within: those of the ontology, a user's own, and what a call asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from benchmark.metrics.names import METRICS
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import CellName, Draws
from benchmark.records.run_folder import RunFile
from benchmark.report.board import Board, Within
from benchmark.report.board_statistics import plain_numbers
from benchmark.report.ranking import make_boards
from cohorts.catalogue import measured_cards
from cohorts.errors import UnknownNameError
from cohorts.ontology import load_ontology
from cohorts.ontology.concept_sets import ALL, concept_sets


@dataclass(frozen=True, slots=True)
class OwnSets:
    """Sets of a user's own, as ``leadboard.toml`` names them: name -> concepts, name -> cohorts."""

    concepts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    cohorts: Mapping[str, Sequence[str]] = field(default_factory=dict)


NONE = OwnSets()


def choose(
    concept_set: str | None = None,
    concepts: Iterable[str] = (),
    cohorts: Iterable[str] = (),
    own: OwnSets = NONE,
) -> Within:
    """Find out what a call asks to be ranked within.

    Parameters
    ----------
    concept_set
        Name of a set.
    concepts
        Ids; beside a set, those of it that are meant.
    cohorts
        Ids, or names of own sets.
    own
        May give a name of the ontology another meaning.

    Raises
    ------
    UnknownNameError
        If there is no such set, concept or cohort.
    """
    chosen, name = None, concept_set or ALL
    sets: dict[str, Sequence[str]] = {**concept_sets(load_ontology()), **own.concepts}
    if name not in sets:
        raise UnknownNameError("concept set", name, list(sets))
    if name != ALL or ALL in own.concepts:
        chosen = frozenset(sets[name])
    named = list(dict.fromkeys(concepts))
    known = sets[ALL] if chosen is None else sorted(chosen)
    for concept in named:
        if concept not in known:
            raise UnknownNameError("concept" if chosen is None else f"concept of '{name}'", concept, known)
    if named:
        chosen, name = frozenset(named), ", ".join(named)
    ids = list(dict.fromkeys(cohort for one in cohorts for cohort in own.cohorts.get(one, [one])))
    everywhere = measured_cards()
    for cohort in ids:
        if cohort not in everywhere:
            raise UnknownNameError("cohort", cohort, [*everywhere, *own.cohorts])
    if not ids:
        return Within(name, chosen)
    return Within(name, chosen, ", ".join(dict.fromkeys(cohorts)), tuple(ids))


def ranks_by_set(
    run: RunFile,
    records: Sequence[ResultRecord],
    draws: Draws | None = None,
    without_resamples: Mapping[CellName, str] | None = None,
    own: OwnSets = NONE,
) -> list[dict[str, Any]]:
    """Rank within every set of concepts and of cohorts, by either metric, all protocols and each alone.

    Parameters
    ----------
    run, records, draws, without_resamples
        As of `benchmark.report.ranking.make_boards`.

    Returns
    -------
    list of dict
        What strict JSON can hold. ``protocol`` is None for all together. Sets that nobody is measured on are
        left out.
    """
    names = [*concept_sets(load_ontology()), *own.concepts]
    withins = [
        choose(concept_set, (), [cohort_set] if cohort_set else [], own)
        for concept_set, cohort_set in product(dict.fromkeys(names), (None, *own.cohorts))
    ]
    protocols = [None, *dict.fromkeys(record.protocol for record in records)]
    found = []
    for within, metric, protocol in product(withins, METRICS, protocols):
        boards = make_boards(
            run, records, draws, without_resamples, metric=metric, within=within, protocol=protocol
        )
        found += [as_plain(board) | {"protocol": protocol} for board in boards if board.cohorts]
    return found


def as_plain(board: Board) -> dict[str, Any]:
    """Say what a ranking is within, and who is where."""
    return {
        "simulated": board.simulated,
        "concept_set": board.within.concept_set,
        "cohort_set": board.within.cohort_set,
        "metric": board.metric,
        "reference": {cohort: list(board.reference[cohort]) for cohort in board.cohorts},
        "left_out": dict(board.left_out),
        "reference_from_models": list(board.of_models),
        "ranked_by": "groups without a significant difference" if board.by_groups else "means",
        "rows": [
            {
                "model": standing.entry.model,
                "protocol": standing.entry.protocol,
                "rank": standing.rank,
                "mean": standing.mean,
                "interval": standing.spread and plain_numbers((standing.spread.low, standing.spread.high)),
                "cohorts": list(standing.cohorts),
                "concepts": list(standing.concepts),
                "why_unranked": standing.why_unranked or None,
            }
            for standing in board.standings
        ],
    }
