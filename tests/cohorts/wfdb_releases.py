"""Tiny WFDB releases in native layout, written without any reader of the project."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int16]
Cells = Mapping[str, str]

LOWER = ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6")
UPPER = tuple(lead.upper() for lead in LOWER)
MIMIC_LEADS = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")
NINE_LEADS = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V3", "V5")
REPORTS = tuple(f"report_{number}" for number in range(18))
LUDB_COLUMNS = (
    "ID",
    "Sex",
    "Age",
    "Rhythms",
    "Electric axis of the heart",
    "Conduction abnormalities",
    "Extrasystolies",
    "Hypertrophies",
    "Cardiac pacing",
    "Ischemia",
    "Non-specific repolarization abnormalities",
    "Other states",
)
ZZU_COLUMNS = ("Filename", "ECG_ID", "Patient_ID", "Age", "Gender", "Sampling_point", "Lead", "AHA_code")


def counts_of(seed: int, leads: Sequence[str], samples: int = 500) -> Counts:
    """Counts of an ECG whose limb leads belong together, in the order asked."""
    walk = np.cumsum(np.random.default_rng(seed).integers(-9, 10, (11, samples)), axis=1)
    one, two = 2 * walk[0], 2 * walk[1]
    by_name = {"I": one, "II": two, "III": two - one, "AVR": -(one + two) // 2}
    by_name |= {"AVL": one - two // 2, "AVF": two - one // 2}
    by_name |= {f"V{chest}": walk[chest + 1] for chest in range(1, 7)}
    by_name |= {axis: walk[8 + at] for at, axis in enumerate(("VX", "VY", "VZ"))}
    return np.stack([by_name[lead.upper()] for lead in leads]).astype(np.int16)


def write_record(
    header: Path,
    counts: Counts,
    leads: Sequence[str],
    rate: int,
    gains: Sequence[str],
    comments: Sequence[str] = (),
    files: Mapping[str, int] | None = None,
    end: str = "\n",
) -> Path:
    """Write one record in format 16; ``files`` gives the signals of each file by its ending."""
    header.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{header.stem} {len(counts)} {rate} {counts.shape[1]}"]
    first = 0
    for ending, signals in (files or {"dat": len(counts)}).items():
        part = slice(first, first + signals)
        first += signals
        offset = 24 if ending == "mat" else 0
        content = b"M" * offset + counts[part].T.astype("<i2").tobytes()
        (header.parent / f"{header.stem}.{ending}").write_bytes(content)
        for row, lead, gain in zip(counts[part], leads[part], gains[part], strict=True):
            form = "16+24" if offset else "16"
            total = int(row.astype(np.int64).sum()) % 65536
            lines.append(f"{header.stem}.{ending} {form} {gain} 16 0 {row[0]} {total} 0 {lead}")
    header.write_text(end.join([*lines, *comments, ""]), encoding="utf-8", newline="")
    return header


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Cells]) -> None:
    """Write a table; cells that a row lacks are empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, restval="")
        table.writeheader()
        table.writerows(rows)


LUDB_ROWS: Sequence[Cells] = (
    {"Sex": "F\n", "Age": "51\n", "Rhythms": "Sinus bradycardia", "Hypertrophies": "Left atrial overload\n"},
    {
        "Sex": "M\n",
        "Age": ">89\n",
        "Rhythms": "Atrial fibrillation",
        "Ischemia": "Scar formation: septal\nScar formation: anterior wall\n",
        "Electric axis of the heart": "Electric axis of the heart: left axis deviation",
    },
    {"Sex": "M\n", "Age": "64\n", "Rhythms": "Sinus rhythm", "Other states": "Early repolarization syndrome"},
)


def write_ludb(data: Path, rows: Sequence[Cells] = LUDB_ROWS) -> Path:
    """LUDB: ids from 1, lower-case leads, a gain and a baseline for every lead."""
    folder = data / "ludb"
    gains = [f"{400.5 + 10 * lead}({3 * lead})/mV" for lead in range(12)]
    for number in range(1, len(rows) + 1):
        write_record(folder / f"data/{number}.hea", counts_of(number, LOWER), LOWER, 500, gains)
    write_table(
        folder / "ludb.csv",
        LUDB_COLUMNS,
        [{"ID": f"{number}\n", **row} for number, row in enumerate(rows, start=1)],
    )
    return folder


