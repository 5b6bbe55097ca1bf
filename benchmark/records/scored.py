"""Labels and scores of one concept of a finished cell, put together again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.metrics.checks import Groups
from benchmark.metrics.resampling import group_records
from benchmark.records.comparability import why_not_of
from benchmark.records.locations import RecordFiles
from benchmark.records.predictions import measured_predictions, score_tables
from benchmark.records.record import ResultRecord
from benchmark.text import printable
from cohorts.errors import LeadboardError, UnknownNameError
from cohorts.labelled import LabelledCohorts, signals_read


@dataclass(frozen=True, slots=True)
class Scored:
    """What a metric of a cell was measured on.

    Attributes
    ----------
    labels
        int8 ``[records]``: 1 positive, 0 negative, -1 not annotated.
    scores
        float32 ``[records]``, of the first of ``fits`` fits.
    groups
        As the bootstrap of the cell has them.
    """

    labels: npt.NDArray[np.int8]
    scores: npt.NDArray[np.float32]
    groups: Groups
    fits: int


@dataclass(frozen=True, slots=True)
class MeasuredCell:
    """Predictions of a cell beside the labels of its cohort, row by row.

    Attributes
    ----------
    index, labels
        Of the cohort, in the order of the predictions.
    fits
        Scores ``[records, outputs]`` of each fit.
    groups
        As the bootstrap of the cell has them.
    """

    record: ResultRecord
    index: pd.DataFrame
    labels: pd.DataFrame
    fits: list[pd.DataFrame]
    groups: Groups

    def of(self, concept: str) -> Scored:
        """Give one concept.

        Raises
        ------
        UnknownNameError
            If the cell has no such concept.
        LeadboardError
            If its labels are not those that were measured.
        """
        cohort, measured = self.record.cohort.id, self.record.evaluation.concepts
        if concept not in measured:
            raise UnknownNameError(f"concept measured on {cohort}", printable(concept, 64), measured)
        labels = self.labels[concept].to_numpy(np.int8)
        found = int(np.count_nonzero(labels >= 0)), int(np.count_nonzero(labels == 1))
        if found != (measured[concept].n, measured[concept].positives):
            raise LeadboardError(f"The labels of {concept} in {cohort} are not those that were measured.")
        return Scored(labels, self.fits[0][concept].to_numpy(np.float32), self.groups, len(self.fits))


def scored(record: ResultRecord, concept: str, files: RecordFiles, stores: LabelledCohorts) -> Scored:
    """Read the predictions of a cell, and the labels of its cohort, for one concept.

    Raises
    ------
    UnknownNameError
        If the cell has no such concept.
    LeadboardError
        As `measured_cell`, or if the labels are not those that were measured.
    """
    return measured_cell(record, files, stores).of(concept)


def measured_cell(record: ResultRecord, files: RecordFiles, stores: LabelledCohorts) -> MeasuredCell:
    """Read the predictions of a cell, and the labels of its cohort.

    Raises
    ------
    LeadboardError
        If the cohort is not here as it was measured, or the predictions are not those that were.
    """
    cohort = record.cohort.id
    store = stores(cohort, signals=signals_read(record.cohort.fingerprint))
    if store is None:
        raise LeadboardError(f"{cohort} is not on this machine; give the folder of the releases with --data.")
    why = why_not_of(record, store)
    if why:
        raise LeadboardError(f"{cohort} is not here as it was measured: {why}.")
    predictions = measured_predictions(files.predictions, record.predictions.sha256)
    if predictions is None:
        raise LeadboardError(f"The predictions {files.predictions} are not those that were measured.")
    rows = pd.Index(store.index["record_id"]).get_indexer(pd.Index(predictions["record_id"]))
    if (rows < 0).any():
        raise LeadboardError(f"The predictions {files.predictions} are of records that {cohort} has not.")
    index = store.index.iloc[rows].reset_index(drop=True)
    fits, _ = score_tables(predictions)
    return MeasuredCell(record, index, store.labels.iloc[rows], fits, group_records(index["patient_id"]))
