"""MIMIC-IV-ECG-Ext-ICD: a table of the diagnoses of the stays, for the recordings of MIMIC-IV-ECG.

The diagnoses are those that the findings of a recording suggest, and a few of other organs. Every recording
has a stay, unlike in the release.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from cohorts.simulator.recordings import Simulated
from cohorts.simulator.wordings import ICD10
from cohorts.simulator.writers.mimic_iv_ecg import identity

_PREFIX = "mimic-iv-ecg-diagnostic-electrocardiogram-matched-subset-1.0"
_STAYS = ("ed_stay_id", "ed_hadm_id", "hosp_hadm_id")
_LISTS = ("ed_diag_ed", "ed_diag_hosp", "hosp_diag_hosp", "all_diag_hosp", "all_diag_all")
_PLACES = ("ecg_no_within_stay", "ecg_taken_in_ed", "ecg_taken_in_hosp", "ecg_taken_in_ed_or_hosp")
_COLUMNS = (
    *("file_name", "study_id", "subject_id", "ecg_time", *_STAYS, *_LISTS),
    *("gender", "age", "anchor_age", "anchor_year", "dod", *_PLACES, "fold", "strat_fold"),
)
_OTHERS = ("I10", "E785", "E119", "N179", "J449", "Z87891")
_ANCHOR = 2150


def write(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write the release."""
    with (folder / "records_w_diag_icd10.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, _COLUMNS, restval="", lineterminator="\n")
        table.writeheader()
        for recording in recordings:
            subject, study, path = identity(recording)
            diagnoses = _diagnoses(recording)
            emergency = bool(recording.random.random() < 0.5)
            admitted = not emergency or bool(recording.random.random() < 0.6)
            table.writerow(
                {
                    "file_name": f"{_PREFIX}/{path}",
                    "study_id": study,
                    "subject_id": subject,
                    "ecg_time": f"{_ANCHOR}-01-01 08:00:00",
                    "ed_stay_id": f"{30_000_000 + recording.number}.0" if emergency else "",
                    "ed_hadm_id": f"{20_000_000 + recording.number}.0" if emergency and admitted else "",
                    "hosp_hadm_id": "" if emergency else f"{20_000_000 + recording.number}.0",
                    "ed_diag_ed": diagnoses[:1] if emergency else [],
                    "ed_diag_hosp": diagnoses if emergency and admitted else [],
                    "hosp_diag_hosp": [] if emergency else diagnoses,
                    "all_diag_hosp": diagnoses if admitted else [],
                    "all_diag_all": diagnoses if admitted else diagnoses[:1],
                    "gender": "F" if recording.female else "M",
                    "age": f"{recording.age:.1f}",
                    "anchor_age": round(recording.age),
                    "anchor_year": _ANCHOR,
                    "ecg_no_within_stay": 0,
                    "ecg_taken_in_ed": emergency,
                    "ecg_taken_in_hosp": not emergency,
                    "ecg_taken_in_ed_or_hosp": True,
                    "fold": recording.patient * 7 % 20,
                    "strat_fold": recording.patient * 13 % 20,
                }
            )


def _diagnoses(recording: Simulated) -> list[str]:
    """One of the ways in which each finding is coded, and diseases of other organs."""
    random = recording.random
    ways = [ICD10[finding] for finding in recording.stated if finding in ICD10]
    codes = " ".join(str(random.choice(way)) for way in ways).split()
    return sorted({*codes, *map(str, random.choice(_OTHERS, random.integers(1, 4), replace=False))})
