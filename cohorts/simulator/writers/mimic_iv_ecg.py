"""MIMIC-IV-ECG: a folder a study, leads in the order aVR aVF aVL, missing samples, the cart's report.

What the cart could not measure is written as 29999, 32767 or 65535. Report lines may be separated by
empty ones.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from cohorts.recording import MISSING, STANDARD_LEADS
from cohorts.simulator.recordings import RHYTHMS, Simulated
from cohorts.simulator.writers.wfdb import SignalFile, write_record

LEADS = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")

_REPORTS = 18
_WARNING = "--- Warning: Data quality may affect interpretation ---"
_MEASUREMENTS = [f"report_{number}" for number in range(_REPORTS)]
_MEASUREMENTS += [
    "bandwidth",
    "filtering",
    "rr_interval",
    "p_onset",
    "p_end",
    "qrs_onset",
    "qrs_end",
    "t_end",
]
_MEASUREMENTS += ["p_axis", "qrs_axis", "t_axis"]
_NO_TIME, _NO_AXIS = 29999, 32767


def write(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write the release."""
    with (
        (folder / "record_list.csv").open("w", encoding="utf-8", newline="") as list_file,
        (folder / "machine_measurements.csv").open("w", encoding="utf-8", newline="") as measured_file,
    ):
        listed, measured = (csv.writer(file, lineterminator="\n") for file in (list_file, measured_file))
        listed.writerow(["subject_id", "study_id", "file_name", "ecg_time", "path"])
        measured.writerow(["subject_id", "study_id", "cart_id", "ecg_time", *_MEASUREMENTS])
        for recording in recordings:
            subject, study, path = identity(recording)
            days = float(recording.random.uniform(0, 365 * 100))
            when = datetime(2100, 1, 1) + timedelta(minutes=round(days * 1440))
            _write_signal(folder / path, recording, subject, when)
            listed.writerow([subject, study, study, when, path])
            cart = 6_000_000 + int(recording.random.integers(0, 900_000))
            measured.writerow([subject, study, cart, when, *_measurements(recording)])


def identity(recording: Simulated) -> tuple[int, int, str]:
    """Number the patient and the study; say where the recording lies."""
    subject = 10_000_032 + 4_871 * recording.patient
    study = 40_000_017 + 3_331 * recording.number
    return subject, study, f"files/p{subject // 10_000}/p{subject}/s{study}/{study}"


def _write_signal(path: Path, recording: Simulated, subject: int, when: datetime) -> None:
    path.parent.mkdir(parents=True)
    order = [STANDARD_LEADS.index(lead) for lead in LEADS]
    counts = recording.counts(200.0)[order]
    random = recording.random
    if random.random() < 0.03:
        lead, start = random.integers(0, 12), random.integers(0, counts.shape[1] - 400)
        counts[lead, start : start + random.integers(20, 400)] = MISSING
    file = SignalFile(f"{path.name}.dat", counts, LEADS, gain="200.0(0)/mV")
    moment = when.strftime("%H:%M:%S %d/%m/%Y")
    write_record(
        path.parent, path.name, recording.rate, [file], [f"#<subject_id>: {subject}"], record_line=moment
    )


def _measurements(recording: Simulated) -> list[object]:
    """Report lines, filters, intervals in ms and axes in degrees."""
    heart, random = recording.heart, recording.random
    waves = not heart.fibrillation and not heart.flutter and heart.rhythm.kind == "sinus"
    onset = 40
    qrs = onset + round(1000 * heart.pr) if waves else 200
    end = qrs + round(1000 * heart.qrs.duration)
    times = [onset, onset + round(1000 * heart.p.duration)] if waves else [_NO_TIME, _NO_TIME]
    times += [qrs, end, qrs + round(1000 * heart.qt)]
    one, two = heart.leads[:2] @ heart.t
    p_axis = round(float(random.normal(52, 14))) if waves else _NO_AXIS
    t_axis = round(float(np.degrees(np.arctan2(two - one / 2, one))))
    rr = round(60_000 / heart.rhythm.ventricular_rate)
    lines = report_lines(recording)
    return [
        *(lines + [""] * _REPORTS)[:_REPORTS],
        "0.005-150 Hz",
        "60 Hz notch Baseline filter",
        rr,
        *times,
        p_axis,
        round(heart.frontal_axis()),
        t_axis,
    ]


def report_lines(recording: Simulated) -> list[str]:
    """Report as the cart prints it: rhythm, findings, an empty line, the conclusion."""
    random = recording.random
    rhythm: list[str] = []
    findings: list[str] = []
    for condition, words in recording.statements.items():
        if condition in RHYTHMS:
            rhythm += words.split("|")
        elif condition != "NORM":
            findings += words.split("|")
    ectopy = [words for words in findings if words in ("PAC(s)", "PVC(s)")]
    if rhythm and ectopy:  # "Sinus rhythm with PAC(s)"
        rhythm[-1] += " with " + " and ".join(ectopy)
        findings = [words for words in findings if words not in ectopy]
    if findings and random.random() < 0.08:
        findings.append("Cannot rule out anterior infarct - age undetermined")
    conclusion = (
        "Normal ECG" if "NORM" in recording.stated else str(random.choice(["Abnormal ECG", "Borderline ECG"]))
    )
    warning = [_WARNING] if recording.noise.muscle > 0.025 else []
    return [*warning, *rhythm, *findings, "", conclusion]
