"""More about a table of scores: people who read the same records, the Challenge 2021, BCa intervals."""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.cell_statistics import FEWER_RESAMPLES
from benchmark.comparison_results import PairedDifference, difference_of
from benchmark.metrics.bootstrap import bootstrap
from benchmark.metrics.challenge import challenge_scores, reward_matrix
from benchmark.metrics.checks import Groups
from benchmark.metrics.estimates import BootstrapSettings, Estimate, Evaluation, Result, estimate_of
from benchmark.metrics.intervals import measure
from benchmark.metrics.jackknife import jackknife
from benchmark.metrics.operating_points import measure_calls
from benchmark.metrics.readers import against_reader
from benchmark.score_files import RECORD, label_column, open_table, read_table, record_ids, some
from cohorts.errors import UsageError

DECIDED = 0.5
"""Scores at or above are positive outputs where the Challenge's decisions are not given."""


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


class Challenge(Result):
    """Scores of the PhysioNet/Computing in Cardiology Challenge 2021.

    Attributes
    ----------
    decisions
        Where the binary outputs are from.
    """

    auroc: Estimate
    auprc: Estimate
    accuracy: Estimate
    f_measure: Estimate
    challenge_metric: Estimate
    decisions: str


class Areas(Result):
    """AUROC and AUPRC with BCa intervals."""

    auroc: Estimate
    auprc: Estimate


class Bca(Result):
    """Intervals corrected for bias and skew (Efron 1987), of the macro averages and of every concept."""

    macro: Areas
    concepts: dict[str, Areas]


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
    calls = _table_like(labels, path)
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


def challenge(
    labels: pd.DataFrame,
    scores: pd.DataFrame,
    groups: Groups,
    decisions: Path | None,
    settings: BootstrapSettings,
) -> Challenge:
    """Score as the Challenge 2021 did.

    Parameters
    ----------
    labels, scores
        ``[records, 26]``: columns named by SNOMED CT code; of two codes that are scored as one, either or
        both joined by ``|``.
    decisions
        Table of the binary outputs with the same columns.

    Raises
    ------
    UsageError
        If a class lacks, or a column is none.
    """
    order = _challenge_columns(labels)
    if decisions is None:
        outputs, source = scores[order].to_numpy() >= DECIDED, f"scores of {DECIDED} or more"
    else:
        table = _table_like(labels, decisions)
        lacking = [name for name in order if name not in table.columns]
        if lacking or (table < 0).to_numpy().any():
            raise UsageError(
                f"{decisions} must have 1 or 0 for every record and class; {some(lacking) or 'some'} lack."
            )
        outputs, source = (table[order] == 1).to_numpy(), str(decisions)
    found = challenge_scores(
        labels[order].to_numpy(np.int8),
        scores[order].to_numpy(),
        outputs,
        groups,
        resamples=settings.resamples,
        seed=settings.seed,
    )
    return Challenge(
        **{one.name: estimate_of(getattr(found, one.name)) for one in fields(found)}, decisions=source
    )


def bca(labels: pd.DataFrame, scores: pd.DataFrame, groups: Groups, evaluation: Evaluation) -> Bca:
    """Put BCa intervals beside the percentile ones, from the same resamples."""
    truth, values, settings = labels.to_numpy(np.int8), scores.to_numpy(), evaluation.bootstrap
    drawn = bootstrap(truth, values, groups, resamples=settings.resamples, seed=settings.seed)
    without = jackknife(truth, values, groups)
    eligible = [at for at, name in enumerate(labels.columns) if evaluation.concepts[str(name)].eligible]

    def areas(columns: list[int]) -> Areas:
        if not columns:
            return Areas(auroc=evaluation.macro.auroc, auprc=evaluation.macro.auprc)
        pairs = ((drawn.auroc, drawn.auroc_resamples), (drawn.auprc, drawn.auprc_resamples))
        one, two = (
            estimate_of(
                measure(
                    float(full[columns].mean()),
                    resampled[:, columns].mean(axis=1),
                    why="undefined without both classes",
                    jackknife=left_out[:, columns].mean(axis=1),
                )
            )
            for (full, resampled), left_out in zip(pairs, without, strict=True)
        )
        return Areas(auroc=one, auprc=two)

    each = {str(name): areas([at]) for at, name in enumerate(labels.columns)}
    return Bca(macro=areas(eligible), concepts=each)


def _table_like(labels: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Read a table of 1, 0 and empty (-1) with the records of the labels, in their order."""
    file = open_table(path)
    names = [name for name in file.columns if name != RECORD]
    unknown = [name for name in names if name not in labels.columns]
    if unknown or not names:
        raise UsageError(
            f"{path} has {some(unknown) or 'no column'}, which the scores do not have; name its columns as "
            f"theirs: {some(labels.columns, 40)}."
        )
    table = read_table(file, [RECORD, *names])
    ids = record_ids(file, table)
    lacking = labels.index.difference(ids)
    if len(lacking) or len(ids) != len(labels):
        what = f"lacks {len(lacking)} records ({some(lacking)})" if len(lacking) else "has more records"
        raise UsageError(f"{path} {what} than the labels; it must be of the same records.")
    rows = ids.get_indexer(labels.index)
    return pd.DataFrame({name: label_column(file, table, name)[rows] for name in names}, index=labels.index)


def _challenge_columns(labels: pd.DataFrame) -> list[str]:
    """Columns in the order of the reward matrix."""
    classes = reward_matrix()[0]
    found = {
        code: [name for name in labels.columns if name == code or name in code.split("|")] for code in classes
    }
    lacking = [code for code, names in found.items() if not names]
    known = {name for names in found.values() for name in names}
    strange = [name for name in labels.columns if name not in known]
    twice = [code for code, names in found.items() if len(names) > 1]
    if lacking or strange or twice:
        raise UsageError(
            f"--challenge needs a column for each of the {len(classes)} scored classes, named by SNOMED CT "
            f"code: {len(lacking)} lack ({some(lacking)}), {len(strange)} are none ({some(strange)}), "
            f"{len(twice)} are there twice ({some(twice)})."
        )
    return [names[0] for names in found.values()]


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
