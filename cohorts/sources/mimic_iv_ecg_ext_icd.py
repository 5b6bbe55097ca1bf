"""MIMIC-IV-ECG-Ext-ICD: diagnoses of the stays in which MIMIC-IV-ECG's recordings were made."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

from cohorts.cohort import OLDEST, Cohort, CohortCard, Folds, IndexRow, Unreadable, parse_age
from cohorts.errors import UsageError
from cohorts.formats.csv_rows import csv_rows
from cohorts.formats.wfdb_files import read_record
from cohorts.recording import DigitalRecording
from cohorts.release import Release
from cohorts.sources.mimic_iv_ecg import MimicIvEcg

_TABLE = "records_w_diag_icd10.csv"
_DIAGNOSES = "all_diag_all"
_LIST = re.compile(r"\[('[A-Z0-9]+'(, '[A-Z0-9]+')*)?\]")
_FOLDS = {str(fold): fold for fold in range(20)} | {f"{fold}.0": fold for fold in range(20)}
_OLDEST_TOLD = 90.0

_CODES = """
    E85 I05 I06 I07 I08 I09 I11 I13 I20 I21 I210 I211 I22 I220 I221 I23 I24 I25 I252 I255 I27 I30 I31
    I311 I313 I314 I32 I33 I34 I342 I35 I350 I351 I352 I36 I37 I38 I39 I40 I41 I42 I421 I422 I43 I440
    I441 I442 I443 I444 I445 I446 I447 I450 I4510 I4519 I452 I453 I454 I455 I456 I458 I4581 I459 I46
    I470 I471 I472 I479 I48 I480 I481 I482 I483 I484 I4891 I4892 I490 I491 I492 I493 I494 I495 I498 I499
    I50 I503 I5081 I51 I517 I5181 Q20 Q21 Q22 Q222 Q225 Q23 Q230 Q231 Q233 Q24 Q240 Q246 R000 R001 R002
    R008 R009 R9431 Z95 Z950 Z95810
"""
CODES = frozenset(_CODES.split())
"""Codes of the heart that the vocabulary tells apart, in ICD-10-CM without the dot."""

AMYLOID_HEART = "E85 with I43"
"""Amyloidosis and "cardiomyopathy in diseases classified elsewhere" in one stay: amyloidosis of the heart."""


class MimicIvEcgExtIcd(Cohort):
    """Discharge diagnoses of hospital and emergency department, for recordings of MIMIC-IV-ECG.

    It holds no recordings: MIMIC-IV-ECG lies beside it, or this table in MIMIC-IV-ECG's folder. A diagnosis
    belongs to the stay, not to the recording. A statement is the longest of `CODES` that a diagnosis begins
    with; diagnoses of anything but the heart are left out, so a record may have no statement. 332,030 records
    have no diagnosis at all, because they were made outside a stay; nothing is known of them. The folds are
    ``strat_fold``, which version 1.0.1 corrected; the paper used ``fold``. Ages above 89 are hidden.
    """

    card = CohortCard(
        id="mimic-iv-ecg-ext-icd",
        name="MIMIC-IV-ECG-Ext-ICD",
        version="1.0.1",
        licence="PhysioNet Credentialed Health Data License 1.5.0",
        access="credentialed",
        url="https://physionet.org/content/mimic-iv-ecg-ext-icd-labels/1.0.1/",
        citation="Strodthoff et al., Prospects for artificial intelligence-enhanced electrocardiogram as a "
        "unified screening tool for cardiac and non-cardiac conditions, European Heart Journal - Digital "
        "Health, 2024, doi:10.1093/ehjdh/ztae039",
        vocabulary="icd10",
        folder="mimic-iv-ecg-ext-icd-labels",
        records=800_035,
        sampling_rates=(500.0,),
        country="United States",
        folds=Folds(training=tuple(range(18)), validation=(18,), test=(19,)),
        copy_of="mimic-iv-ecg",
    )
    release = Release(
        size=323_000_000,  # diagnoses only; the recordings are those of MIMIC-IV-ECG
        agreement="the PhysioNet Credentialed Health Data Use Agreement 1.5.0",
    )
    declared_gain = MimicIvEcg.declared_gain

    @classmethod
    def found(cls, root: Path) -> bool:
        """Whether the table of diagnoses is there."""
        return (Path(root) / _TABLE).is_file()

    @property
    def _recordings(self) -> Path:
        """Folder of MIMIC-IV-ECG."""
        beside = self.root.parent / MimicIvEcg.card.folder
        for folder in (self.root, beside):
            if (folder / "files").is_dir():
                return folder
        raise UsageError(
            f"{self.root} holds diagnoses only, and the recordings of MIMIC-IV-ECG are not in {beside}; put "
            "them there."
        )

    def source_paths(self) -> tuple[Path, ...]:
        """Name the table and MIMIC-IV-ECG's recordings."""
        return (self.root / _TABLE, self._recordings / "files")

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        columns = ("file_name", "study_id", "subject_id", _DIAGNOSES, "gender", "age", "strat_fold")
        for line, row in csv_rows(self.root / _TABLE, columns):
            study, diagnoses = row["study_id"].strip(), row[_DIAGNOSES].strip()
            _, found, path = row["file_name"].strip().partition("files/")
            fold = _FOLDS.get(row["strat_fold"].strip())
            if not study:
                yield Unreadable(f"line-{line}", f"The row at line {line} of {_TABLE} has no study_id.")
            elif not found or fold is None or not _LIST.fullmatch(diagnoses):
                yield Unreadable(study, f"file_name, strat_fold or {_DIAGNOSES} cannot be read in {_TABLE}.")
            elif diagnoses == "[]":
                yield Unreadable(study, "No diagnosis of a stay is linked to this record.")
            else:
                yield IndexRow(
                    record_id=study,
                    path=f"files/{path}.hea",
                    statements=_statements(diagnoses),
                    patient_id=row["subject_id"],
                    age=_age(row["age"]),
                    sex=row["gender"],
                    fold=fold,
                )

    def _read_signal(self, path: Path) -> DigitalRecording:
        return read_record(self._recordings / path.relative_to(self.root))


def _age(text: str) -> float:
    """Give the age, at most the highest that is told; one that nobody has stays what it is."""
    age = parse_age(text)
    return min(age, _OLDEST_TOLD) if age <= OLDEST else age


def _statements(diagnoses: str) -> tuple[str, ...]:
    """Codes of the heart among the diagnoses, written as a list of Python."""
    found = {_code(diagnosis) for diagnosis in re.findall(r"[A-Z0-9]+", diagnoses)} - {""}
    return (*sorted(found), *((AMYLOID_HEART,) if {"E85", "I43"} <= found else ()))


@functools.cache
def _code(diagnosis: str) -> str:
    """Longest of `CODES` that a diagnosis begins with, or nothing."""
    return max((code for code in CODES if diagnosis.startswith(code)), key=len, default="")
