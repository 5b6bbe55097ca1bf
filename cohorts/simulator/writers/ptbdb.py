"""PTB Diagnostic: twelve leads in one file, Frank's three in another, the patient's file in comments."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.recordings import Simulated
from cohorts.simulator.writers.wfdb import SignalFile, write_record

_GAIN = 2000.0

# The 47 keys of every header, in order; "laod" is the release's own spelling.
_KEYS = (
    "age",
    "sex",
    "ECG date",
    "Diagnose",
    "Reason for admission",
    "Acute infarction (localization)",
    "Former infarction (localization)",
    "Additional diagnoses",
    "Smoker",
    "Number of coronary vessels involved",
    "Infarction date (acute)",
    "Previous infarction (1) date",
    "Previous infarction (2) date",
    "Hemodynamics",
    "Catheterization date",
    "Ventriculography",
    "Chest X-ray",
    "Peripheral blood Pressure (syst/diast)",
    "Pulmonary artery pressure (at rest) (syst/diast)",
    "Pulmonary artery pressure (at rest) (mean)",
    "Pulmonary capillary wedge pressure (at rest)",
    "Cardiac output (at rest)",
    "Cardiac index (at rest)",
    "Stroke volume index (at rest)",
    "Pulmonary artery pressure (laod) (syst/diast)",
    "Pulmonary artery pressure (laod) (mean)",
    "Pulmonary capillary wedge pressure (load)",
    "Cardiac output (load)",
    "Cardiac index (load)",
    "Stroke volume index (load)",
    "Aorta (at rest) (syst/diast)",
    "Aorta (at rest) mean",
    "Left ventricular enddiastolic pressure",
    "Left coronary artery stenoses (RIVA)",
    "Left coronary artery stenoses (RCX)",
    "Right coronary artery stenoses (RCA)",
    "Echocardiography",
    "Therapy",
    "Infarction date",
    "Catheterization date",
    "Admission date",
    "Medication pre admission",
    "Start lysis therapy (hh.mm)",
    "Lytic agent",
    "Dosage (lytic agent)",
    "Additional medication",
    "In hospital medication",
    "Medication after discharge",
)
_HEADINGS = ("Diagnose", "Hemodynamics", "Therapy")

_FORMER = {"IMI": "inferior", "ASMI": "antero-septal", "AMI": "anterior", "LMI": "lateral"}
_ACUTE = {"STEI": "inferior", "STEA": "antero-septal", "STEL": "lateral"}
_REASONS = {
    "LBBB": "Bundle branch block",
    "RBBB": "Bundle branch block",
    "AF": "Dysrhythmia",
    "PVC": "Dysrhythmia",
    "LVH": "Hypertrophy",
}


def write(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write the release."""
    names = []
    for recording in recordings:
        home = folder / f"patient{recording.patient + 1:03d}"
        home.mkdir(exist_ok=True)
        name = f"s{recording.number + 10:04d}_re"
        names.append(f"{home.name}/{name}\n")
        frank = np.clip(np.rint(recording.frank() * _GAIN), -32767, 32767).astype(np.int16)
        leads = tuple(lead.lower() for lead in STANDARD_LEADS)
        files = [
            SignalFile(f"{name}.dat", recording.counts(_GAIN), leads, gain="2000"),
            SignalFile(f"{name}.xyz", frank, ("vx", "vy", "vz"), gain="2000"),
        ]
        write_record(home, name, recording.rate, files, _comments(recording), end="\r\n")
    (folder / "RECORDS").write_text("".join(names))


def _comments(recording: Simulated) -> list[str]:
    """Comment lines; what is not known is ``n/a``, what stands over a section is empty."""
    former = [wall for condition, wall in _FORMER.items() if condition in recording.stated]
    acute = [wall for condition, wall in _ACUTE.items() if condition in recording.stated]
    other = [reason for condition, reason in _REASONS.items() if condition in recording.stated]
    healthy = "NORM" in recording.stated
    reason = "Myocardial infarction" if former or acute else "Healthy control" if healthy else "n/a"
    known = {
        "age": f"{recording.age:.0f}" if recording.random.random() < 0.97 else "n/a",
        "sex": "female" if recording.female else "male",
        "ECG date": "01/10/1990",
        "Reason for admission": other[0] if other and reason == "n/a" else reason,
        "Acute infarction (localization)": acute[0] if acute else "no",
        "Former infarction (localization)": former[0] if former else "no",
        "Additional diagnoses": "no",
        "Smoker": str(recording.random.choice(["yes", "no", "unknown"])),
        "Cardiac output (at rest)": "4,34 l/min",
    }
    return [f"# {key}: {'' if key in _HEADINGS else known.get(key, 'n/a')}".rstrip() for key in _KEYS]