MIMIC_REPORTS: Sequence[Sequence[str]] = (
    ("Sinus rhythm with PAC(s)", "Left axis deviation", "", "Abnormal ECG"),
    ("Sinus bradycardia", "Normal ECG"),
    ("Atrial fibrillation with rapid ventricular response", "Possible inferior infarct - age undetermined"),
)


def write_mimic(data: Path, reports: Sequence[Sequence[str]] = MIMIC_REPORTS) -> Path:
    """MIMIC-IV-ECG: two studies a patient, aVF before aVL, empty lines between those of a report."""
    folder = data / "mimic-iv-ecg"
    records, measurements = [], []
    for number, lines in enumerate(reports):
        subject, study = str(10000032 + number // 2), str(40000017 + number)
        path = f"files/p{subject[:4]}/p{subject}/s{study}/{study}"
        counts = counts_of(number, MIMIC_LEADS)
        write_record(folder / f"{path}.hea", counts, MIMIC_LEADS, 500, ["200.0(0)/mV"] * 12)
        key = {"subject_id": subject, "study_id": study}
        records.append({**key, "file_name": study, "ecg_time": "2180-07-23 08:44:00", "path": path})
        measurements.append({**key, "cart_id": "6848296", **dict(zip(REPORTS, lines, strict=False))})
    write_table(
        folder / "record_list.csv", ("subject_id", "study_id", "file_name", "ecg_time", "path"), records
    )
    columns = ("subject_id", "study_id", "cart_id", *REPORTS, "bandwidth")
    write_table(folder / "machine_measurements.csv", columns, measurements)
    return folder


ICD_ROWS = (
    ("['I10', 'I4891', 'Z950']", "F", "57.0", "0"),
    ("['E785', 'I10']", "M", "57.4", "17"),
    ("['E854', 'I43', 'I5022']", "M", "95.0", "18"),
    ("['R9431']", "missing", "", "19"),
)
ICD_COLUMNS = (
    *("file_name", "study_id", "subject_id", "ecg_time", "ed_stay_id", "ed_hadm_id", "hosp_hadm_id"),
    *("ed_diag_ed", "ed_diag_hosp", "hosp_diag_hosp", "all_diag_hosp", "all_diag_all", "gender", "age"),
    *("anchor_age", "anchor_year", "dod", "ecg_no_within_stay", "ecg_taken_in_ed", "ecg_taken_in_hosp"),
    *("ecg_taken_in_ed_or_hosp", "fold", "strat_fold"),
)


def write_icd(data: Path, rows: Sequence[Sequence[str]] = ICD_ROWS) -> Path:
    """MIMIC-IV-ECG-Ext-ICD: a table of diagnoses, beside the recordings of MIMIC-IV-ECG."""
    write_mimic(data, [("Sinus rhythm", "Normal ECG")] * len(rows))
    folder, cells = data / "mimic-iv-ecg-ext-icd-labels", []
    with (data / "mimic-iv-ecg" / "record_list.csv").open(encoding="utf-8") as file:
        for record, (codes, gender, age, fold) in zip(csv.DictReader(file), rows, strict=True):
            name = f"mimic-iv-ecg-diagnostic-electrocardiogram-matched-subset-1.0/{record['path']}"
            own = {"file_name": name, "gender": gender, "age": age, "fold": "3", "strat_fold": fold}
            ids = {key: record[key] for key in ("study_id", "subject_id")}
            cells.append({**ids, **own, "all_diag_hosp": "[]", "all_diag_all": codes})
    write_table(folder / "records_w_diag_icd10.csv", ICD_COLUMNS, cells)
    return folder


HEEDB_DICTIONARY = {
    **{"22": "SRTH", "21": "SBRAD", "161": "AFIB", "1699": "AB", "1684": "NML", "700": "IMI", "826": "AU"},
    **{"330": "CRO", "801": "$SOR", "231": "PVC", "232": "ABER", "1665": "COMMA", "440": "RBBB"},
}
"""Numbers are made up, acronyms are not."""
HEEDB_CODES = ("[22, 1684]", "[161, 231, 801, 232, 1699]", "[21, 330, 700, 1665, 826, 1699]", "[22, 440]")


def write_heedb(data: Path, hospital: str, codes: Sequence[str] = HEEDB_CODES) -> Path:
    """HEEDB: one hospital's folder; file names that differ from table to table and hospital to hospital."""
    mgh = hospital == "I0001"
    folder = data / "heedb" / "ECG" / hospital
    people, readings = [], []
    for number, cell in enumerate(codes):
        name = f"S0001/2012/0{number + 1}/ecg_{number}" if mgh else f"2013/MUSE_{number}"
        counts = counts_of(number, UPPER)
        files = {"mat" if mgh else "dat": 12}
        write_record(folder / f"WFDB/{name}.hea", counts, UPPER, 500, ["200/mV"] * 12, files=files)
        file = f"/{name}" if mgh else f"WFDB/{name}"
        sex = {"SexDSC" if mgh else "Sex": ("Female", "MALE", "Unknown")[number % 3]}
        own = {"BDSPPatientID": str(1000 + number // 2), "FileName": file, **sex}
        people.append({**own, "AgeAtAcquisition": ("18262.5", "33000", "", "0")[number % 4]})
        readings.append({"FileName": f"{file}.hea\n", "codes_software": "[22]", "codes_physician": cell})
    columns = ("BDSPPatientID", "FileName", "FileID", "AgeAtAcquisition", "SexDSC" if mgh else "Sex")
    write_table(folder / "metadata/metadata.csv", columns, people)
    columns = ("FileName", "codes_software", "codes_physician", "jaccard_index")
    write_table(folder / "12SL_diagnoses/diagnoses_acquisition.csv", columns, readings)
    dictionary = [{"codes": code, "acronym": acronym} for code, acronym in HEEDB_DICTIONARY.items()]
    columns = ("codes", "acronym", "diagnoses")
    write_table(folder / "12SL_diagnoses/diagnoses_dictionary.csv", columns, dictionary)
    return folder


PTBDB_COMMENTS: Mapping[str, Sequence[str]] = {
    "patient001/s0010_re": (
        "# age: 81",
        "# sex: female",
        "# Diagnose:",
        "# Reason for admission: Myocardial infarction",
        "# Acute infarction (localization): infero-latera",
        "# Former infarction (localization): no",
    ),
    "patient001/s0014lre": ("# age: n/a", "# sex: female", "# Reason for admission: n/a"),
    "patient104/s0306lre": ("# age: 58", "# sex: male", "# Reason for admission: Healthy control"),
}


def write_ptbdb(data: Path, comments: Mapping[str, Sequence[str]] = PTBDB_COMMENTS) -> Path:
    """PTB Diagnostic: twelve leads in one file, Frank's in another, the patient's file in comments."""
    folder = data / "ptbdb"
    leads = (*LOWER, "vx", "vy", "vz")
    for number, (name, lines) in enumerate(comments.items()):
        counts = counts_of(number, leads)
        files = {"dat": 12, "xyz": 3}
        write_record(folder / f"{name}.hea", counts, leads, 1000, ["2000"] * 15, lines, files, end="\r\n")
    return folder


INCART_COMMENTS: Sequence[Sequence[str]] = (
    (
        "#<age>: 65 <sex>: F <diagnoses> Coronary artery disease, arterial hypertension",
        "# patient 1",
        "# PVCs, noise",
    ),
    ("#<age>: 65 <sex>: F", "# patient 1", "# WPW on bradycardia"),
    ("#<age>: 41 <sex>: M <diagnoses> Acute MI", "# patient 2", "# atrial fibrillation"),
)


def write_incartdb(data: Path, comments: Sequence[Sequence[str]] = INCART_COMMENTS) -> Path:
    """INCART: a gain of its own for every record, and beats: a normal one, then a ventricular one."""
    folder = data / "incartdb"
    for number, lines in enumerate(comments, start=1):
        header = folder / f"I{number:02d}.hea"
        gains = [str(250 + 56 * number)] * 12
        write_record(header, counts_of(number, UPPER), UPPER, 257, gains, lines)
        beats = [1 << 10 | 71, 5 << 10 | 180, 0]
        header.with_suffix(".atr").write_bytes(np.array(beats, "<u2").tobytes())
    return folder


def write_ecg_arrhythmia(data: Path, records: int = 3) -> Path:
    """Chapman-Shaoxing and Ningbo: sub-folders, ``.mat`` files, headers like the Challenge's."""
    folder = data / "ecg-arrhythmia"
    for number in range(1, records + 1):
        leads = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
        name = f"JS{number:05d}"
        comments = ("#Age: 85", "#Sex: Male", "#Dx: 164889003,59118001,164934002", "#Rx: Unknown")
        gains = ["1000/mV"] * 12
        header = folder / f"WFDBRecords/01/01{number % 2}/{name}.hea"
        write_record(header, counts_of(number, leads), leads, 500, gains, comments, {"mat": 12})
    return folder


ZZU_ROWS: Sequence[Cells] = (
    {"Age": "572d", "Gender": "'Female'", "AHA_code": "'C21';'L145+Modifier362'"},
    {"Age": "4383d", "Gender": "'Male'", "AHA_code": "'A1'"},
    {"Age": "1d", "Gender": "'Male'", "AHA_code": "'I105';'Abnormal Q wave'"},
)


def write_zzu(data: Path, rows: Sequence[Cells] = ZZU_ROWS, leads: Sequence[str] = UPPER) -> Path:
    """ZZU-pECG: packed strings, a gain and a baseline for every lead."""
    folder = data / "zzu-pecg"
    table = []
    for number, row in enumerate(rows, start=1):
        patient = f"P{number:05d}"
        name = f"P00/{patient}/{patient}_E01"
        gains = [f"{8000.5 + lead!r}({-40 * lead})/mV" for lead in range(len(leads))]
        write_record(folder / f"Child_ecg/{name}.hea", counts_of(number, leads), leads, 500, gains)
        table.append({"Filename": name, "ECG_ID": f"{patient}_E01", "Patient_ID": patient, **row})
    write_table(folder / "AttributesDictionary.csv", ZZU_COLUMNS, table)
    return folder


BRUGADA_ROWS: Sequence[Cells] = (
    {"patient_id": "188981", "basal_pattern": "1", "sudden_death": "0", "brugada": "1"},
    {"patient_id": "251972", "basal_pattern": "0", "sudden_death": "0", "brugada": "0"},
    {"patient_id": "302450", "basal_pattern": "0", "sudden_death": "1", "brugada": "2"},
)


def write_brugada(data: Path, rows: Sequence[Cells] = BRUGADA_ROWS) -> Path:
    """Brugada-HUCA: a folder a person; ``RECORDS`` names one twice, a stray file lies among the folders."""
    folder = data / "brugada-huca"
    leads = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    names = [f"files/{row['patient_id']}/{row['patient_id']}" for row in rows]
    for number, name in enumerate(names):
        write_record(
            folder / f"{name}.hea", counts_of(number, leads, 1200), leads, 100, ["1000.0(0)/mV"] * 12
        )
    (folder / "files/.DS_Store").write_bytes(b"Bud1")
    (folder / "RECORDS").write_text("\n".join([*names, names[0], ""]))
    write_table(folder / "metadata.csv", ("patient_id", "basal_pattern", "sudden_death", "brugada"), rows)
    return folder


_WRITERS: Mapping[str, Callable[[Path], Path]] = {
    "ludb": write_ludb,
    "heedb-emory": lambda data: write_heedb(data, "I0006"),
    "heedb-mgh": lambda data: write_heedb(data, "I0001"),
    "mimic-iv-ecg": write_mimic,
    "mimic-iv-ecg-ext-icd": write_icd,
    "ptbdb": write_ptbdb,
    "incartdb": write_incartdb,
    "ecg-arrhythmia": write_ecg_arrhythmia,
    "zzu-pecg": write_zzu,
    "brugada-huca": write_brugada,
}
WRITERS: Mapping[str, Callable[..., Path]] = {
    cohort_id: lambda data, _, write=write: write(data) for cohort_id, write in _WRITERS.items()
}
"""Called with the data root and the cohort's id, as all writers are."""
