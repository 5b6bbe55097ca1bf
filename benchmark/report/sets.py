"""The sets that models are ranked within: those of the ontology, a user's own, and what a call asks for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from benchmark.metrics.cell.evaluation import Resampled
from benchmark.metrics.estimates import Estimate, PooledEstimate
from benchmark.metrics.names import Metric
from benchmark.models.concept_names import unknown_concept
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import CellName, Draws, name_of
from benchmark.records.run_file import RunFile
from benchmark.report.across_cohorts import pooled_macro
from benchmark.report.board import CONTROLS, EVERYTHING, Board, Entry, Within, entry_of
from benchmark.report.ranking import Ranking, cells_by_kind
from cohorts.catalogue import measured_cards
from cohorts.errors import UnknownNameError
from cohorts.ontology import load_ontology
from cohorts.ontology.concept_sets import ALL, concept_sets


@dataclass(frozen=True, slots=True)
class OwnSets:
    """Sets of a user's own, as ``leadboard.toml`` names them: name -> concepts, name -> cohorts."""

    concepts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    cohorts: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Tells one choice from another; empty for none."""
        return json.dumps([self.concepts, self.cohorts]) if self.concepts or self.cohorts else ""


NONE = OwnSets()


def choose(
    concept_set: str | None = None,
    concepts: Iterable[str] = (),
    cohorts: Iterable[str] = (),
    own: OwnSets = NONE,
    protocol: str | None = None,
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
    protocol
        Of the entries that are ranked; None for all.

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
            raise unknown_concept(concept, known, "concept" if chosen is None else f"concept of '{name}'")
    if named:
        chosen, name = frozenset(named), ", ".join(named)
    ids = list(dict.fromkeys(cohort for one in cohorts for cohort in own.cohorts.get(one, [one])))
    everywhere = measured_cards()
    for cohort in ids:
        if cohort not in everywhere:
            raise UnknownNameError("cohort", cohort, [*everywhere, *own.cohorts])
    if not ids:
        return Within(name, chosen, protocol=protocol)
    return Within(name, chosen, ", ".join(dict.fromkeys(cohorts)), tuple(ids), protocol)


@dataclass(frozen=True, slots=True)
class SetBoard:
    """A ranking within a set, with what stands beside it.

    Attributes
    ----------
    macros
        Macro average of each cell, over the concepts that the board compares there.
    next_hospital
        Those AUROCs pooled over the external cohorts of each entry that has one; empty for AUPRC.
    of_protocol
        The same ranking of each protocol alone, where there are several.
    """

    board: Board
    macros: Mapping[CellName, Estimate]
    next_hospital: Mapping[Entry, PooledEstimate]
    of_protocol: Mapping[str, Board]


def boards_by_set(
    run: RunFile,
    records: Sequence[ResultRecord],
    draws: Draws | None = None,
    without_resamples: Mapping[CellName, str] | None = None,
    *,
    metric: Metric = "auroc",
    within: Within = EVERYTHING,
    own: OwnSets = NONE,
) -> list[SetBoard]:
    """Rank within every set of concepts and of cohorts that somebody is ranked in.

    Parameters
    ----------
    run, records, draws, without_resamples, metric
        As of `benchmark.report.ranking.make_boards`.
    within
        The sets that were asked for: their boards come first, whether anybody is ranked or not.
    own
        A user's own sets, which are ranked within too.

    Returns
    -------
    list of SetBoard
        For each pair of sets the board of real cohorts, then that of simulated ones.
    """
    kinds = cells_by_kind(run, records, draws, without_resamples)
    rankings = {one: [Ranking(kind, metric, one) for kind in kinds] for one in _all_sets(within, own)}
    alive = [one for one, made in rankings.items() if any(ranking.board().cohorts for ranking in made)]
    concept_sets_there = {within.concept_set} | {one.concept_set for one in alive}
    cohort_sets_there = {within.cohort_set} | {one.cohort_set for one in alive}
    offered = [
        one
        for one in rankings
        if one.concept_set in concept_sets_there and one.cohort_set in cohort_sets_there
    ]
    found: list[list[SetBoard]] = [
        _side_by_side([rankings[one][at] for one in offered]) for at in range(len(kinds))
    ]
    return [of_kind[place] for place in range(len(offered)) for of_kind in found]


def _all_sets(within: Within, own: OwnSets) -> list[Within]:
    """Every set of concepts with every set of cohorts, those that were asked for first."""
    concepts = [within.concept_set, *concept_sets(load_ontology()), *own.concepts]
    pairs = product(dict.fromkeys(concepts), dict.fromkeys((within.cohort_set, CONTROLS, *own.cohorts)))
    return [_pair(within, own, *names) for names in pairs]


def _pair(within: Within, own: OwnSets, concept_set: str, cohort_set: str) -> Within:
    concepts = within.concepts if concept_set == within.concept_set else choose(concept_set, own=own).concepts
    cohorts = within.cohorts
    if cohort_set != within.cohort_set:
        cohorts = None if cohort_set == CONTROLS else tuple(own.cohorts[cohort_set])
    return Within(concept_set, concepts, cohort_set, cohorts, within.protocol)


def _side_by_side(rankings: Sequence[Ranking]) -> list[SetBoard]:
    """Make rankings of the same cells entry by entry: what was resampled of one is read once for all."""
    empty = [ranking.board() for ranking in rankings]  # knows what it is over, with nobody on it yet
    macros: list[dict[CellName, Estimate]] = [{} for _ in rankings]
    ahead: list[dict[Entry, PooledEstimate]] = [{} for _ in rankings]
    draws, pools = empty[0].draws, empty[0].metric == "auroc" and not empty[0].of_task
    for entry in rankings[0].entries:
        own = [record for record in empty[0].records if entry_of(record) == entry]
        near = {name_of(record): _with_means(record, empty) for record in own if name_of(record) in draws}
        for ranking, whole, values, pooled in zip(rankings, empty, macros, ahead, strict=True):
            ranking.add(entry, near)
            board = replace(whole, draws=near)
            values |= {name_of(record): board.macro_of(record) for record in own}
            external = board.resampled_cells(board.chosen(r for r in own if r.relation == "external"))
            if external and pools:
                over = [board.concepts_of(cell.record) for cell in external]
                pooled[entry] = pooled_macro(external, over)
    boards = [ranking.board() for ranking in rankings]
    alone = [_of_protocols(ranking) for ranking in rankings]
    return [SetBoard(*one) for one in zip(boards, macros, ahead, alone, strict=True)]


def _of_protocols(ranking: Ranking) -> dict[str, Board]:
    protocols = list(dict.fromkeys(entry.protocol for entry in ranking.entries))
    return {protocol: ranking.board(protocol) for protocol in protocols} if len(protocols) > 1 else {}


def _with_means(record: ResultRecord, boards: Sequence[Board]) -> Resampled:
    """Resampled figures of a cell, with its mean over what each board compares there."""
    resampled = boards[0].draws[name_of(record)]
    return resampled.with_means([board.concepts_of(record) for board in boards], boards[0].metric)
