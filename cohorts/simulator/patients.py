"""Who is recorded at a site: age, sex, conditions by age, patients who come again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cohorts.simulator.conditions import TABLE, conflicts
from cohorts.simulator.site import Site

Bools = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]

_CONFLICT = np.array([[conflicts(a.id, b.id) for b in TABLE] for a in TABLE])
_AGEING = np.array([condition.ageing for condition in TABLE])
_CHRONIC = np.array([condition.chronic for condition in TABLE])
_PILOT = 8000


@dataclass(frozen=True)
class Visits:
    """One row a recording.

    Attributes
    ----------
    patient
        Number of the patient, from 0.
    age
        In years.
    female
        Sex.
    present, severity
        ``[recordings, conditions]`` in the order of the table of conditions.
    fold
        1 to 10; all recordings of a patient share one, and rare conditions are spread evenly.
    """

    patient: npt.NDArray[np.int64]
    age: Doubles
    female: Bools
    present: Bools
    severity: Doubles
    fold: npt.NDArray[np.int64]

    def conditions(self, row: int) -> dict[str, float]:
        """Severity of the conditions that are present in one recording."""
        columns = np.flatnonzero(self.present[row])
        return {TABLE[column].id: float(self.severity[row, column]) for column in columns}


def visits_of(site: Site, count: int, random: np.random.Generator) -> Visits:
    """Draw the recordings of a site."""
    patient = _patients(count, site.returning, random)
    first = np.searchsorted(patient, patient)  # patients are in ascending order
    years_later = np.where(first < np.arange(count), random.exponential(1.5, count), 0.0)
    age = np.minimum(_ages(site, count, random)[first] + years_later, site.ages[3])
    female = (random.random(count) < site.female)[first]
    odds = _calibrated_odds(site)
    present = random.random((count, len(TABLE))) < _chances(odds, age, site.ages[0])
    present &= (random.random(count) >= site.healthy)[first][:, None]
    present[:, _CHRONIC] = present[first][:, _CHRONIC]
    severity = random.beta(1.2, 1.7, (count, len(TABLE)))
    drift = random.normal(0.0, 0.06, severity.shape)
    severity[:, _CHRONIC] = np.clip(severity[first] + drift, 0, 1)[:, _CHRONIC]
    present = _without_conflicts(present)
    return Visits(patient, age, female, present, severity, _folds(patient, present, random))


def _patients(count: int, returning: float, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Patient of each recording, ascending; a share of the recordings is a repeated visit."""
    again = random.random(count) < returning
    again[0] = False
    return np.cumsum(~again) - 1


def _ages(site: Site, count: int, random: np.random.Generator) -> Doubles:
    mean, spread, youngest, oldest = site.ages
    ages = random.normal(mean, spread, count)
    outside = (ages < youngest) | (ages > oldest)
    ages[outside] = random.uniform(max(youngest, mean - spread), min(oldest, mean + spread), outside.sum())
    return np.asarray(ages, dtype=np.float64)


def _chances(odds: Doubles, age: Doubles, mean_age: float) -> Doubles:
    """Probability ``[recordings, conditions]`` of being present."""
    shifted = odds * np.exp(_AGEING * ((age - mean_age) / 10)[:, None])
    return np.asarray(shifted / (1 + shifted), dtype=np.float64)


def _without_conflicts(drawn: Bools) -> Bools:
    """Keep the earlier condition of the table where two exclude each other."""
    present = drawn.copy()
    for column in range(1, len(TABLE)):
        rivals = np.flatnonzero(_CONFLICT[:column, column])
        present[:, column] &= ~present[:, rivals].any(axis=1)
    return present


def _calibrated_odds(site: Site) -> Doubles:
    """Odds at the mean age with which the conditions reach the site's prevalence after conflicts."""
    random = np.random.default_rng(20210923)  # a pilot that is the same for every seed
    wanted = np.array([site.prevalence.get(condition.id, 0.0) for condition in TABLE])
    age = _ages(site, _PILOT, random)
    uniform = random.random((_PILOT, len(TABLE)))
    uniform[random.random(_PILOT) < site.healthy] = 1.0
    odds: Doubles = wanted / (1 - wanted)
    for _ in range(8):
        found = _without_conflicts(uniform < _chances(odds, age, site.ages[0])).mean(axis=0)
        odds = odds * np.clip((wanted + 1e-4) / (found + 1e-4), 0.5, 2.0)
        odds = np.minimum(odds, 20.0)
    return odds


def _folds(
    patient: npt.NDArray[np.int64], present: Bools, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Deal the patients to ten folds, those with the rarest condition first."""
    rank = np.append(np.argsort(np.argsort(present.sum(axis=0))), len(TABLE))
    rarest = np.where(present, rank[:-1], len(TABLE)).min(axis=1)
    patients = patient[-1] + 1
    of_patient = np.full(patients, len(TABLE))
    np.minimum.at(of_patient, patient, rarest)
    order = np.lexsort((random.random(patients), of_patient))
    fold = np.empty(patients, np.int64)
    fold[order] = (np.arange(patients) + random.integers(10)) % 10 + 1
    return np.asarray(fold[patient], dtype=np.int64)
