"""SPH: 25,770 recordings of 10 to 56 s of 24,666 patients from Shandong Provincial Hospital."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from cohorts.cohort import Cohort, CohortCard, IndexRow, Unreadable, parse_age
from cohorts.errors import RecordError
from cohorts.formats.array_files import reading
from cohorts.formats.csv_rows import csv_rows
from cohorts.formats.wfdb_header import MAX_VALUES
from cohorts.recording import STANDARD_LEADS, DigitalRecording, Recording
from cohorts.release import Release, Unpack

_TABLE = "metadata.csv"
_COLUMNS = ("ECG_ID", "AHA_Code", "Patient_ID", "Age", "Sex")


class Sph(Cohort):
    """AHA/ACC/HRS statements with modifiers: ``60+310;147`` is statement 60 modified by 310, and 147.

    Each recording is an HDF5 file with an array ``ecg``, float16 ``[12, samples]`` in mV, leads in the
    standard order. What a modifier does to a statement is in the vocabulary.
    """

    card = CohortCard(
        id="sph",
        name="SPH",
        version="1",
        licence="CC-BY-4.0",
        url="https://doi.org/10.6084/m9.figshare.c.5779802.v1",
        citation="Liu et al., A large-scale multi-label 12-lead electrocardiogram database with standardized "
        "diagnostic statements, Scientific Data 9:272, 2022, doi:10.1038/s41597-022-01403-5",
        vocabulary="aha",
        folder="sph",
        records=25_770,
        sampling_rates=(500.0,),
        country="China",
    )
    # The archive of signals is 2,281,799,680 bytes, a plain tar in spite of its name.
    release = Release(
        size=2_290_000_000,
        unpack=(Unpack(name="records.tar*", into="records", strip="records/"),),
    )

    @classmethod
    def found(cls, root: Path) -> bool:
        """Whether the table of the release is there."""
        return (Path(root) / _TABLE).is_file()

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        for line, row in csv_rows(self.root / _TABLE, _COLUMNS):
            record_id = row["ECG_ID"].strip()
            codes = tuple(filter(None, "".join(row["AHA_Code"].split()).split(";")))
            if not record_id:
                yield Unreadable(f"line-{line}", f"The row at line {line} of {_TABLE} has no ECG_ID.")
            elif not codes:
                yield Unreadable(record_id, f"{_TABLE} has no AHA_Code for this record.")
            else:
                yield IndexRow(
                    record_id=record_id,
                    path=f"records/{record_id}.h5",
                    statements=codes,
                    patient_id=row["Patient_ID"].strip() or None,
                    age=parse_age(row["Age"]),
                    sex=row["Sex"],
                )

    def _read_signal(self, path: Path) -> DigitalRecording:
        if not path.is_file():  # the same words for all of them: a list of reasons has one line for it
            raise RecordError("Its signal file is not there.")
        with reading(path), h5py.File(path, "r", locking=False) as file:
            ecg = file.get("ecg")
            if not isinstance(ecg, h5py.Dataset) or ecg.dtype.kind != "f" or ecg.ndim != 2:
                raise RecordError(f"{path.name} holds no array 'ecg' [leads, samples].")
            if len(ecg) != len(STANDARD_LEADS) or not 0 < ecg.size <= MAX_VALUES:
                raise RecordError(f"The array 'ecg' of {path.name} is {ecg.shape}, not [12, samples].")
            signal = ecg[:].astype(np.float32)
        return DigitalRecording.from_recording(Recording(signal, 500.0, STANDARD_LEADS))
