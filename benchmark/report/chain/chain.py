"""The chain of one number, put together from the run folder and, where it is here, the release."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.models.concept_names import no_score
from benchmark.records.comparability import why_not_of
from benchmark.records.predictions import load_predictions, predictions_path, score_tables
from benchmark.records.record import ResultRecord
from benchmark.records.run_folder import cell_path
from benchmark.report.chain.labelling import labels_link
from benchmark.report.chain.link import Chain, Link
from benchmark.report.chain.number import number_link
from benchmark.report.chain.recording import position_of, score_link, signal_link, statements_link
from benchmark.report.chain.signals import signals_link
from benchmark.report.chain.stated import (
    predictions_link,
    records_link,
    release_link,
    training_link,
    versions_link,
    weights_link,
)
from benchmark.report.text import interval
from cohorts.catalogue import measured_cards
from cohorts.counts import plural
from cohorts.errors import LeadboardError, UsageError
from cohorts.labelled import Labelled, LabelledCohorts, signals_read
from cohorts.store import Rows, Store


@dataclass(frozen=True)
class _Cell:
    """What there is of a cell.

    Attributes
    ----------
    table, why
        Its predictions; None, and why they cannot be read.
    release, needs
        The cohort as it was measured; None, and why it is not here.
    """

    record: ResultRecord
    path: Path
    table: pd.DataFrame | None
    why: str
    release: Labelled | None
    needs: str

    @cached_property
    def rows(self) -> Rows | None:
        """Row of the release of each prediction; None if one of them is of another record."""
        if self.table is None or self.release is None:
            return None
        rows = pd.Index(self.release.index["record_id"]).get_indexer(pd.Index(self.table["record_id"]))
        return None if (rows < 0).any() else np.asarray(rows, np.intp)

    def fits(self, concept: str) -> list[pd.Series[Any]]:
        """Scores of a concept, of each fit."""
        return [] if self.table is None else [fit[concept] for fit in score_tables(self.table)[0]]

    def labels(self, concept: str) -> npt.NDArray[np.int8] | None:
        """Labels of the records that were scored."""
        if self.rows is None or self.release is None:
            return None
        found: npt.NDArray[np.int8] = self.release.labels[concept].to_numpy()[self.rows]
        return found


def chain_of(
    folder: Path, record: ResultRecord, concept: str, cohorts: LabelledCohorts, record_id: str | None = None
) -> Chain:
    """Put the chain of one number together.

    Parameters
    ----------
    folder
        Of the run.
    cohorts
        Gives the cohort if its release is here.
    record_id
        Of one recording, whose own chain is put before that of the number.

    Raises
    ------
    UsageError
        If the model was not asked about this concept, or the cohort has no such recording.
    """
    check_asked(record, concept)
    cell = _open(folder, record, cohorts)
    store = cell.release if isinstance(cell.release, Store) else None
    links: list[Link] = [] if record_id is None else _of_recording(cell, concept, record_id, store)
    links += [
        release_link(record, cell.needs or "yes, in the state that was measured"),
        records_link(record, concept),
    ]
    if cell.release is not None and cell.rows is not None:
        scored = pd.DataFrame(
            {
                "statements": cell.release.index["statements"].iloc[cell.rows].tolist(),
                "label": cell.labels(concept),
            }
        )
        links.append(labels_link(record, concept, scored, cell.release.card))
    links += [
        signals_link(record, store, cell.rows),
        weights_link(record),
        training_link(record),
        predictions_link(record, concept, cell.path, cell.table, cell.why),
        number_link(record, concept, cell.labels(concept), cell.fits(concept)),
        versions_link(record),
    ]
    facts = {
        "model": record.model.name,
        "protocol": record.protocol,
        "cohort": record.cohort.id,
        "simulated": record.cohort.simulated,
        "concept": concept,
        "record": record_id,
    }
    return Chain(_heading(record, concept), facts, links, cell.needs)


def check_asked(record: ResultRecord, concept: str) -> None:
    """Refuse a concept that the model has no score for.

    Raises
    ------
    UsageError
        With some that it has.
    """
    outputs = tuple(record.model.outputs)
    if concept not in outputs:
        raise no_score(record.model.name, concept, outputs)


def _open(folder: Path, record: ResultRecord, cohorts: LabelledCohorts) -> _Cell:
    path = predictions_path(cell_path(folder, record.model.name, record.protocol, record.cohort.id))
    table, why = None, ""
    try:
        table, _ = load_predictions(path)
        if list(record.model.outputs) != score_tables(table)[1]:
            table, why = None, f"{path} has other columns than the model has outputs."
    except LeadboardError as error:
        why = str(error)
    release, needs = None, ""
    try:
        known = record.cohort.id in measured_cards()
        signals = signals_read(record.cohort.fingerprint)
        release = cohorts(record.cohort.id, signals=signals) if known else None
        if release is None:
            needs = "no" if known else "no, and the cohort is not known here"
        elif other := why_not_of(record, release):
            release, needs = None, f"no: what is here has {other}"
    except LeadboardError as error:
        needs = f"no: {error}"
    return _Cell(record, path, table, why, release, needs)


def _of_recording(cell: _Cell, concept: str, record_id: str, store: Store | None) -> list[Link]:
    """Give the links of one recording; of one that cannot be measured, why."""
    left_out = [g.reason for g in cell.record.records.quarantined if record_id in g.record_ids]
    ids = pd.Series([], dtype="str") if cell.table is None else cell.table["record_id"]
    score = score_link(record_id, ids, cell.fits(concept), cell.labels(concept))
    if left_out:
        lines = [("left out", reason) for reason in left_out]
        return [Link("left_out", f"{record_id} was not measured", lines, {"reasons": left_out})]
    position = None if cell.release is None else position_of(cell.release, record_id)
    if cell.release is None:
        if score.facts["score"] is None:
            raise UsageError(
                f"{record_id} is none of the {plural(len(ids), 'record')} of {cell.record.cohort.id} that "
                "were scored; give its release with --data."
            )
        return [score]
    if position is None:
        first = ", ".join(cell.release.index["record_id"].iloc[:3])
        raise UsageError(
            f"{cell.record.cohort.id} has no usable record '{record_id}'; its first ones are {first}."
        )
    codes = cell.release.index["statements"].iloc[position]
    label = int(cell.release.labels[concept].iloc[position])
    links = [statements_link(concept, cell.release.card, codes, label)]
    links += [] if store is None else [signal_link(cell.record, store, position)]
    return [*links, score]


def _heading(record: ResultRecord, concept: str) -> str:
    metrics = record.evaluation.concepts.get(concept)
    where = f"{concept} on {record.cohort.id}" + (" (SIMULATED)" if record.cohort.simulated else "")
    who = f"{record.model.name} ({record.protocol})"
    if metrics is None:
        return f"{who} has no number for {where}: no record that was scored is annotated for it."
    return (
        f"{who}, {where}: AUROC {interval(metrics.auroc)}, {plural(metrics.n, 'record')}, "
        f"{metrics.positives:,} positive, {record.relation}."
    )
