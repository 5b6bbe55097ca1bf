"""ZZU-pECG: children, twelve or nine leads, a floating gain and a baseline for every lead.

Every string of the table is packed: ages are ``572d``, sexes ``'Female'``, findings
``'C21';'L145+Modifier362'``, with prose where a vocabulary has no code. The nine-lead records lack
V2, V4 and V6. The Chinese codes are placeholders: the simulated ``ECGCode.csv`` says what they mean.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.drawing import twelve_leads
from cohorts.simulator.recordings import Simulated
from cohorts.simulator.statements import AHA, aha_category
from cohorts.simulator.writers.wfdb import SignalFile, write_record

NINE_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V3", "V5")

_DESCRIPTIONS = {
    "NORM": "Normal ECG",
    "STach": "Sinus tachycardia",
    "SB": "Sinus bradycardia",
    "SA": "Sinus arrhythmia",
    "SVT": "Junctional tachycardia",
    "IAVB": "Prolonged PR interval",
    "RBBB": "Right bundle-branch block",
    "IRBBB": "Incomplete right bundle-branch block",
    "WPW": "Ventricular preexcitation",
    "LAnFB": "Left anterior fascicular block",
    "RVH": "Right ventricular hypertrophy",
    "LVH": "Left ventricular hypertrophy",
    "PAC": "Atrial premature complex(es)",
    "PVC": "Ventricular premature complex(es)",
    "STD": "ST deviation",
    "NSSTTA": "ST deviation with T-wave change",
    "TAb": "T-wave abnormality",
    "LQT": "Prolonged QT interval",
    "RAD": "Right-axis deviation",
    "ERe": "Early repolarization",
    "LQRSV": "Low voltage",
    "LAE": "Left atrial enlargement",
}
_PROSE = {"Left ventricular high voltage": "J106", "Abnormal Q wave": "K112"}
_DISEASES = (
    ("Congenital \nheart disease", "Ventricular septal defect", "Q21.0"),
    ("Congenital \nheart disease", "Atrial septal defect", "(OSD) Q21.1"),
    ("Myocarditis", "Acute myocarditis", "(F) I40.0"),
    ("Cardiomyopathy", "Dilated cardiomyopathy", "I42.0"),
    ("Kawasaki disease", "Kawasaki disease", "M30.3"),
)
_COLUMNS = "Filename,ECG_ID,Patient_ID,Age,Gender,Acquisition_date,Sampling_point,Lead,AHA_code,CHN_code,"
_COLUMNS += "ICD-10 code,pSQI,basSQI,bSQI"


def aha_token(code: str) -> str:
    """Write ``145+362`` as ``L145+Modifier362``; prose stays prose."""
    number, _, modifier = code.partition("+")
    if not number.isdecimal():
        return code
    return f"{aha_category(int(number))}{number}{f'+Modifier{modifier}' if modifier else ''}"


def write(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write the release."""
    _write_dictionaries(folder)
    visits: dict[int, int] = {}
    with (folder / "AttributesDictionary.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(_COLUMNS.split(","))
        for recording in recordings:
            visits[recording.patient] = visits.get(recording.patient, 0) + 1
            patient = f"P{recording.patient + 1:05d}"
            name = f"{patient}_E{visits[recording.patient]:02d}"
            table.writerow(_write_one(folder, recording, patient, name))


def _write_one(folder: Path, recording: Simulated, patient: str, name: str) -> list[object]:
    """Write one record and give its row."""
    random = recording.random
    sick = random.random() < 0.26
    leads = NINE_LEADS if random.random() < (0.25 if sick else 0.09) else STANDARD_LEADS
    path = Path(patient[:3], patient, name)
    home = folder / "Child_ecg" / path.parent
    home.mkdir(parents=True, exist_ok=True)
    millivolts = twelve_leads(recording.signal)[[STANDARD_LEADS.index(lead) for lead in leads]]
    low, high = millivolts.min(axis=1), millivolts.max(axis=1)
    gains = 64000.0 / np.maximum(high - low, 0.05).astype(np.float64)
    baselines = np.rint(-(low + high) / 2 * gains).astype(int)
    counts = np.clip(np.rint(millivolts * gains[:, None] + baselines[:, None]), -32767, 32767)
    fields = [f"{gain!r}({baseline})/mV" for gain, baseline in zip(gains.tolist(), baselines, strict=True)]
    names = [lead.upper() for lead in leads]
    file = SignalFile(f"{name}.dat", counts.astype(np.int16), names, gain=fields, resolution=0)
    write_record(home, name, recording.rate, [file])
    codes: list[str] = []
    for statement in recording.statements.values():
        codes += [statement] if statement in _PROSE else statement.split()
    abnormal = [code for code in codes if code != "1"] or ["1"]
    when = datetime(2018, 1, 1) + timedelta(seconds=int(random.integers(0, 2300 * 86400)))
    disease = _DISEASES[int(random.integers(len(_DISEASES)))][2]
    return [
        path.as_posix(),
        name,
        patient,
        f"{max(1, round(recording.age * 365.25))}d",
        "'Female'" if recording.female else "'Male'",
        when,
        counts.shape[1],
        len(leads),
        ";".join(f"'{aha_token(code)}'" for code in abnormal),
        ";".join(f"'{_chinese(code)}'" for code in abnormal),
        f"'{disease}'" if sick else "'J18.0'",
        *(_quality(leads, level, recording) for level in (0.4, 0.97, 0.99)),
    ]


def _chinese(code: str) -> str:
    """Give the placeholder for a Chinese code."""
    number, _, modifier = code.partition("+")
    plain = _PROSE.get(code) or f"{aha_token(number)[0]}{int(number) % 97}"
    words = {
        "308": "Occasional",
        "310": "Frequent",
        "362": "Depression",
        "363": "Elevation",
        "367": "Inversion",
    }
    return plain + (f"+{words.get(modifier, 'Other')}" if modifier else "")


def _quality(leads: tuple[str, ...], level: float, recording: Simulated) -> str:
    """Quality indices by lead, Null where there is no lead."""
    values = np.clip(recording.random.normal(level, 0.03, 12), 0, 1)
    pairs = zip(STANDARD_LEADS, values, strict=True)
    return ";".join(f"'{lead}':{value:.3f}" if lead in leads else f"'{lead}':Null" for lead, value in pairs)


def _write_dictionaries(folder: Path) -> None:
    """Write what the codes mean."""
    with (folder / "ECGCode.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["Description", "AHA(Category&Code)", "CHN(Category&Code)"])
        for condition, description in _DESCRIPTIONS.items():
            code = AHA[condition][0].split("+")[0]
            table.writerow([description, aha_token(code), _chinese(code)])
        table.writerows([description, "N/A", chinese] for description, chinese in _PROSE.items())
    with (folder / "DiseaseCode.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["Disease Type", "Disease Category", "ICD-10 Code", "ICD-10 Description"])
        table.writerows([kind, category, code, category] for kind, category, code in _DISEASES)
        table.writerow(["Other diseases(OD)", "Other", "See attribute dictionary file", "Other"])
