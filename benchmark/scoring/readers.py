"""People who read the same records, beside a table of scores."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.metrics.cell.estimates import (
    BootstrapSettings,
    Estimate,
    PairedDifference,
    Result,
    difference_of,
    estimate_of,
)
from benchmark.metrics.cell.statistics import FEWER_RESAMPLES
from benchmark.metrics.checks import Groups
from benchmark.metrics.operating_points import measure_calls
from benchmark.metrics.readers import against_reader
from benchmark.scoring.columns import table_like


class Reader(Result):
    """A person's calls of one concept, and the model at a matched specificity.

    Attributes
    ----------
    n, positives
        Of the records that were read and are annotated.
    sensitivity, specificity
        Of the reader.
    model_sensitivity, model_specificity
        Of the model with no more false alarms than the reader.
    difference
        Sensitivity of the model minus that of the reader.
    only_model, only_reader, mcnemar
        Positives that only one of the two found, and the exact p value of McNemar's test on them.
    resamples
        Of the intervals of the difference.
    """

    n: int
    positives: int
    sensitivity: Estimate
    specificity: Estimate
    model_sensitivity: float | None
    model_specificity: float | None
    difference: PairedDifference
    only_model: int
    only_reader: int
    mcnemar: float | None
    resamples: int


def read_against(
    labels: pd.DataFrame, scores: pd.DataFrame, groups: Groups, path: Path, settings: BootstrapSettings
) -> dict[str, Reader]:
    """Compare the scores with a reader's calls.

    Parameters
    ----------
    labels, scores
        ``[records, concepts]`` with the record ids as index.
    path
        Table with ``record_id`` and columns of 1 and 0 for some of the concepts; an empty call is a record
        that was not read.

    Raises
    ------
    UsageError
        If the file cannot be read or is not of these records and concepts.
    """
    calls = table_like(labels, path)
    fewer = min(FEWER_RESAMPLES, settings.resamples)
    found = {}
    for name in calls.columns:
        truth = np.where(calls[name] >= 0, labels[name], -1).astype(np.int8)
        called = (calls[name] == 1).to_numpy()
        own = measure_calls(truth[:, None], called[:, None], groups, resamples=fewer, seed=settings.seed)[0]
        against = against_reader(
            truth, scores[name], called, groups, resamples=fewer, seed=settings.seed, name=str(name)
        )
        found[str(name)] = Reader(
            n=int(np.count_nonzero(truth >= 0)),
            positives=int(np.count_nonzero(truth == 1)),
            sensitivity=estimate_of(own.sensitivity),
            specificity=estimate_of(own.specificity),
            model_sensitivity=_or_none(against.model_sensitivity),
            model_specificity=_or_none(against.model_specificity),
            difference=difference_of(against.difference),
            only_model=against.only_model,
            only_reader=against.only_reader,
            mcnemar=_or_none(against.mcnemar),
            resamples=fewer,
        )
    return found


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
