"""Everything that the page's script shows, as one compact JSON: each fact once, then by its place.

Entries, cohorts, concepts, populations and long texts are lists; everything else names them by their place.
Numbers are in units of 0.0001 (`benchmark.report.page.encoding.units`); None is undefined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmark.metrics.estimates import PooledEstimate
from benchmark.metrics.names import METRICS, Metric
from benchmark.records.record import CohortFacts, ResultRecord
from benchmark.records.resamples import name_of
from benchmark.report import facts
from benchmark.report.board import Board, Entry, Standing, entry_of
from benchmark.report.board_statistics import BoardStatistics
from benchmark.report.cell_tables import call_notes, kept_calls, surely_below
from benchmark.report.leaderboard_table import ranking_rules
from benchmark.report.page.encoding import Number, Texts, packed, triple, units
from benchmark.report.page.populations import Populations, annotated
from benchmark.report.sets import SetBoard
from benchmark.report.tables import FEW, estimate_notes
from benchmark.text import one_line
from cohorts.ontology.ontology import load_ontology


class _Places:
    """Places of what the cells name."""

    def __init__(self, boards: Sequence[Board]) -> None:
        records = [record for board in boards for record in board.records]
        self.records = records
        self.entries = _numbered(entry for board in boards for entry in board.entries)
        self.cohorts = _numbered((r.cohort.id, r.cohort.simulated) for r in records)
        self.concepts = _numbered(c for r in records for c in annotated(r))
        self.texts = Texts()
        self.lists: dict[tuple[int, ...], int] = {}

    def concept_list(self, concepts: Iterable[str]) -> int:
        """Place of a list of concepts among all that a macro average is over."""
        return self.lists.setdefault(tuple(self.concepts[c] for c in concepts), len(self.lists))

    def cohort(self, cohort: CohortFacts) -> int:
        return self.cohorts[cohort.id, cohort.simulated]


def _numbered(items: Iterable[Any]) -> dict[Any, int]:
    return {item: at for at, item in enumerate(dict.fromkeys(items))}


def page_data(
    title: str,
    boards: Sequence[Board],
    found: Sequence[BoardStatistics],
    by_set: Sequence[SetBoard],
) -> dict[str, Any]:
    """Give the data of the page.

    Parameters
    ----------
    boards
        As from `benchmark.report.ranking.make_boards`: within the sets and by the metric shown first.
    found
        Statistics of each board.
    by_set
        Every ranking, by either metric, those within the sets that are shown first before others.

    Returns
    -------
    dict
        ``title``, ``metric`` (shown first), ``minimum``; ``entries``, ``cohorts``, ``concepts``,
        ``populations``, ``cells``; ``concept_sets`` and ``cohort_sets``, those shown first before others;
        ``boards`` (real or simulated, by either metric, within each pair of sets), ``macros`` (of the cells
        within each other set of concepts), ``pooled`` (one for each kind of cohort), ``lists`` of concepts
        and ``texts``.
    """
    places = _Places(boards)
    populations = Populations(places.concepts)
    concept_sets = _numbered(one.board.within.concept_set for one in by_set)
    cohort_sets = _numbered(one.board.within.cohort_set for one in by_set)
    macros = {
        (one.board.simulated, one.board.metric, one.board.within.concept_set): one for one in reversed(by_set)
    }
    first = boards[0].within.concept_set if boards else ""
    shown_first = {key[:2]: one for key, one in macros.items() if key[2] == first}
    cells = [_cell(record, shown_first, places, populations) for record in places.records]
    return {
        "title": title,
        "metric": boards[0].metric if boards else "auroc",
        "minimum": max((board.minimum for board in boards), default=0),
        "entries": _entries(places),
        "cohorts": _cohorts(places),
        "concepts": _concepts(places.concepts),
        "populations": populations.all,
        "cells": cells,
        "concept_sets": [_concept_set(name, by_set, places) for name in concept_sets],
        "cohort_sets": list(cohort_sets),
        "boards": [
            _board(one, places)
            | {
                "concept_set": concept_sets[one.board.within.concept_set],
                "cohort_set": cohort_sets[one.board.within.cohort_set],
            }
            for one in by_set
        ],
        "macros": [
            {
                "simulated": simulated,
                "metric": metric,
                "concept_set": concept_sets[name],
                "cells": [_macro(record, one, places) for record in one.board.records],
            }
            for (simulated, metric, name), one in macros.items()
            if name != first
        ],
        "pooled": [_pooled(board, one, places) for board, one in zip(boards, found, strict=True)],
        "lists": [list(concepts) for concepts in places.lists],
        "texts": places.texts.all,
    }


def _concept_set(name: str, by_set: Sequence[SetBoard], places: _Places) -> dict[str, Any]:
    """Name of a set, and which of the page's concepts are in it."""
    within = next(one.board.within for one in by_set if one.board.within.concept_set == name)
    return {"name": name, "concepts": [at for concept, at in places.concepts.items() if concept in within]}


