"""A model beside people who read the same records, at the specificity of each of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.metrics.checks import Column, Floats, Groups, checked_groups, column, why_undefined
from benchmark.metrics.estimates import PairedDifference
from benchmark.metrics.intervals import LEVEL, difference
from benchmark.metrics.resampling import drawn_counts
from cohorts.errors import UsageError


@dataclass(frozen=True, slots=True)
class AgainstReader:
    """Sensitivity of a model minus that of a reader, on the same records at a matched specificity.

    Attributes
    ----------
    model_sensitivity, reader_sensitivity, model_specificity, reader_specificity
        None where undefined. The model's specificity is the least it can have without more false alarms
        than the reader.
    difference
        Of the sensitivities, with bootstrap interval and p value. The model is matched to the reader anew
        in every resample.
    only_model, only_reader
        Positives that only one of the two found.
    mcnemar
        Exact two-sided p value of McNemar's test on these two; None where the difference is undefined.
    """

    model_sensitivity: float | None
    reader_sensitivity: float | None
    model_specificity: float | None
    reader_specificity: float | None
    difference: PairedDifference
    only_model: int
    only_reader: int
    mcnemar: float | None


def against_reader(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    calls: npt.NDArray[np.bool_],
    groups: Groups | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = LEVEL,
    name: str = "this column",
) -> AgainstReader:
    """Compare a model's scores with a reader's calls (`measure_calls` gives the reader's own point).

    Parameters
    ----------
    labels, scores
        ``[records]`` each, as for `discrimination.auroc`.
    calls
        bool ``[records]``: what the reader called positive.
    groups, resamples, seed
        As for `bootstrap.bootstrap`; every record by itself without groups.
    name
        What an error calls the column.

    Raises
    ------
    UsageError, ModelError
        As `checks.column`; UsageError also if the calls are not bool or not of the length of the labels.

    Notes
    -----
    The model's threshold is the lowest at which it has no more false alarms than the reader on these
    records; where scores tie it may have fewer, which counts against the model. McNemar, Psychometrika
    12:153, 1947, in its exact form; it takes the threshold as given and records as independent.
    """
    found = column(labels, scores, name)
    if calls.shape != np.asarray(labels).shape or calls.dtype != np.bool_:
        raise UsageError(f"The calls of {name} must be one bool for each record.")
    called = calls[found.rows]
    m, n = int(found.positive.sum()), int((~found.positive).sum())
    drawn = [
        _sensitivities(found, called, counts[found.rows])
        for _, counts in drawn_counts(checked_groups(groups, len(calls)), resamples, seed)
    ]
    differences = np.concatenate([model - reader for model, reader in drawn]) if drawn else np.empty(0)
    if why := why_undefined(m, n):
        nothing = difference(math.nan, differences, why=why, level=level)
        return AgainstReader(None, None, None, None, nothing, 0, 0, None)

    matched = _matched_calls(found, called)
    only_model = int(np.count_nonzero(matched & ~called & found.positive))
    only_reader = int(np.count_nonzero(called & ~matched & found.positive))
    return AgainstReader(
        model_sensitivity=int(np.count_nonzero(matched & found.positive)) / m,
        reader_sensitivity=int(np.count_nonzero(called & found.positive)) / m,
        model_specificity=int(np.count_nonzero(~matched & ~found.positive)) / n,
        reader_specificity=int(np.count_nonzero(~called & ~found.positive)) / n,
        difference=difference((only_model - only_reader) / m, differences, level=level),
        only_model=only_model,
        only_reader=only_reader,
        mcnemar=mcnemar(only_model, only_reader),
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p value that records right in one of two only are as often right in either.

    Returns
    -------
    float
        1 where there is no such record.
    """
    from scipy.stats import binomtest

    discordant = only_first + only_second
    return float(binomtest(only_first, discordant).pvalue) if discordant else 1.0


def _matched_calls(found: Column, called: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Call as many of the highest scores as the reader's false alarms allow, ties together."""
    alarms = np.sort(found.scores[~found.positive])[::-1]
    allowed = np.count_nonzero(called & ~found.positive)
    if allowed == len(alarms):
        return np.ones(len(called), np.bool_)
    above: npt.NDArray[np.bool_] = found.scores > alarms[allowed]
    return above


def _sensitivities(
    found: Column, called: npt.NDArray[np.bool_], counts: npt.NDArray[np.uint8]
) -> tuple[Floats, Floats]:
    """Sensitivity of the matched model and of the reader in each resample; NaN without both classes."""
    order = np.argsort(-found.scores, kind="stable")
    scores, positive = found.scores[order], found.positive[order]
    drawn = counts[order].astype(np.int64)
    hits = np.cumsum(drawn * positive[:, None], axis=0)
    alarms = np.cumsum(drawn * ~positive[:, None], axis=0)
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True)[: len(scores)])
    resamples = np.arange(counts.shape[1])
    read = called[order][:, None] * drawn
    reader_hits, reader_alarms = (read[side].sum(axis=0) for side in (positive, ~positive))
    fit = np.count_nonzero(alarms[ends] <= reader_alarms, axis=0)  # alarms only rise
    none = np.zeros((1, len(resamples)), np.int64)
    model_hits = np.concatenate([none, hits[ends]])[fit, resamples]
    total, negatives = drawn[positive].sum(axis=0), drawn[~positive].sum(axis=0)
    whole = np.where((total > 0) & (negatives > 0), total, np.nan)
    return model_hits / whole, reader_hits / whole
