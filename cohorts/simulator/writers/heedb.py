"""HEEDB: a folder a hospital, tables beside the recordings, codes in place of acronyms.

The numbers of the codes are made up; the release's dictionary gives its own.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.recordings import Simulated
from cohorts.simulator.wordings import TWELVE_SL
from cohorts.simulator.writers.wfdb import MAT_OFFSET, SignalFile, write_record

_MGH = "I0001"
_ACRONYMS = sorted({token for ways in TWELVE_SL.values() for way in ways for token in way.split()} | {"AB"})
_CODE = {acronym: str(101 + 7 * number) for number, acronym in enumerate(_ACRONYMS)}


def write(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write one hospital's part; the folder's name says whose."""
    mgh = folder.name == _MGH
    sex = "SexDSC" if mgh else "Sex"
    people, readings, later = [], [], []
    for recording in recordings:
        name = _write_signal(folder / "WFDB", recording, mgh=mgh)
        file = f"/{name}" if mgh else f"WFDB/{name}"
        codes = [_CODE[token] for token in _tokens(recording)]
        days = round(recording.age * 365.25)
        gender = "Female" if recording.female else "Male"
        people.append([1_000_003 + recording.patient, file, recording.number, days, gender])
        readings.append([file, codes, codes, 1.0])
        later.append([f".{file}.hea\n" if mgh else f"{file}.hea\n", codes])
    labels = folder / "12SL_diagnoses"
    (folder / "metadata").mkdir()
    labels.mkdir()
    about = ("BDSPPatientID", "FileName", "FileID", "AgeAtAcquisition", sex)
    _write_table(folder / "metadata" / "metadata.csv", about, people)
    columns = ("FileName", "codes_software", "codes_physician", "jaccard_index")
    _write_table(labels / "diagnoses_acquisition.csv", columns, readings)
    _write_table(labels / "diagnoses_v24.csv", ("FileName", "codes"), later)
    dictionary = [[code, acronym, ""] for acronym, code in _CODE.items()]
    _write_table(labels / "diagnoses_dictionary.csv", ("codes", "acronym", "diagnoses"), dictionary)


def _tokens(recording: Simulated) -> list[str]:
    """The line of the programme: rhythm, findings, conclusion."""
    line = " ".join(recording.statements.values()).split()
    return line if "NML" in line else [*line, "AB"]


def _write_signal(folder: Path, recording: Simulated, *, mgh: bool) -> str:
    """Write a recording and say where it lies, without ending."""
    year, month = 2000 + recording.number % 20, 1 + recording.number % 12
    group = f"S{recording.number % 3:04d}/{year}/{month:02d}" if mgh else f"{year}"
    stem = f"MUSE_{year}{month:02d}01_{recording.number:06d}"
    (folder / group).mkdir(parents=True, exist_ok=True)
    file = SignalFile(
        f"{stem}.mat" if mgh else f"{stem}.dat",
        recording.counts(200.0),
        STANDARD_LEADS,
        gain="200.0(0)/mV",
        format=f"16+{MAT_OFFSET}" if mgh else "16",
    )
    write_record(folder / group, stem, recording.rate, [file])
    return f"{group}/{stem}"


def _write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)
