"""AUROCs without resampling: variance, interval, paired test (DeLong et al., Biometrics 44:837, 1988)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from benchmark.metrics.checks import Floats, Groups, checked_groups, column, why_undefined
from benchmark.metrics.estimates import Estimate, PairedDifference, estimate_of, none_if_nan
from benchmark.metrics.intervals import LEVEL, NORMAL
from cohorts.errors import UsageError


@dataclass(frozen=True, slots=True)
class Covariance:
    """AUROCs of several models on the same records, and how they vary together.

    Attributes
    ----------
    auroc
        float64 ``[models]``, NaN where undefined.
    covariance
        float64 ``[models, models]``, NaN where undefined.
    reason
        Why either is undefined.
    """

    auroc: Floats
    covariance: Floats
    reason: str = ""


def delong_covariance(
    labels: npt.ArrayLike, scores: npt.ArrayLike, groups: Groups | None = None, name: str = "this column"
) -> Covariance:
    """AUROCs of models on the same records with their covariance, in O(n log n) for each.

    Parameters
    ----------
    labels
        ``[records]``: 1 positive, 0 negative, -1 not annotated (left out).
    scores
        ``[records, models]``, finite.
    groups
        Patient of each record, numbered from 0 (see `bootstrap.group_records`), if records of one patient
        are not independent; every record by itself if not given.
    name
        What an error calls the column.

    Returns
    -------
    Covariance
        Undefined without both classes; the covariance also with a single positive, a single negative,
        or where they come from a single patient.

    Raises
    ------
    UsageError, ModelError
        As `checks.column`.

    Notes
    -----
    The placement of a positive is the fraction of negatives below it, ties counting half, and that of a
    negative the fraction of positives above. They come from mid-ranks (Sun and Xu, IEEE Signal Processing
    Letters 21:1389, 2014). With patients, placements are summed for each patient (Obuchowski, Biometrics
    53:567, 1997), which for one record a patient is DeLong's estimate.
    """
    table = np.asarray(scores)
    if table.ndim != 2:
        raise UsageError(f"The scores of {name} have shape {table.shape}; give one column for each model.")
    models = [column(labels, table[:, k], name) for k in range(table.shape[1])]
    groups = checked_groups(groups, len(table))
    undefined = np.full((len(models), len(models)), np.nan)
    if not models:
        return Covariance(np.empty(0), undefined, "no model")
    positive = models[0].positive
    m, n = int(positive.sum()), int((~positive).sum())
    if why := why_undefined(m, n):
        return Covariance(np.full(len(models), np.nan), undefined, why)
    placements = np.stack([_placements(positive, model.scores) for model in models], axis=1)
    auroc = placements[positive].mean(axis=0)

    patient = np.unique(groups[models[0].rows], return_inverse=True)[1]
    sides, shares = [], []
    for side, count in ((positive, m), (~positive, n)):
        of_patient = np.bincount(patient[side], minlength=int(patient.max()) + 1)
        deviations = np.zeros((len(of_patient), len(models)))
        np.add.at(deviations, patient[side], placements[side] - auroc)
        sides.append(deviations / count)
        shares.append(int(np.count_nonzero(of_patient)))
    if min(shares) < 2:
        which = "positives" if shares[0] < 2 else "negatives"
        return Covariance(
            auroc, undefined, f"the {which} are of one patient, so that their variance is unknown"
        )
    within = [s.T @ s * k / (k - 1) for s, k in zip(sides, shares, strict=True)]
    patients = len(sides[0])
    across = sides[0].T @ sides[1] * patients / (patients - 1)
    return Covariance(auroc, within[0] + within[1] + across + across.T)


def delong_interval(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    groups: Groups | None = None,
    *,
    level: float = LEVEL,
    name: str = "this column",
) -> Estimate:
    """AUROC with an interval that is symmetric on the logit scale, and so stays between 0 and 1.

    Parameters
    ----------
    labels, scores
        ``[records]`` each.
    groups, name
        As for `delong_covariance`.

    Returns
    -------
    Estimate
        Without an interval, and with the reason, where the variance is unknown or is 0: an AUROC of
        exactly 1 or 0 leaves no disorder to estimate it from, which is not certainty.

    Notes
    -----
    ``logit A +- z sqrt(V) / (A (1 - A))``: Pepe, The Statistical Evaluation of Medical Tests, 2003; for its
    coverage Qin and Hotilovac, Statistical Methods in Medical Research 17:207, 2008.
    """
    from scipy.special import expit, logit

    found = delong_covariance(labels, np.asarray(scores)[:, None], groups, name)
    auroc, variance = float(found.auroc[0]), float(found.covariance[0, 0])
    if math.isnan(variance):
        return estimate_of(auroc, reason=found.reason)
    if not 0 < auroc < 1 or variance <= 0:
        return estimate_of(
            auroc, reason=f"no interval: at an AUROC of {auroc:g} the estimated variance is {variance:.3g}"
        )
    half = NORMAL.inv_cdf((1 + level) / 2) * math.sqrt(variance) / (auroc * (1 - auroc))
    low, high = (float(expit(logit(auroc) + side * half)) for side in (-1, 1))
    return estimate_of(auroc, low, high)


def delong_test(
    labels: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    groups: Groups | None = None,
    *,
    level: float = LEVEL,
    name: str = "this column",
) -> PairedDifference:
    """AUROC of one model minus that of another on the same records, with its interval and p value.

    Parameters
    ----------
    labels, first, second
        ``[records]`` each.
    groups, name
        As for `delong_covariance`.

    Returns
    -------
    PairedDifference
        Undefined as `delong_covariance`. Without variance there is no interval; two models that place every
        record alike then have a p value of 1, others none.
    """
    found = delong_covariance(labels, np.stack([np.asarray(first), np.asarray(second)], axis=1), groups, name)
    difference = float(found.auroc[0] - found.auroc[1])
    contrast = np.array([1.0, -1.0])
    variance = float(contrast @ found.covariance @ contrast)
    if math.isnan(variance):
        return _difference(difference, reason=found.reason)
    if variance <= 1e-30:  # rounding of placements that are the same
        if difference == 0:
            return _difference(0.0, reason="no interval: both models place every record alike", p=1.0)
        return _difference(difference, reason="no interval: the estimated variance of the difference is 0")
    error = math.sqrt(variance)
    half = NORMAL.inv_cdf((1 + level) / 2) * error
    p = math.erfc(abs(difference) / error / math.sqrt(2))
    return _difference(difference, difference - half, difference + half, p=p)


def _difference(
    value: float, low: float = math.nan, high: float = math.nan, *, p: float = math.nan, reason: str = ""
) -> PairedDifference:
    return PairedDifference(**asdict(estimate_of(value, low, high, reason=reason)), p=none_if_nan(p))


def _placements(positive: npt.NDArray[np.bool_], scores: Floats) -> Floats:
    """Placement of each record among those of the other class, ``[annotated]``."""
    from scipy.stats import rankdata

    placements: Floats = rankdata(scores)
    for side in (positive, ~positive):
        placements[side] = (placements[side] - rankdata(scores[side])) / np.count_nonzero(~side)
    placements[~positive] = 1 - placements[~positive]
    return placements