def _macro(record: ResultRecord, one: SetBoard, places: _Places) -> list[Number]:
    """Macro average of a cell within a set: value, low, high, and the list of concepts that it is over."""
    estimate = one.macros[name_of(record)]
    over = one.board.concepts_of(record) if estimate.value is not None else ()
    return [*triple(estimate), places.concept_list(over)]


def _entries(places: _Places) -> list[dict[str, Any]]:
    first: dict[Entry, ResultRecord] = {}
    for record in places.records:
        first.setdefault(entry_of(record), record)
    return [_entry(entry, first.get(entry)) for entry in places.entries]


def _entry(entry: Entry, record: ResultRecord | None) -> dict[str, Any]:
    names = {"model": one_line(entry.model), "protocol": one_line(entry.protocol)}
    if record is None:
        return names
    card = record.model
    return names | {
        "version": card.version,
        "description": card.description,
        "licence": card.licence,
        "citation": card.citation,
        "trained_on": facts.trained_on(card),
        "training": facts.training_text(record),
        "input": facts.input_text(card.input),
        "probabilities": card.probabilities,
        "weights": list(record.weights_sha256),
        "control_for": card.control_for,
    }


def _cohorts(places: _Places) -> list[dict[str, Any]]:
    first: dict[int, ResultRecord] = {}
    for record in places.records:
        first.setdefault(places.cohort(record.cohort), record)
    return [
        {
            "id": one_line(record.cohort.id),
            "name": one_line(record.cohort.name),
            "version": record.cohort.version,
            "simulated": record.cohort.simulated,
            "records": facts.copy_size(record.cohort, record.records),
        }
        for record in first.values()
    ]


def _concepts(concepts: Iterable[str]) -> list[list[str]]:
    """Id, name and category; a stranger's concept has its id alone."""
    known = load_ontology().concepts
    names = {
        c: [c, name, category]
        for c, name, category in zip(known.index, known["name"], known["category"], strict=True)
    }
    return [names.get(c, [one_line(c), "", ""]) for c in concepts]


def _cell(
    record: ResultRecord,
    within: Mapping[tuple[bool, Metric], SetBoard],
    places: _Places,
    populations: Populations,
) -> dict[str, Any]:
    """One cell: macro AUROC and AUPRC, then both for each concept of its population that the model answers.

    ``macro`` is over the concepts of the ranking that is shown first, ``covers``. ``concepts`` are places in
    the list of all, ``auroc`` and ``auprc`` have value, low and high of each in turn. ``called`` has the
    operating points of some concepts. ``notes`` has for ``macro`` and for the place of a concept what must be
    said beside the number; for ``auprc``, ``sensitivity`` and ``specificity`` with a place, beside these.
    """
    evaluation = record.evaluation
    concepts = annotated(record)
    boards = {metric: within[record.cohort.simulated, metric] for metric in METRICS}
    macro = {metric: one.macros[name_of(record)] for metric, one in boards.items()}
    notes = {"macro": [*_notes(macro["auroc"]), *evaluation.notes]}
    for name, metrics in concepts.items():
        said = _notes(metrics.auroc, muted=not metrics.eligible)
        if metrics.eligible and metrics.caution and metrics.auroc.interval is not None:
            said.append(FEW)
        notes[str(places.concepts[name])] = said
        notes[f"auprc {places.concepts[name]}"] = _notes(metrics.auprc, muted=not metrics.eligible)
    for name, called in kept_calls(record).items():
        beside = call_notes(record, name, called)
        for what, texts in zip(("sensitivity", "specificity"), beside, strict=True):
            notes[f"{what} {places.concepts[name]}"] = list(texts)
    return {
        "entry": places.entries[entry_of(record)],
        "cohort": places.cohort(record.cohort),
        "population": populations.place(record, places.cohort(record.cohort)),
        "relation": record.relation,
        "macro": [*triple(macro["auroc"]), *triple(macro["auprc"])],
        "prevalence": units(evaluation.macro.prevalence),
        "covers": [places.concepts[c] for c in boards["auroc"].board.concepts_of(record)],
        "concepts": [places.concepts[c] for c in concepts],
        "auroc": [number for m in concepts.values() for number in triple(m.auroc)],
        "auprc": [number for m in concepts.values() for number in triple(m.auprc)],
        "called": _called(record, places),
        "notes": {key: places.texts.places(said) for key, said in notes.items() if said},
    }


