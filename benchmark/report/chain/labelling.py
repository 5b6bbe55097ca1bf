"""From what a release states to the labels of one concept: which codes made how many of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pandas as pd

from benchmark.records.record import ResultRecord
from benchmark.report.chain.link import Link
from cohorts.cohort import CohortCard
from cohorts.counts import plural
from cohorts.ontology.ontology import load_ontology
from cohorts.ontology.reasons import Meaning, Reason, Reasons
from cohorts.tasks import all_tasks
from cohorts.tasks.reasons import TaskReasons

SHOWN = 15
"""Codes in the table for people; programs are given all of them."""

NAMES = {1: "positive", 0: "negative", -1: "unknown"}


class WhyLabels(Protocol):
    """Tells why a record has the label that it has."""

    def of(self, codes: Sequence[str]) -> Reason:
        """Say what decides the label of a record with these codes."""

    def name(self, code: str) -> str:
        """Give a code in words."""

    def meanings(self, code: str) -> list[Meaning]:
        """Give the rows by which a code decides about the concept."""


def why_labels(card: CohortCard, concept: str) -> WhyLabels:
    """Give what decides the labels of a concept in a cohort, or in a published task."""
    task = all_tasks().get(card.id)
    if task is not None:
        return TaskReasons(task, concept)
    return Reasons(load_ontology(), card.id, card.vocabulary, concept)


def labels_link(record: ResultRecord, concept: str, scored: pd.DataFrame, card: CohortCard) -> Link:
    """Say which codes of the release made how many positives, negatives and unknowns.

    Parameters
    ----------
    scored
        ``statements`` and ``label`` of each record that was scored.
    """
    why, task = why_labels(card, concept), all_tasks().get(card.id)
    alike = Counter(zip(scored["statements"], scored["label"], strict=True))
    decided: Counter[tuple[int, str]] = Counter()
    wrong = 0
    codes: dict[str, Counter[int]] = {}
    notes: dict[str, str] = {}
    deciding: set[str] = set()
    for (statements, label), records in alike.items():
        reason = why.of(statements)
        wrong += records * (reason.label != label)
        decided[reason.label, reason.by] += records
        notes.setdefault(reason.by, reason.note)
        deciding.update(reason.codes)
        for code in statements:
            codes.setdefault(code, Counter())[int(label)] += records
    rows = [_row(code, why, made) for code, made in codes.items() if code in deciding or why.meanings(code)]
    rows.sort(key=lambda row: (-row["records"], row["code"]))
    found = {NAMES[label]: sum(n for (of, _), n in decided.items() if of == label) for label in NAMES}
    metrics = record.evaluation.concepts.get(concept)
    stated = (metrics.positives, metrics.n - metrics.positives) if metrics else (0, 0)
    differs = []
    if wrong:
        differs.append(
            f"{plural(wrong, 'record has', 'records have')} another label here than the statements give."
        )
    if (found["positive"], found["negative"]) != stated:
        differs.append(
            f"The run has {stated[0]:,} positives and {stated[1]:,} negatives of {concept}, the release "
            f"{found['positive']:,} and {found['negative']:,}."
        )
    by: list[dict[str, Any]] = [
        {"records": n, "label": NAMES[label], "decided by": reason}
        for (label, reason), n in sorted(decided.items(), key=lambda one: (-one[0][0], -one[1]))
    ]
    lines = [
        ("defined by", task.citation)
        if task
        else ("written in", f"the vocabulary '{card.vocabulary}', ontology {record.ontology.version}"),
        ("labelling", record.ontology.concepts.get(concept) or record.ontology.hash),
        *(("why", f"{reason}: {note}") for reason, note in notes.items() if note),
    ]
    tables: dict[str, list[dict[str, Any]]] = {"What decided, over the records that were scored:": by}
    heading = f"Codes that speak of {concept}; labels: positive/negative/unknown of the records with a code:"
    if len(rows) > SHOWN:
        heading = f"{heading[:-1]} (the {SHOWN} commonest of {len(rows):,}; all with --json):"
    shown = [_short(row) for row in rows[:SHOWN]]
    tables[heading if rows else f"No code of the release speaks of {concept}."] = shown
    facts = {
        "vocabulary": None if task else card.vocabulary,
        "task": task.name if task else None,
        "ontology": record.ontology.version,
        "labelling": record.ontology.concepts.get(concept) or record.ontology.hash,
        **found,
        "decided": [{**row, "note": notes[row["decided by"]]} for row in by],
        "codes": rows,
    }
    return Link("labels", "Statements, vocabulary, labels", lines, facts, tables, tuple(differs))


def _short(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row that fits a narrow terminal."""
    named = row["name"] and row["name"].lower() != row["code"].lower()
    return {
        "records": row["records"],
        "labels": "/".join(f"{row[name]:,}" for name in NAMES.values()),
        "code": f"{row['code']}: {row['name']}" if named else row["code"],
        "says": row["says"],
    }


def _row(code: str, why: WhyLabels, made: Counter[int]) -> dict[str, Any]:
    rows = why.meanings(code)
    says = dict.fromkeys(f"{row.relation} {row.concept}" for row in rows)
    return {
        "code": code,
        "name": why.name(code),
        "says": ", ".join(says) or "not in the vocabulary",
        "records": sum(made.values()),
        "positive": made[1],
        "negative": made[0],
        "unknown": made[-1],
        "rows": [{"concept": row.concept, "relation": row.relation, "note": row.note} for row in rows],
    }
