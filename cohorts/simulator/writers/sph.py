"""SPH: one HDF5 file of float16 a recording, and a table with AHA/ACC/HRS statements."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import h5py
import numpy as np

from cohorts.simulator.drawing import twelve_leads
from cohorts.simulator.recordings import Simulated
from cohorts.simulator.statements import aha_category

_FIRST_DAY = date(2019, 8, 1)

_CODES = """
1 Normal ECG
21 Sinus tachycardia
22 Sinus bradycardia
23 Sinus arrhythmia
30 Atrial premature complex(es)
50 Atrial fibrillation
51 Atrial flutter
54 Junctional tachycardia
60 Ventricular premature complex(es)
82 Prolonged PR interval
83 Second-degree AV block, Mobitz type I (Wenckebach)
84 Second-degree AV block, Mobitz type II
85 2:1 AV block
86 AV block, varying conduction
88 AV block, complete (third-degree)
101 Left anterior fascicular block
102 Left posterior fascicular block
104 Left bundle-branch block
105 Incomplete right bundle-branch block
106 Right bundle-branch block
108 Ventricular preexcitation
120 Right-axis deviation
121 Left-axis deviation
125 Low voltage
140 Left atrial enlargement
142 Left ventricular hypertrophy
143 Right ventricular hypertrophy
145 ST deviation
146 ST deviation with T-wave change
147 T-wave abnormality
148 Prolonged QT interval
153 ST-T change due to ventricular hypertrophy
155 Early repolarization
160 Anterior MI
161 Inferior MI
163 Lateral MI
165 Anteroseptal MI
166 Extensive anterior MI
308 Occasional
310 Frequent
332 Old
341 In a bigeminal pattern
346 With a rapid ventricular response
362 Depression
363 Elevation
367 Inversion
"""
"""Statements (below 300) and modifiers that the simulator uses."""


def write(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write the release."""
    records = folder / "records"
    records.mkdir(parents=True)
    _write_codes(folder / "code.csv")
    with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["ECG_ID", "AHA_Code", "Patient_ID", "Age", "Sex", "N", "Date"])
        for recording in recordings:
            name = f"A{recording.number + 1:05d}"
            signal = (np.rint(twelve_leads(recording.signal) * 1250) / 1250).astype(np.float16)
            with h5py.File(records / f"{name}.h5", "w") as store:
                chunks = (3, min(1250, signal.shape[1]))
                store.create_dataset(
                    "ecg", data=signal, chunks=chunks, compression="gzip", compression_opts=4
                )
            table.writerow(
                [
                    name,
                    aha_code(recording.statements.values()),
                    f"S{recording.patient + 1:05d}",
                    int(recording.age),
                    "F" if recording.female else "M",
                    signal.shape[1],
                    _FIRST_DAY + timedelta(days=int(recording.random.integers(0, 397))),
                ]
            )


def _write_codes(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["Category", "Code", "Description"])
        for line in _CODES.strip().splitlines():
            code, description = line.split(maxsplit=1)
            table.writerow([aha_category(int(code)) if int(code) < 300 else "Modifier", code, description])


def aha_code(statements: Iterable[str]) -> str:
    """Join statements by number, "normal" only where it stands alone: ``60+310;147``."""
    codes = list(dict.fromkeys(code for statement in statements for code in statement.split()))
    abnormal = [code for code in codes if code != "1"]
    return ";".join(sorted(abnormal or ["1"], key=lambda code: int(code.split("+")[0])))
