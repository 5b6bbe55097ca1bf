"""Predictions made elsewhere against labels, for a program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmark.metrics.draws import RESAMPLES, check_draws
from benchmark.scoring.against_labels import ScoredTable, ScoreOptions, score_table


def score(
    predictions: Path | str | pd.DataFrame,
    labels: Path | str | pd.DataFrame,
    *,
    probabilities: bool = False,
    subgroups: Sequence[str] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
    device: str = "cpu",
) -> ScoredTable:
    """Score predictions made elsewhere, as ``leadboard score --labels`` does.

    Parameters
    ----------
    predictions
        A DataFrame, or a CSV, Parquet or Excel file, with ``record_id`` (a column or the row index) and one
        column of scores for each concept: finite numbers, higher for more likely.
    labels
        The same of the same records: 1, 0, or missing where not annotated, and optionally ``patient_id``.
        With patients, intervals are drawn over these. The order of rows and columns is free.
    probabilities
        Whether the scores are probabilities, of which the calibration is measured too.
    subgroups
        Columns of the labels that group the records; ``age`` in years becomes bands.
    resamples, seed
        Of the bootstrap.
    device
        Torch device of the bootstrap, such as ``cuda``; it changes no figure by more than 1e-12.

    Returns
    -------
    ScoredTable
        ``to_frame()`` has every AUROC and AUPRC with its interval, n and positives; ``notes`` what was
        assumed or ignored; ``statistics`` DeLong's intervals, calibration and subgroups.

    Raises
    ------
    UsageError
        If a table cannot be read, or the two do not belong together.

    Examples
    --------
    >>> import pandas as pd
    >>> records = [f"r{number}" for number in range(8)]
    >>> labels = pd.DataFrame({"record_id": records, "AF": [0, 0, 0, 1, 1, 1, 0, None]})
    >>> predictions = pd.DataFrame({"record_id": records, "AF": [0.1, 0.2, 0.6, 0.9, 0.4, 0.7, 0.3, 0.5]})
    >>> found = score(predictions, labels, resamples=1000).to_frame()
    >>> found[["concept", "metric", "value", "low", "high", "n", "positives"]].round(3)
      concept metric  value  low  high  n  positives
    0      AF  auroc  0.917  0.6   1.0  7          3
    1      AF  auprc  0.917  0.5   1.0  7          3
    """
    check_draws(resamples, seed)
    return score_table(
        predictions,
        labels,
        resamples=resamples,
        seed=seed,
        options=ScoreOptions(probabilities=probabilities, subgroups=tuple(subgroups)),
        device=device,
    )
