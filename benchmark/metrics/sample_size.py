"""How many patients an external validation needs, before it is begun.

Every function takes what is expected and what is wanted, and gives a number of records, each of another
patient; `patients_for` makes patients of it where a patient has several records. The distribution of a
model's logits, where one is needed, is the binormal one that belongs to an AUROC, a prevalence and perfect
calibration (see `logits_of`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, ndtr, ndtri

from benchmark.metrics.intervals import newcombe_variance

MOST_RECORDS = 10**9
"""More than anybody has: beyond it a number is not looked for."""

Values = npt.NDArray[np.float64]

_Z = float(ndtri(0.975))
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(200)
_DENSITY = _WEIGHTS / _WEIGHTS.sum()


class Logits(NamedTuple):
    """Normal distributions of the logits of the predicted risks, with one variance.

    Attributes
    ----------
    without, with_finding
        Means in records without and with the finding.
    sd
        Standard deviation in both.
    """

    without: float
    with_finding: float
    sd: float


def auroc_variance(auroc: float, prevalence: float, records: float) -> float:
    """Variance of an AUROC that is yet to be measured (`benchmark.metrics.intervals`)."""
    return newcombe_variance(auroc, records * prevalence, records * (1 - prevalence))


def for_auroc_width(auroc: float, prevalence: float, width: float) -> int | None:
    """Records for a 95 % interval of the AUROC of a given width; None if beyond `MOST_RECORDS`.

    Criterion 3 of Riley RD et al. Minimum sample size for external validation of a clinical prediction model
    with a binary outcome. Statistics in Medicine 2021;40:4230-4251.

    Examples
    --------
    >>> for_auroc_width(0.8, 0.018, 0.1)  # the example of pmvalsampsize 0.1.0 says 4252
    4252
    """
    return _least(lambda n: 2 * _Z * math.sqrt(auroc_variance(auroc, prevalence, n)) <= width)


def for_observed_to_expected_width(prevalence: float, width: float) -> int | None:
    """Records for a 95 % interval of the ratio of observed to expected positives, around 1.

    Criterion 1 of Riley et al. 2021: the standard error of the logarithm is
    ``sqrt((1 - prevalence) / (records * prevalence))``, and the interval is symmetric on its scale.

    Examples
    --------
    >>> for_observed_to_expected_width(0.018, 1.0)  # pmvalsampsize, which goes in steps of 0.0001, says 905
    906
    """
    error = math.asinh(width / 2) / _Z
    return _whole((1 - prevalence) / (prevalence * error**2))


def logits_of(auroc: float, prevalence: float) -> Logits:
    """Give the logits of a calibrated model of this AUROC, normal in both groups with one variance.

    Such a model is calibrated only if the means lie one variance apart, and the AUROC is
    ``Phi(sd / sqrt(2))``.
    """
    sd = math.sqrt(2) * float(ndtri(auroc))
    without = float(logit(prevalence)) - sd**2 / 2
    return Logits(without, without + sd**2, sd)


def expected_auprc(auroc: float, prevalence: float) -> float:
    """AUPRC of a model with `logits_of`: its precision, averaged over where the positives lie.

    Examples
    --------
    >>> round(expected_auprc(0.9, 0.5), 2), round(expected_auprc(0.5001, 0.1), 2)
    (0.9, 0.1)
    """
    logits = logits_of(auroc, prevalence)
    found = ndtr(-_NODES)  # at each positive: the share of the positives above it
    wrong = ndtr((logits.without - logits.with_finding) / logits.sd - _NODES)
    ill = prevalence * found
    return float((_DENSITY * ill / (ill + (1 - prevalence) * wrong)).sum())


def for_auprc_width(auroc: float, prevalence: float, width: float) -> int | None:
    """Records for a 95 % interval of the `expected_auprc` of a given width; None if beyond `MOST_RECORDS`.

    The logit interval of Boyd K, Eng KH, Page CD. Area under the precision-recall curve: point estimates and
    confidence intervals. ECML PKDD 2013, LNCS 8190:451-466, in which the positives alone count.
    """
    auprc = expected_auprc(auroc, prevalence)

    def enough(records: int) -> bool:
        reach = _Z / math.sqrt(records * prevalence * auprc * (1 - auprc))
        centre = float(logit(auprc))
        return float(expit(centre + reach) - expit(centre - reach)) <= width

    return _least(enough)


def for_slope_width(auroc: float, prevalence: float, width: float) -> int | None:
    """Records for a 95 % interval of the calibration slope, around 1, of a calibrated model.

    Criterion 2 of Riley et al. 2021: the information about the slope in a logistic regression on the model's
    logits, here over `logits_of`.
    """
    logits = logits_of(auroc, prevalence)
    positions = [mean + logits.sd * _NODES for mean in (logits.without, logits.with_finding)]
    density = np.concatenate([(1 - prevalence) * _DENSITY, prevalence * _DENSITY])
    return _for_slope(np.concatenate(positions), density, width)


def for_slope_width_of(mean: float, sd: float, width: float) -> int | None:
    """The same for logits that are normal in all records together.

    Examples
    --------
    >>> for_slope_width_of(-5, 2.5, 0.2)  # pmvalsampsize, which draws a million logits, says 4544
    4554
    """
    return _for_slope(mean + sd * _NODES, _DENSITY, width)


def _for_slope(logits: Values, density: Values, width: float) -> int | None:
    risk = expit(logits)
    weight = density * risk * (1 - risk)
    whole, first, second = (float((weight * logits**power).sum()) for power in range(3))
    error = width / 2 / _Z
    return _whole(whole / (error**2 * (whole * second - first**2)))


def for_difference(
    auroc: float, prevalence: float, difference: float, correlation: float, power: float
) -> int | None:
    """Records to tell two models apart on the same records by their AUROC, two-sided at 5 %.

    Obuchowski NA. Sample size calculations in studies of test accuracy. Statistical Methods in Medical
    Research 1998;7:371-392: the variance of a difference is ``V1 + V2 - 2 r sqrt(V1 V2)`` (Hanley and McNeil,
    Radiology 1983;148:839-843), with both AUROCs at the better one under the hypothesis of no difference.

    Parameters
    ----------
    auroc
        Of the better model; the other has ``difference`` less.
    correlation
        Between the two estimated AUROCs, over samples.
    power
        Chance to find the difference if there is one.

    Returns
    -------
    None if beyond `MOST_RECORDS`.
    """

    def enough(records: int) -> bool:
        better = auroc_variance(auroc, prevalence, records)
        worse = auroc_variance(auroc - difference, prevalence, records)
        none = 2 * better * (1 - correlation)
        some = better + worse - 2 * correlation * math.sqrt(better * worse)
        return _Z * math.sqrt(none) + float(ndtri(power)) * math.sqrt(some) <= difference

    return _least(enough)


def design_effect(records_per_patient: float, icc: float) -> float:
    """How many times as many records are needed if each patient has several.

    ``1 + (m - 1) * icc`` (Kish, Survey Sampling, 1965) for ``m`` records of each patient. For the AUROC the
    intraclass correlation is that of the records' placement values (Obuchowski, Biometrics 1997;53:567-578).
    """
    return 1 + (records_per_patient - 1) * icc


def patients_for(records: int, records_per_patient: float, icc: float) -> int:
    """Patients that are worth this many records of one patient each.

    Examples
    --------
    >>> patients_for(1000, 4, 1.0), patients_for(1000, 4, 0.0)
    (1000, 250)
    """
    return math.ceil(records * design_effect(records_per_patient, icc) / records_per_patient)


def _whole(records: float) -> int | None:
    return math.ceil(records) if records <= MOST_RECORDS else None


def _least(enough: Callable[[int], bool]) -> int | None:
    """Find the least number of records that is enough; None if `MOST_RECORDS` are not."""
    if not enough(MOST_RECORDS):
        return None
    low, high = 3, MOST_RECORDS
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low
