"""Logistic regression by Newton's method, for calibration: few columns, no penalty, exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.metrics.checks import Floats, Groups

CLIP = 1e-6
"""Probabilities nearer than this to 0 or 1 are taken as this near: their logit would be infinite."""

STEPS = 100


@dataclass(frozen=True, slots=True)
class Logistic:
    """A fitted regression.

    Attributes
    ----------
    coefficients
        float64 ``[columns]``.
    covariance
        float64 ``[columns, columns]``: their estimated covariance.
    """

    coefficients: Floats
    covariance: Floats


def fit_logistic(
    design: Floats, target: Floats, *, offset: Floats | None = None, groups: Groups | None = None
) -> Logistic | None:
    """Fit by maximum likelihood.

    Parameters
    ----------
    design
        float64 ``[records, columns]``, the constant included.
    target
        float64 ``[records]`` in 0 to 1.
    offset
        float64 ``[records]``: added to the linear predictor with a coefficient of 1.
    groups
        int64 ``[records]``: patient of each record. The covariance is then robust to dependence within
        patients (Liang and Zeger, Biometrika 73:13, 1986, with the factor G / (G - 1)).

    Returns
    -------
    Logistic or None
        None where there is no finite maximum: the classes are separated, or columns depend on each other.
    """
    from scipy.special import expit

    base = np.zeros(len(target)) if offset is None else offset
    beta = np.zeros(design.shape[1])
    likelihood = _likelihood(base, target)
    for _ in range(STEPS):
        fitted = expit(base + design @ beta)
        score = design.T @ (target - fitted)
        information = (design * (fitted * (1 - fitted))[:, None]).T @ design
        if np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, score)
        for _ in range(50):  # halve a step that overshoots
            moved = _likelihood(base + design @ (beta + step), target)
            if moved >= likelihood - 1e-12 * abs(likelihood):
                break
            step = step / 2
        beta, likelihood = beta + step, moved
        if np.abs(step).max(initial=0.0) < 1e-10 * (1 + np.abs(beta).max(initial=0.0)):
            return Logistic(
                beta, _covariance(design, target - expit(base + design @ beta), information, groups)
            )
    return None


def clipped_logit(probabilities: Floats) -> Floats:
    """Log odds, of probabilities kept `CLIP` away from 0 and 1."""
    from scipy.special import logit

    log_odds: Floats = logit(np.clip(probabilities, CLIP, 1 - CLIP))
    return log_odds


def _likelihood(predictor: Floats, target: Floats) -> float:
    return float(np.sum(target * predictor - np.logaddexp(0, predictor)))


def _covariance(design: Floats, residuals: Floats, information: Floats, groups: Groups | None) -> Floats:
    inverse = np.linalg.inv(information).astype(np.float64)
    if groups is None:
        return inverse
    patients = np.unique(groups, return_inverse=True)[1]
    number = int(patients.max()) + 1
    scores = np.zeros((number, design.shape[1]))
    np.add.at(scores, patients, design * residuals[:, None])
    robust: Floats = inverse @ (scores.T @ scores) @ inverse * number / max(number - 1, 1)
    return robust
