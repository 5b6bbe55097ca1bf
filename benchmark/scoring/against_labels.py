"""Score any table of predictions against any table of labels: the core of ``leadboard score``.

Both are CSV (comma, semicolon or tab), Parquet or Excel, joined by ``record_id``; row order is free.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.metrics.bootstrap import group_records
from benchmark.metrics.cell.calibration import rounding_notes
from benchmark.metrics.cell.evaluation import RESAMPLES, Evaluation, evaluate
from benchmark.metrics.cell.operating_points import no_thresholds
from benchmark.metrics.cell.statistics import CellStatistics, cell_statistics
from benchmark.metrics.cell.subgroups import age_bands
from benchmark.records.long_table import ESTIMATE, estimates_of, frame_of
from benchmark.scoring.bca import Bca, bca
from benchmark.scoring.challenge import Challenge, challenge
from benchmark.scoring.columns import (
    MISSING,
    check_same_records,
    concepts_of,
    label_column,
    read_table,
    record_ids,
    score_column,
    text_column,
)
from benchmark.scoring.readers import Reader, read_against
from benchmark.scoring.recalibration import (
    Recalibrated,
    SmoothCurve,
    check_sample,
    recalibrate,
    smooth_curves,
)
from benchmark.scoring.tables import PATIENT, RECORD, TableFile, open_frame, open_table
from benchmark.text import some
from cohorts.errors import UsageError
from cohorts.index import OLDEST, possible_age


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """What is measured beside AUROC and AUPRC.

    Attributes
    ----------
    probabilities
        Whether the scores claim to be probabilities.
    subgroups
        Columns of the labels that group the records; ``age`` in years becomes bands.
    readers
        Name -> table of what a reader called positive on the same records.
    challenge
        Whether the columns are the 26 scored classes of the Challenge 2021.
    decisions
        Table of the Challenge's binary outputs; a score of 0.5 or more without.
    bca
        Whether intervals corrected for bias and skew are given too.
    recalibrate
        Patients that a map to better probabilities is fitted on; 0 for none.
    """

    probabilities: bool = False
    subgroups: Sequence[str] = ()
    readers: Mapping[str, Path] = field(default_factory=dict)
    challenge: bool = False
    decisions: Path | None = None
    bca: bool = False
    recalibrate: int = 0


class ScoredTable(Evaluation):
    """An evaluation and whatever else was asked for."""

    statistics: CellStatistics
    readers: dict[str, dict[str, Reader]]
    challenge: Challenge | None
    bca: Bca | None
    curves: dict[str, SmoothCurve]
    recalibrated: dict[str, Recalibrated]

    def to_frame(self, *, macro: bool = False) -> pd.DataFrame:
        """Give every estimate as one tidy table.

        Parameters
        ----------
        macro
            Whether the means over the eligible concepts are in it too, as concept ``macro``.

        Returns
        -------
        pandas.DataFrame
            One row for each concept and metric (``auroc``, ``auprc``) with ``value``, ``low`` and ``high``
            (the 95 % interval), ``n`` and ``positives``, and how the interval was drawn. What is undefined is
            NaN, with a ``reason``.
        """
        return frame_of(estimates_of(self), ESTIMATE, macro=macro)


def score_table(
    scores_given: Path | str | pd.DataFrame,
    labels_given: Path | str | pd.DataFrame,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    options: ScoreOptions | None = None,
    device: str = "cpu",
) -> ScoredTable:
    """Metrics of a table of scores against a table of labels.

    Parameters
    ----------
    scores_given
        File or table with columns ``record_id`` and one for each concept, by any name: finite numbers, higher
        for more likely.
    labels_given
        File or table with columns ``record_id``, optionally ``patient_id``, and at least the concepts of the
        scores: 1, 0 or empty (not annotated). Further columns are ignored, with a note.
    resamples, seed
        Of the bootstrap.
    options
        What else is measured.
    device
        Of the bootstrap.

    Returns
    -------
    ScoredTable
        Concepts in the order of the scores. The order of the rows of the files does not matter.

    Raises
    ------
    UsageError
        If a file cannot be read, or the tables do not belong together.
    """
    options = options or ScoreOptions()
    scores_file, labels_file = _open(scores_given, "predictions"), _open(labels_given, "labels")
    labels, scores, text = _read(scores_file, labels_file, options.subgroups)
    patients = text.get(PATIENT)
    groups = np.arange(len(labels)) if patients is None else group_records(patients)
    if options.recalibrate:
        check_sample(groups, options.recalibrate)
    evaluation = evaluate(labels, scores, patients, resamples=resamples, seed=seed, device=device)
    settings = evaluation.bootstrap
    ignored = [name for name in labels_file.columns if name not in (RECORD, *text, *labels.columns)]
    notes = (*scores_file.remarks, *labels_file.remarks, *evaluation.notes)
    if ignored:
        notes += (f"{labels_file.path} has columns without scores, which are ignored: {some(ignored)}.",)
    if "age" in options.subgroups:
        notes += _note_on_ages(labels_file, text["age"])
    if options.probabilities:
        notes += rounding_notes([scores])
    statistics = cell_statistics(
        labels,
        [scores],
        patients,
        evaluation,
        probabilities=options.probabilities,
        thresholds=no_thresholds("a table of scores alone has no validation fold to choose thresholds on"),
        members={name: _members(name, text[name]) for name in options.subgroups},
        device=device,
    )
    return ScoredTable(
        **evaluation.model_copy(update={"notes": notes}).model_dump(),
        statistics=statistics,
        readers={
            name: read_against(labels, scores, groups, path, settings)
            for name, path in options.readers.items()
        },
        challenge=challenge(labels, scores, groups, options.decisions, settings)
        if options.challenge
        else None,
        bca=bca(labels, scores, groups, evaluation) if options.bca else None,
        curves=smooth_curves(labels, scores, groups) if options.probabilities else {},
        recalibrated=recalibrate(labels, scores, groups, options.recalibrate, settings)
        if options.recalibrate
        else {},
    )


def _open(given: Path | str | pd.DataFrame, name: str) -> TableFile:
    return open_frame(given, name) if isinstance(given, pd.DataFrame) else open_table(Path(given))


def _read(
    scores_file: TableFile, labels_file: TableFile, subgroups: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, pd.Series[Any]]]:
    """Read labels and scores, and what the labels say of patients and subgroups, sorted by record."""
    concepts = concepts_of(scores_file, labels_file)
    _check_groupings(subgroups, labels_file, concepts)
    scores_table = read_table(scores_file, [RECORD], numbers=concepts)
    others = list(dict.fromkeys(name for name in (PATIENT, *subgroups) if name in labels_file.columns))
    labels_table = read_table(labels_file, [RECORD, *others, *concepts])
    ids, truth_ids = record_ids(scores_file, scores_table), record_ids(labels_file, labels_table)
    check_same_records(scores_file, ids, labels_file, truth_ids)
    records = ids.sort_values()
    rows, truth_rows = ids.get_indexer(records), truth_ids.get_indexer(records)
    scores = {name: score_column(scores_file, scores_table, name, ids)[rows] for name in concepts}
    labels = {name: label_column(labels_file, labels_table, name)[truth_rows] for name in concepts}
    text = {name: text_column(labels_file, labels_table, name) for name in others}
    return (
        pd.DataFrame(labels, index=records),
        pd.DataFrame(scores, index=records),
        {name: column.iloc[truth_rows].set_axis(records) for name, column in text.items()},
    )


def _check_groupings(names: Sequence[str], labels: TableFile, concepts: Sequence[str]) -> None:
    for name in names:
        if name not in labels.columns:
            raise UsageError(
                f"{labels.path} has no column '{name}' to group records by; its columns are "
                f"{some(labels.columns, 40)}."
            )
        if name in (RECORD, PATIENT, *concepts):
            raise UsageError(f"'{name}' is no grouping of records; name another column of {labels.path}.")


def _members(name: str, values: pd.Series[Any]) -> list[str | None]:
    """Group of each record; ages in years become bands."""
    if name == "age" and _is_in_years(values):
        return age_bands([possible_age(value) for value in values])
    return [value or None for value in values]


def _is_in_years(ages: pd.Series[Any]) -> bool:
    """Whether a column of ages holds numbers; otherwise its words, such as ``old``, are the groups."""
    return not pd.to_numeric(ages, errors="coerce").isna().all()


def _note_on_ages(file: TableFile, ages: pd.Series[Any]) -> tuple[str, ...]:
    """Say how many ages cannot be, and are unknown."""
    if not _is_in_years(ages):
        return ()
    strange = [age for age in ages if age and math.isnan(possible_age(age)) and age.lower() not in MISSING]
    if not strange:
        return ()
    number = f"{len(strange):,} of {len(ages):,} ages"
    return (
        f"{number} in {file.path} are not above 0 and at most {OLDEST:g} years "
        f"({some(dict.fromkeys(strange))}); they count as unknown.",
    )
