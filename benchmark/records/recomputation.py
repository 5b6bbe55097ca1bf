"""Making a result record again from its predictions, and comparing what is stated with what is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel

from benchmark.metrics.cell.evaluation import Resampled
from benchmark.metrics.cell.subgroups import usual_members
from benchmark.metrics.draws import MOST_RESAMPLES
from benchmark.models.contamination import relation_of
from benchmark.records.comparability import why_not_of
from benchmark.records.findings import Findings
from benchmark.records.measuring import PREDICTIONS, RunSettings, facts_of, measure, selected_rows
from benchmark.records.overlap import also_in
from benchmark.records.record import ResultRecord
from benchmark.text import printable, some
from cohorts.catalogue import measured_cards
from cohorts.counts import plural
from cohorts.errors import LeadboardError
from cohorts.labelled import Labelled, LabelledCohorts, signals_read
from cohorts.store import Rows

TOLERANCE = 1e-9

MOST_DIFFERENCES = 25
"""Of one record that are told; the others are counted."""

INTERVAL_FIELDS = (".low", ".high", ".undefined_fraction")


class Compared(NamedTuple):
    """One field of two results.

    Attributes
    ----------
    field
        Its path, such as ``evaluation.macro.auroc.value``.
    agrees
        Whether both results have it and it is the same; numbers within 1e-9.
    """

    field: str
    stated: object
    found: object
    agrees: bool

    @property
    def sentence(self) -> str:
        """Say what differs."""
        return f"{self.field} is stated as {_shown(self.stated)}, but it is {_shown(self.found)}"


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()


def compared(stated: BaseModel, found: BaseModel, field: str = "") -> list[Compared]:
    """Compare two results of one schema field by field, whatever the schema is.

    Parameters
    ----------
    field
        Path of the two in the record.
    """
    return list(_fields(field, stated.model_dump(mode="python"), found.model_dump(mode="python")))


def compare_fields(
    findings: Findings, stated: BaseModel, found: BaseModel, field: str = ""
) -> list[Compared]:
    """Compare as `compared` does, enter the first differences one by one, and give all of them."""
    fields = compared(stated, found, field)
    differing = [one for one in fields if not one.agrees]
    findings.verification.agreed += len(fields) - len(differing)
    for one in differing[:MOST_DIFFERENCES]:
        findings.check(False, one.sentence)
    if len(differing) > MOST_DIFFERENCES:
        findings.check(False, f"{len(differing) - MOST_DIFFERENCES:,} more fields differ")
    return differing


def _fields(field: str, stated: Any, found: Any) -> Iterator[Compared]:
    if isinstance(stated, dict) and isinstance(found, dict):
        for name in dict.fromkeys((*stated, *found)):
            path = f"{field}.{name}" if field else str(name)
            yield from _fields(path, stated.get(name, ABSENT), found.get(name, ABSENT))
    elif stated == found and type(stated) is type(found):
        yield Compared(field, stated, found, True)
    elif isinstance(stated, list | tuple) and isinstance(found, list | tuple) and len(stated) == len(found):
        for at, (one, other) in enumerate(zip(stated, found, strict=True)):
            yield from _fields(f"{field}[{at}]", one, other)
    else:
        yield Compared(field, stated, found, _same(stated, found))


def _same(stated: object, found: object) -> bool:
    numbers = [
        value for value in (stated, found) if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if len(numbers) == 2:
        return abs(numbers[0] - numbers[1]) <= TOLERANCE
    return type(stated) is type(found) and stated == found


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f"'{printable(value, 80)}'"
    if isinstance(value, list | tuple | dict):
        return plural(len(value), "entry", "entries")
    return "undefined" if value is None else printable(repr(value), 40)


def made_again(record: ResultRecord, predictions: pd.DataFrame, rows: Rows, store: Labelled) -> ResultRecord:
    """Make the record that these predictions give, as the suite does after a model has scored.

    What no prediction can show (training, weights, the machine, the key) is taken over. So are the
    thresholds, which `benchmark.records.threshold_checks` chooses again.

    Parameters
    ----------
    predictions
        As saved, with the columns of the record's model and fits.
    rows
        Row of the store of each prediction, rising.
    """
    return measured_again(record, predictions, rows, store)[0]


def measured_again(
    record: ResultRecord, predictions: pd.DataFrame, rows: Rows, store: Labelled
) -> tuple[ResultRecord, Resampled]:
    """Do what `made_again` does, and give the resampled figures too."""
    related = relation_of(
        record.model,
        store.card.id,
        pretrained_here=record.pretraining is not None,
        also_in=also_in(record.overlap),
    )
    bootstrap = record.evaluation.bootstrap
    settings = RunSettings(
        seed=bootstrap.seed,
        resamples=bootstrap.resamples,
        subgroups=tuple(record.statistics.subgroups),  # whoever made the record chose them
    )
    facts = replace(facts_of(record), relation=related, predictions_file=f"{store.card.id}.parquet")
    found, resampled = measure(facts, predictions, store, rows, settings)
    ontology = found.ontology.model_copy(update={"version": record.ontology.version})  # its hashes decide
    return found.model_copy(update={"ontology": ontology}), resampled


def check_against_labels(
    findings: Findings, record: ResultRecord, predictions: pd.DataFrame, stores: LabelledCohorts
) -> None:
    """Make a record again from its predictions and the labels of the cohort, and compare every field."""
    store = _store_of(findings, record, stores)
    rows = None if store is None else _rows(findings, record, predictions, store)
    if store is None or rows is None:
        return
    bootstrap = record.evaluation.bootstrap
    # More are not recomputed: a stranger's record must not keep the machine busy for days.
    if not 0 <= bootstrap.seed < 2**64 or not 0 <= bootstrap.resamples <= MOST_RESAMPLES:
        findings.check(
            False,
            f"states {bootstrap.resamples:,} resamples from seed {bootstrap.seed}: not more than "
            f"{MOST_RESAMPLES:,} are recomputed, and a seed has 64 bits",
        )
        return
    try:
        found = made_again(record, predictions, rows, store)
    except LeadboardError as error:
        findings.check(False, f"has predictions that cannot be measured: {error}")
        return
    for name in usual_members(store.index.iloc[rows]).keys() - record.statistics.subgroups.keys():
        findings.remark(f"measures no subgroups by {name}, which {record.cohort.id} states")
    differing = compare_fields(findings, record, found)
    if differing and all(one.field.endswith(INTERVAL_FIELDS) for one in differing):
        findings.remark(
            "values agree and intervals do not: they are of another seed or number of resamples than the "
            f"stated {bootstrap.seed} and {bootstrap.resamples:,}",
        )


def _store_of(findings: Findings, record: ResultRecord, stores: LabelledCohorts) -> Labelled | None:
    """Give the cohort as it was measured, or say why it is not to be had."""
    cohort, stated = record.cohort.id, record.cohort.fingerprint
    try:
        store = stores(cohort, signals=signals_read(stated)) if cohort in measured_cards() else None
    except LeadboardError as error:
        findings.skip(f"numbers: {error}")
        return None
    if store is None:
        findings.skip(f"numbers: cohort {cohort} is not on this machine")
    elif store.card.simulated != record.cohort.simulated and store.fingerprint != stated:
        here = "simulated" if store.card.simulated else "real"
        findings.skip(f"numbers: {cohort} on this machine is {here}, and that of the record is not")
    elif why_not_of(record, store) == "labels of another ontology":
        findings.skip("numbers: the labels are of another ontology")
    elif findings.check(
        store.fingerprint == stated,
        f"was measured on another state of {cohort}: its fingerprint is {stated[:12]}, here it is "
        f"{store.fingerprint[:12]}; one of the two may be a part of the release, or another version",
    ):
        return store
    else:
        findings.skip(f"numbers: this is not the state of {cohort} that was measured")
    return None


def _rows(
    findings: Findings, record: ResultRecord, predictions: pd.DataFrame, store: Labelled
) -> Rows | None:
    """Give the row of the store of each prediction, if they are the records that the cell is about."""
    rows = pd.Index(store.index["record_id"]).get_indexer(pd.Index(predictions["record_id"]))
    unknown = predictions["record_id"][rows < 0]
    ordered = findings.check(
        not len(unknown),
        f"has predictions of {plural(len(unknown), 'record that is', 'records that are')} not of its cohort "
        f"or cannot be used ({some(unknown)})",
    ) and findings.check(bool((np.diff(rows) > 0).all()), "has predictions in another order than its cohort")
    if not ordered:
        findings.skip("numbers: its predictions are not those of the cohort's records")
        return None
    selected = selected_rows(store, record.records.selection)
    lacking = store.index["record_id"].iloc[np.setdiff1d(selected, rows)]
    beyond = store.index["record_id"].iloc[np.setdiff1d(rows, selected)]
    findings.check(
        not len(lacking) or record.protocol == PREDICTIONS,
        f"is not complete: {len(lacking):,} of {len(selected):,} records lack a prediction ({some(lacking)})",
    )
    findings.check(
        not len(beyond),
        f"has predictions of {plural(len(beyond), 'record')} outside the test fold ({some(beyond)})",
    )
    return np.asarray(rows, np.intp)
