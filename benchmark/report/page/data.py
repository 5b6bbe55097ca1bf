"""Everything that the page's script shows, as one compact JSON: each fact once, then by its place.

Entries, cohorts, concepts, populations and long texts are lists; everything else names them by their place.
Numbers are in units of 0.0001 (`benchmark.report.page.encoding.units`); None is undefined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmark.metrics.names import METRICS, Metric
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import name_of
from benchmark.report import facts, model_facts
from benchmark.report.board import Board, Entry, entry_of
from benchmark.report.board_statistics import BoardStatistics
from benchmark.report.operating_tables import call_notes, kept_calls, surely_below
from benchmark.report.page.columns import ESTIMATE, ITSELF, folded
from benchmark.report.page.encoding import ends, triple, units
from benchmark.report.page.places import Places, numbered
from benchmark.report.page.populations import Populations, annotated
from benchmark.report.page.rankings import board_data, macro_data, pooled_data, set_data
from benchmark.report.sets import SetBoard
from benchmark.report.tables import FEW, estimate_notes
from benchmark.text import one_line
from cohorts.ontology.ontology import load_ontology


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
    places = Places(boards)
    populations = Populations(places.concepts)
    concept_sets = numbered(one.board.within.concept_set for one in by_set)
    cohort_sets = numbered(one.board.within.cohort_set for one in by_set)
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
        "concept_sets": [set_data(name, by_set, places) for name in concept_sets],
        "cohort_sets": list(cohort_sets),
        "boards": [
            board_data(one, places)
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
                "cells": [macro_data(record, one, places) for record in one.board.records],
            }
            for (simulated, metric, name), one in macros.items()
            if name != first
        ],
        "pooled": [pooled_data(board, one, places) for board, one in zip(boards, found, strict=True)],
        "lists": [list(concepts) for concepts in places.lists],
        "texts": places.texts.all,
    }


def _entries(places: Places) -> list[dict[str, Any]]:
    records: dict[Entry, list[ResultRecord]] = {}
    for record in places.records:
        records.setdefault(entry_of(record), []).append(record)
    return [_entry(entry, records.get(entry, ())) for entry in places.entries]


def _entry(entry: Entry, records: Sequence[ResultRecord]) -> dict[str, Any]:
    names = {"model": one_line(entry.model), "protocol": one_line(entry.protocol)}
    if not records:
        return names
    record = records[0]
    card = record.model
    return names | {
        "version": card.version,
        "description": card.description,
        "licence": card.licence,
        "citation": card.citation,
        "trained_on": model_facts.trained_on(record),
        "training": model_facts.training_text(record),
        "input": model_facts.input_text(card.input),
        "lower": model_facts.lower_precision(records),
        "probabilities": card.probabilities,
        "weights": list(record.weights_sha256),
        "control_for": card.control_for,
    }


def _cohorts(places: Places) -> list[dict[str, Any]]:
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
    places: Places,
    populations: Populations,
) -> dict[str, Any]:
    """One cell: macro AUROC and AUPRC, then both for each concept of its population that the model answers.

    ``macro`` is over the concepts of the ranking that is shown first, ``covers``. ``concepts`` are places in
    the list of all, ``auroc`` and ``auprc`` have value, low and high of each as `folded` rows. ``called`` has
    the operating points of some concepts. ``notes`` has for ``macro`` and for the place of a concept what
    must be said beside the number; for ``auprc``, ``sensitivity`` and ``specificity`` with a place, beside
    these.
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
        "auroc": folded([one for m in concepts.values() for one in ends(m.auroc)], ESTIMATE, range(3)),
        "auprc": folded([one for m in concepts.values() for one in ends(m.auprc)], ESTIMATE, range(3)),
        "called": _called(record, places),
        "notes": {key: places.texts.places(said) for key, said in notes.items() if said},
    }


def _called(record: ResultRecord, places: Places) -> dict[str, Any]:
    """Concepts; of each sensitivity, specificity, PPV and NPV; those whose sensitivity is surely too low.

    Sensitivity and specificity have value, low and high.
    """
    calls = kept_calls(record)
    numbers = [
        number
        for one in calls.values()
        for number in (
            *ends(one.sensitivity),
            *ends(one.specificity),
            one.ppv.value,
            one.npv.value,
        )
    ]
    return {
        "concepts": [places.concepts[name] for name in calls],
        "numbers": folded(numbers, (*ESTIMATE, ITSELF, 3, 3, ITSELF, ITSELF), range(8)),
        "below": [places.concepts[name] for name, one in calls.items() if surely_below(one.sensitivity)],
    }


def _notes(estimate: Any, *, muted: bool = False) -> list[str]:
    return list(estimate_notes(estimate, muted=muted))