def _called(record: ResultRecord, places: _Places) -> dict[str, Any]:
    """Concepts; of each sensitivity, specificity, PPV and NPV; those whose sensitivity is surely too low.

    Sensitivity and specificity have value, low and high.
    """
    calls = kept_calls(record)
    numbers = [
        number
        for one in calls.values()
        for number in (
            *triple(one.sensitivity),
            *triple(one.specificity),
            units(one.ppv.value),
            units(one.npv.value),
        )
    ]
    return {
        "concepts": [places.concepts[name] for name in calls],
        "numbers": packed(numbers),
        "below": [places.concepts[name] for name, one in calls.items() if surely_below(one.sensitivity)],
    }


def _notes(estimate: Any, *, muted: bool = False) -> list[str]:
    return list(estimate_notes(estimate, muted=muted))


def _board(one: SetBoard, places: _Places) -> dict[str, Any]:
    board = one.board

    def place(cohort: str) -> int | None:
        return places.cohorts.get((cohort, board.simulated))

    chosen = board.within.cohorts
    return {
        "simulated": board.simulated,
        "metric": board.metric,
        "task": board.of_task,
        "by_groups": board.by_groups,
        "cohorts": [place(cohort) for cohort in board.cohorts],
        "chosen": None if chosen is None else [place(c) for c in chosen if place(c) is not None],
        "concepts": places.concept_list(board.concepts),
        "rules": places.texts.places(ranking_rules(board)),
        "rows": [_row(standing, one, places) for standing in board.standings],
    }


def _row(standing: Standing, one: SetBoard, places: _Places) -> dict[str, Any]:
    mean = triple(standing.spread) if standing.spread else [units(standing.mean), None, None]
    ahead = one.next_hospital.get(standing.entry)
    return {
        "entry": places.entries[standing.entry],
        "rank": standing.rank,
        "mean": mean,
        "cohorts": len(standing.cohorts),
        "concepts": len(standing.concepts),
        "next": None if ahead is None else pooled_numbers(ahead),
        "why": one_line(standing.why_unranked),
    }


def _pooled(board: Board, found: BoardStatistics, places: _Places) -> dict[str, Any]:
    """For each entry the AUROC of the next hospital: its macro average, and each concept that was pooled."""
    return {
        "simulated": board.simulated,
        "entries": {
            str(places.entries[entry]): {
                "macro": pooled_numbers(ahead.macro),
                "cohorts": len(ahead.cohorts),
                "concepts": _of_concepts(ahead.concepts, places.concepts),
            }
            for entry, ahead in found.next_hospital.items()
        },
    }


def _of_concepts(concepts: Mapping[str, PooledEstimate], places: Mapping[str, int]) -> dict[str, Any]:
    return {str(places[c]): pooled_numbers(one) for c, one in concepts.items() if c in places}


def pooled_numbers(one: PooledEstimate) -> list[Number | str]:
    """Value, low, high, both ends of the prediction interval, I² in tenths of a percent, cohorts; why not."""
    return [
        *triple(one),
        units(one.prediction_low),
        units(one.prediction_high),
        None if one.i2 is None else round(10 * one.i2),
        one.cohorts,
        *([one.reason] if one.reason else []),
    ]
