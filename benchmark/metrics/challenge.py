"""The scores of the PhysioNet/Computing in Cardiology Challenge 2021, comparable with its leaderboard."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.metrics.bootstrap import bootstrap
from benchmark.metrics.checks import Floats, Groups, checked_groups
from benchmark.metrics.estimates import Estimate, Result, undefined
from benchmark.metrics.intervals import LEVEL, Values, estimate
from benchmark.metrics.resampling import resampled_sums
from cohorts.errors import ModelError, UsageError

SINUS_RHYTHM = "426783006"
"""SNOMED CT code of the class that an inactive model always gives."""


class ChallengeScores(Result):
    """The five scores of the Challenge with bootstrap intervals.

    Attributes
    ----------
    auroc, auprc, f_measure
        Means over the classes in which they are defined.
    accuracy
        Fraction of recordings of which every class is right.
    challenge_metric
        1 for the right labels everywhere, 0 for always sinus rhythm; below 0 is worse than that.
    """

    auroc: Estimate
    auprc: Estimate
    accuracy: Estimate
    f_measure: Estimate
    challenge_metric: Estimate


@cache
def reward_matrix() -> tuple[tuple[str, ...], Floats]:
    """SNOMED CT codes of the 26 scored classes, and the reward for each output (column) given a label (row).

    Codes joined by ``|`` are scored as one class. From the Challenge's evaluation repository
    (``weights.csv``, 2021). The array is read-only.
    """
    text = files("benchmark.metrics").joinpath("challenge2021_weights.csv").read_text(encoding="ascii")
    header, *rows = csv.reader(text.splitlines())
    weights = np.array([[float(cell) for cell in row[1:]] for row in rows])
    weights.flags.writeable = False
    return tuple(header[1:]), weights


def challenge_scores(
    labels: npt.NDArray[np.int8],
    scores: npt.NDArray[Any],
    outputs: npt.NDArray[np.bool_],
    groups: Groups | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = LEVEL,
) -> ChallengeScores:
    """All scores of a model on recordings of one cohort.

    Parameters
    ----------
    labels
        int8 ``[records, 26]``, in the order of `reward_matrix`: 1 positive, 0 negative, -1 not annotated.
        The Challenge knew no -1. Here such a label and its output are no part of the recording.
    scores
        ``[records, 26]``, finite: the scalar outputs.
    outputs
        bool ``[records, 26]``: the binary outputs.
    groups, resamples, seed
        As for `bootstrap.bootstrap`; every record by itself without groups.

    Returns
    -------
    ChallengeScores
        Each undefined without records; AUROC, AUPRC and F also without a class in which they are defined,
        and the Challenge metric where a model that always says sinus rhythm already gets every reward (there
        the Challenge's own code gives 0). A class without a negative has no AUPRC here, where the Challenge's
        code gives it 1.

    Raises
    ------
    UsageError
        If shapes, labels or groups are not as described.
    ModelError
        If a score is not finite or the outputs are not bool.

    Notes
    -----
    Reyna et al., "Will two do?", Computing in Cardiology 48, 2021, and Alday et al., Physiological
    Measurement 41:124003, 2020: with c classes that are label or output, a recording adds 1 / c to every
    pair (label, output); rewards weight the pairs, and the sum S is scaled to
    ``(S - S_inactive) / (S_correct - S_inactive)``.
    """
    codes, weights = reward_matrix()
    if not labels.shape == scores.shape == outputs.shape == (len(labels), len(codes)):
        raise UsageError(
            f"Labels {labels.shape}, scores {scores.shape} and outputs {outputs.shape} must be tables of "
            f"the {len(codes)} scored classes."
        )
    if outputs.dtype != np.bool_:
        raise ModelError(f"The binary outputs are not bool but {outputs.dtype}.")
    groups = checked_groups(groups, len(labels))
    areas = bootstrap(labels, scores, groups, resamples=resamples, seed=seed)
    annotated, truth = labels >= 0, labels == 1
    outputs = outputs & annotated
    inactive = np.zeros_like(outputs)
    inactive[:, codes.index(SINUS_RHYTHM)] = True
    columns = [
        np.ones(len(labels)),
        (truth == outputs).all(axis=1),
        *(_rewards(truth, given, weights) for given in (outputs, truth, inactive & annotated)),
        *(truth & outputs).T,  # right
        *(truth ^ outputs).T,  # wrong
    ]
    table = np.column_stack(columns).astype(np.float64)
    full = table.sum(axis=0, keepdims=True)
    drawn = resampled_sums(table, groups, resamples=resamples, seed=seed)

    why = "no record" if not len(labels) else ""
    return ChallengeScores(
        auroc=_macro(areas.auroc, areas.auroc_resamples, level),
        auprc=_macro(areas.auprc, areas.auprc_resamples, level),
        accuracy=estimate(
            float(_ratio(full[:, 1], full[:, 0])[0]), _ratio(drawn[:, 1], drawn[:, 0]), why=why, level=level
        ),
        f_measure=_macro(_f_measures(full)[0], _f_measures(drawn), level),
        challenge_metric=estimate(
            float(_metric(full)[0]),
            _metric(drawn),
            why=why or "always sinus rhythm already gets all there is to get",
            level=level,
        ),
    )


def _rewards(truth: npt.NDArray[np.bool_], given: npt.NDArray[np.bool_], weights: Floats) -> Floats:
    """Reward of each recording."""
    either = np.maximum(np.count_nonzero(truth | given, axis=1), 1)
    rewards: Floats = np.einsum(
        "rj,jk,rk->r", truth.astype(np.float64), weights, given.astype(np.float64), optimize=True
    )
    shared: Floats = rewards / either
    return shared


def _metric(sums: Values) -> Values:
    observed, correct, inactive = sums[:, 2], sums[:, 3], sums[:, 4]
    room = correct - inactive
    return _ratio(observed - inactive, np.where(np.abs(room) > 1e-9 * np.abs(correct), room, 0))


def _f_measures(sums: Values) -> Values:
    right, wrong = np.split(sums[:, 5:], 2, axis=1)
    return _ratio(2 * right, 2 * right + wrong)


def _macro(values: Values, resampled: Values, level: float) -> Estimate:
    """Mean over the classes that are defined on the full data; a resample without one of them is left out."""
    defined = ~np.isnan(values)
    if not defined.any():
        return undefined("defined in no class")
    return estimate(float(values[defined].mean()), resampled[:, defined].mean(axis=1), level=level)


def _ratio(part: Values, whole: Values) -> Values:
    ratios: Values = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole != 0)
    return ratios
