"""The scores of the PhysioNet/Computing in Cardiology Challenge 2021, of a table with its 26 classes."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.metrics.cell.estimates import BootstrapSettings, Estimate, Result, estimate_of
from benchmark.metrics.challenge import challenge_scores, reward_matrix
from benchmark.metrics.checks import Groups
from benchmark.scoring.columns import table_like
from benchmark.text import some
from cohorts.errors import UsageError

DECIDED = 0.5
"""Scores at or above are positive outputs where the Challenge's decisions are not given."""


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
        table = table_like(labels, decisions)
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
