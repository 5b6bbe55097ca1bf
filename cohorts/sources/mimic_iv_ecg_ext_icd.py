"""MIMIC-IV-ECG-Ext-ICD: diagnoses of the stays in which MIMIC-IV-ECG's recordings were made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cohorts.cohort import Cohort, CohortCard, Folds, IndexRow, Unreadable, parse_age
from cohorts.errors import UsageError
from cohorts.families import icd10
from cohorts.formats.csv_rows import csv_rows
from cohorts.formats.wfdb_files import read_record
from cohorts.index import OLDEST
from cohorts.recording import DigitalRecording
from cohorts.release import Release
from cohorts.sources.mimic_iv_ecg import MimicIvEcg

_TABLE = "records_w_diag_icd10.csv"
_DIAGNOSES = "all_diag_all"
_LIST = re.compile(r"\[('[A-Z0-9]+'(, '[A-Z0-9]+')*)?\]")
_FOLDS = {str(fold): fold for fold in range(20)} | {f"{fold}.0": fold for fold in range(20)}
_OLDEST_TOLD = 90.0


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
        vocabulary=icd10.VOCABULARY,
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
                    statements=icd10.statements(re.findall(r"[A-Z0-9]+", diagnoses)),
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
