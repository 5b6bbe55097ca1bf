"""Which mistakes of a model are shown: the most confident ones on external, open cohorts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.records.comparability import why_not_of
from benchmark.records.locations import RecordFiles
from benchmark.records.predictions import measured_predictions, score_tables
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import CellName, name_of
from cohorts.catalogue import measured_cards
from cohorts.cohort import CohortCard
from cohorts.errors import LeadboardError
from cohorts.labelled import signals_read
from cohorts.recording import Recording
from cohorts.store import Store, Stores

Doubles = npt.NDArray[np.float64]

SHOWN = 20
"""Mistakes of a model, at most: half of them false positives where there are as many."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One recording that a model was sure of, and the annotation says otherwise.

    Attributes
    ----------
    label
        What the cohort's annotation says of the concept: 0 or 1.
    score
        The model's own number; the mean of its fits where it has several.
    beaten, against
        How many of the ``against`` records with the other label this one lies on the wrong side of; a tie
        counts half.
    statements
        What the source says of the recording, as its label was made from.
    position
        Of the recording in the store.
    """

    card: CohortCard
    concept: str
    label: int
    record_id: str
    score: float
    beaten: float
    against: int
    statements: tuple[str, ...]
    position: int

    @property
    def confidence(self) -> float:
        """Share ``beaten / (against + 1)``: all of ten is less sure than all of a thousand."""
        return self.beaten / (self.against + 1)


@dataclass(frozen=True, slots=True)
class Found:
    """Mistakes of a model, the most confident first, their recordings, and why a cohort has none here."""

    mistakes: tuple[Mistake, ...]
    recordings: tuple[Recording, ...]
    left_out: Mapping[str, str]


def outscored(scores: Doubles, positive: npt.NDArray[np.bool_]) -> Doubles:
    """Count for each record the records of the other label that it lies on the wrong side of.

    For a negative these are the positives with a lower score, for a positive the negatives with a higher one;
    ties count half. Divided by their number it is what the record costs the concept's AUROC, so it
    depends neither on prevalence nor on whether a model's scores are probabilities.

    Examples
    --------
    >>> outscored(np.array([0.1, 0.9, 0.5, 0.5]), np.array([True, False, True, False]))
    array([2. , 2. , 1.5, 1.5])
    """
    counted = np.empty(len(scores))
    for label in (True, False):
        own, other = scores[positive == label], np.sort(scores[positive != label])
        below, upto = (np.searchsorted(other, own, side) for side in ("left", "right"))
        half = (below + upto) / 2
        counted[positive == label] = len(other) - half if label else half
    return counted


def why_not_shown(record: ResultRecord) -> str:
    """Say why single recordings of a cell's cohort are never shown; empty where they may be."""
    card = measured_cards().get(record.cohort.id)
    if record.cohort.private or (card is not None and card.access == "private"):
        return "private: nothing about a single record leaves its machine"
    if card is None:
        return "not known here, so neither is what may be shown of it"
    if card.access != "open":
        return f"{card.access}: its recordings may not be passed on"
    return ""


def find_mistakes(
    records: Iterable[ResultRecord],
    files: Mapping[CellName, RecordFiles],
    stores: Stores | None,
    most: int = SHOWN,
) -> Found:
    """Find the most confident mistakes of one model over its external cells.

    Looked at are concepts that are eligible in a cell, records that were annotated for them, and cohorts that
    are open and lie here as they were measured. A recording is shown once, for its most confident mistake.

    Parameters
    ----------
    records
        Cells of one entry.
    files
        Where their predictions are.
    stores
        None where no release is at hand.
    """
    found: list[Mistake] = []
    left_out: dict[str, str] = {}
    used: dict[str, Store] = {}
    for record in records:
        if record.relation != "external":
            continue
        why = why_not_shown(record)
        store = None
        if not why:
            store, why = _store(record, stores)
        if store is not None:
            try:
                found += _of_cell(record, files, store, most)
                used[record.cohort.id] = store
            except LeadboardError as error:
                why = str(error).rstrip(".")
        if why:
            left_out[record.cohort.id] = why
    chosen = _chosen(found, most)
    drawn = tuple(used[one.card.id].recording(one.position) for one in chosen)
    return Found(tuple(chosen), drawn, left_out)


def _store(record: ResultRecord, stores: Stores | None) -> tuple[Store | None, str]:
    if not signals_read(record.cohort.fingerprint):
        return None, "measured without its signals"
    store = None if stores is None else stores(record.cohort.id)
    if store is None:
        return None, "not on this machine when the page was made"
    if store.card.access != "open":
        return None, f"{store.card.access}: its recordings may not be passed on"
    if why_not_of(record, store):
        return None, "not here in the state that was measured"
    return store, ""


def _of_cell(
    record: ResultRecord, files: Mapping[CellName, RecordFiles], store: Store, most: int
) -> Iterator[Mistake]:
    """Give the most confident mistakes of one cell, ``most`` of each kind and concept at most."""
    predictions = measured_predictions(files[name_of(record)].predictions, record.predictions.sha256)
    if predictions is None:
        raise LeadboardError("its predictions are not those that were measured")
    fits, outputs = score_tables(predictions)
    rows = pd.Index(store.index["record_id"]).get_indexer(pd.Index(predictions["record_id"]))
    ids, statements = store.index["record_id"].tolist(), store.index["statements"].tolist()
    for concept, metrics in record.evaluation.concepts.items():
        if not metrics.eligible or concept not in outputs or concept not in store.labels:
            continue
        labels = store.labels[concept].to_numpy()[rows]
        known = np.flatnonzero((labels >= 0) & (rows >= 0))
        scores = np.mean([fit[concept].to_numpy(np.float64)[known] for fit in fits], axis=0)
        positive = labels[known] == 1
        beaten = outscored(scores, positive)
        for label in (False, True):
            own = np.flatnonzero(positive == label)
            against = len(positive) - len(own)
            extreme = scores[own] if label else -scores[own]
            surest = own[np.lexsort((extreme, -beaten[own]))[:most]]
            for at in surest[beaten[surest] * 2 > against]:
                row = int(rows[known[at]])
                yield Mistake(
                    card=store.card,
                    concept=concept,
                    label=int(label),
                    record_id=str(ids[row]),
                    score=float(scores[at]),
                    beaten=float(beaten[at]),
                    against=against,
                    statements=tuple(statements[row]),
                    position=row,
                )


def _chosen(found: Sequence[Mistake], most: int) -> list[Mistake]:
    """Take half of each kind, each recording once; one kind fills what the other leaves free."""

    def order(one: Mistake) -> tuple[float, float, str, str, str]:
        extreme = one.score if one.label else -one.score
        return -one.confidence, extreme, one.card.id, one.record_id, one.concept

    once: dict[tuple[str, str], Mistake] = {}
    for one in sorted(found, key=order):
        once.setdefault((one.card.id, one.record_id), one)
    kinds = [[one for one in once.values() if one.label == label] for label in (0, 1)]
    half = [list(islice(kind, most // 2)) for kind in kinds]
    rest = sorted((one for kind in kinds for one in kind[most // 2 :]), key=order)
    return sorted([*half[0], *half[1], *rest[: most - sum(map(len, half))]], key=order)
