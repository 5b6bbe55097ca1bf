"""What the pages of models, cohorts and concepts say beside the numbers of the board, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmark.models.contamination import all_training_of
from benchmark.protocols.prompts import prompts_of
from benchmark.records.measuring import PREDICTIONS
from benchmark.records.record import ResultRecord
from benchmark.report.facts import copy_size, overlap_text, version_text
from benchmark.text import one_line
from cohorts.catalogue import is_private, measured_cards, sharing
from cohorts.ontology.ontology import load_ontology

MOST_CODES = 12
"""Of a vocabulary, on the page of a concept."""


def overlap_sentence(record: ResultRecord) -> str:
    """Say in one sentence why a cohort is internal or external to a model, or unknown; the record decides.

    Predictions that were handed in may be people's, whom nobody trains, and who may have made its labels.
    """
    name, cohort = one_line(record.model.name), one_line(record.cohort.name)
    seen, handed = _training_cohorts(record), record.protocol == PREDICTIONS
    learnt = f"{name}, by its card, learnt from" if handed else f"{name} was trained on"
    listed = ", ".join(map(one_line, sorted(seen)))
    if record.relation == "unknown" and handed:
        return f"Unknown: it is not known whether {name} learnt from {cohort}, or had a part in its labels."
    if record.relation == "unknown":
        return f"Unknown: it is not known whether {name} has seen recordings of {cohort}."
    if record.relation == "external":
        said = f"External: {learnt} none of the cohorts"
        if seen:
            said = (
                f"External: {learnt} {listed}, and {cohort} is not known to share recordings "
                f"with {'it' if len(seen) == 1 else 'them'}"
            )
    elif record.cohort.id in seen:
        part = "its test records" if record.records.selection == "test" else "all of its records"
        also = " or had a part in its labels" if handed else ""
        said = f"Internal: {learnt} {cohort}{also}, and is scored on {part}"
    else:
        shared = ", ".join(map(one_line, sorted(seen & sharing(record.cohort.id)))) or listed
        said = f"Internal: {cohort} shares recordings with what {learnt} ({shared})"
    return f"{said} ({overlap_text(record.overlap)})." if record.overlap is not None else f"{said}."


def _training_cohorts(record: ResultRecord) -> set[str]:
    seen = all_training_of(record.model)
    seen |= {fit.source for fit in record.training}
    if record.pretraining is not None:
        seen |= {source.cohort for source in record.pretraining.sources}
    return seen


def cohort_facts(records: Sequence[ResultRecord]) -> dict[str, Any]:
    """Give the facts of one cohort in one state, from the records of it and from its card.

    Returns
    -------
    dict
        ``name``, ``version``, ``simulated``, ``records`` (in words); ``licence``, ``access``, ``country``,
        ``url``, ``citation`` and ``note`` where a real cohort is known here; ``people``: grouping -> group ->
        records, where groups were large enough to be compared; ``quarantined``: reason -> ``count``, and
        ``ids`` of the first of them unless the cohort is private; ``annotated``: concept -> state and
        reason of every concept that is not simply left out. The reasons of a release count its records,
        so what is simulated has none.
    """
    first = records[0]
    card = measured_cards().get(first.cohort.id)
    hidden = first.cohort.private or is_private(first.cohort.id)
    publisher = None if first.cohort.simulated else card  # what is simulated is nobody's release
    known = (
        {}
        if publisher is None
        else publisher.model_dump(include={"licence", "access", "country", "url", "citation"})
    )
    people: dict[str, dict[str, int]] = {}
    for record in records:
        # Of models with fewer outputs the grouping is the same; the first that has it is taken.
        if record.records.selection != first.records.selection:
            continue
        for grouping, found in record.statistics.subgroups.items():
            sizes = {one_line(group): one.records for group, one in found.groups.items()}
            if sizes:
                people.setdefault(one_line(grouping), sizes)
    return {
        "name": one_line(first.cohort.name),
        "version": one_line(version_text(first.cohort)),
        "simulated": first.cohort.simulated,
        "records": copy_size(first.cohort, first.records),
        **known,
        "note": "" if publisher is None else publisher.signal_note,
        "people": people,
        "quarantined": {
            one_line(group.reason): {
                "count": len(group.record_ids),
                "ids": [] if hidden else [one_line(one) for one in group.record_ids[:20]],
            }
            for group in first.records.quarantined
        },
        "annotated": {} if card is None else _coverage(first.cohort.id, reasons=publisher is not None),
    }


def _coverage(cohort: str, *, reasons: bool) -> dict[str, list[str]]:
    """State and reason of each concept that a cohort annotates, or leaves ambiguous."""
    ontology = load_ontology()
    if cohort not in ontology.cohorts:
        return {}
    states = ontology.coverage(cohort)
    return {
        str(concept): [str(state), ontology.coverage_reason(cohort, str(concept)) if reasons else ""]
        for concept, state in states.items()
        if state != "not annotated"
    }


def concept_facts(concepts: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Give what the ontology says of concepts; one that it does not have is left out.

    Returns
    -------
    dict
        Concept -> ``name``, ``category``, ``snomed``, ``parents``, ``children``, ``parts`` (where it is the
        sum of others), ``prompts``, and ``codes``: vocabulary -> ``count`` and the ``first`` of its codes,
        each [code, name, relation, cohort], those that mean just it before others.
    """
    ontology = load_ontology()
    wanted = [concept for concept in dict.fromkeys(concepts) if concept in ontology.concepts.index]
    codes: dict[str, dict[str, list[list[str]]]] = {concept: {} for concept in wanted}
    for vocabulary, table in ontology.vocabularies.items():
        columns = (table[name].tolist() for name in ("concept", "code", "name", "relation", "cohort"))
        for concept, *row in zip(*columns, strict=True):
            if concept in codes:
                codes[concept].setdefault(vocabulary, []).append([str(value) for value in row])
    prompts, parents = prompts_of(wanted), ontology.concepts["parents"]
    table = ontology.concepts.loc[wanted]
    return {
        concept: {
            "name": str(row.name_),
            "category": str(row.category),
            "snomed": str(row.snomed),
            "parents": list(parents[concept]),
            "children": [one for one in ontology.descendants(concept) if concept in parents[one]],
            "parts": list(ontology.parts(concept)),
            "prompts": list(prompts[concept]),
            "codes": {name: _some(rows) for name, rows in codes[concept].items()},
        }
        for concept, row in zip(
            wanted, table.rename(columns={"name": "name_"}).itertuples(index=False), strict=True
        )
    }


def _some(rows: list[list[str]]) -> dict[str, Any]:
    """Keep as many codes as anybody reads: a vocabulary of free wordings has hundreds for one concept."""
    ordered = sorted(rows, key=lambda row: row[2] != "same")
    return {"count": len(rows), "first": ordered[:MOST_CODES]}
