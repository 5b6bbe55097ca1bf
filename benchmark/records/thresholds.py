"""Thresholds of a model: chosen from its scores on the validation fold of the source cohort.

They are chosen by a pure function of these scores and the labels there, when a cell is made and again when
it is verified.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmark.metrics.cell.operating_points import Thresholds, concept_thresholds
from benchmark.records.comparability import labelling_of
from benchmark.records.measuring import Selection
from benchmark.records.predictions import content_hash, score_tables
from cohorts.catalogue import sharing
from cohorts.labelled import Labelled
from cohorts.store import rows_of

VALIDATION = "validation.parquet"
"""The scores of a model on the validation fold, beside the records of its cells."""


def choose_thresholds(predictions: pd.DataFrame, source: Labelled) -> Thresholds:
    """Choose the thresholds of every concept, by the scores of the first fit.

    Parameters
    ----------
    predictions
        Of the validation fold of the source: one row a record, in the order of the store.
    """
    rows = rows_of(source, "validation")
    fits, outputs = score_tables(predictions)
    labels = source.labels.iloc[rows].reset_index(drop=True)
    return Thresholds(
        source=source.card.id,
        fingerprint=source.fingerprint,
        labelling=labelling_of(source.card, outputs).hash,
        records=len(rows),
        predictions_sha256=content_hash(predictions),
        fits=len(fits),
        concepts=concept_thresholds(labels, fits[0]),
    )


def why_not_applied(source: str, cohort: str, selection: Selection) -> str:
    """Say why thresholds of a source cohort may not be applied in a cell; empty where they may."""
    own_test_fold = cohort == source and selection == "test"
    if cohort in sharing(source) and not own_test_fold:
        return f"they are chosen on records of {source}, which are measured here"
    return ""


def is_validation_fold(predictions: pd.DataFrame, source: Labelled) -> bool:
    """Whether predictions are of the validation fold of a cohort, in its order."""
    expected = source.index["record_id"].iloc[rows_of(source, "validation")]
    return bool(np.array_equal(predictions["record_id"].to_numpy(object), expected.to_numpy(object)))
