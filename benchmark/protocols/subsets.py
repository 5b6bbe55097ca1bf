"""Who gives labels: the folds of a source cohort, and nested subsets of their patients."""

from __future__ import annotations

import hashlib
import math

from cohorts.store import Rows, Store, rows_of

LEAST_PATIENTS = 2


def labelled(store: Store, part: str, percent: int, seed: int) -> Rows:
    """Positions of the records of a share of a fold's patients, two patients at least.

    Patients are put in an order that depends on the seed and on their own id only, and the first
    ``percent`` of them are taken: 1 % lies within 10 %, which lies within 100 %, and a patient is taken
    with all of his or her records. A record without a patient id is a patient of its own.

    Parameters
    ----------
    part
        As for `rows_of`.
    percent
        1 to 100.
    seed
        Another seed is another order.
    """
    rows = rows_of(store, part)
    if percent == 100 or not len(rows):
        return rows
    patients = owners(store, rows)
    ordered = sorted(set(patients), key=lambda patient: _place(patient, seed))
    taken = set(ordered[: max(LEAST_PATIENTS, math.ceil(len(ordered) * percent / 100))])
    return rows[[patient in taken for patient in patients]]


def owners(store: Store, rows: Rows) -> list[str]:
    """Name the patient of each record, or the record itself where the patient is not known."""
    index = store.index.iloc[rows]
    known = index["patient_id"].notna()
    patients = ("patient " + index["patient_id"].astype("str")).where(known, "record " + index["record_id"])
    return [str(patient) for patient in patients]


def share(patient: str, what: str) -> float:
    """Give a number in [0, 1) that depends on the patient and on ``what`` it is for."""
    return _place(patient, what) / 2**64


def _place(patient: str, seed: int | str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\0{patient}".encode()).digest()[:8], "big")
