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

_FIRST_DAY = date(2019, 8, 1)


def write(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write the release."""
    records = folder / "records"
    records.mkdir(parents=True)
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


def aha_code(statements: Iterable[str]) -> str:
    """Join statements by number, "normal" only where it stands alone: ``60+310;147``."""
    codes = list(dict.fromkeys(code for statement in statements for code in statement.split()))
    abnormal = [code for code in codes if code != "1"]
    return ";".join(sorted(abnormal or ["1"], key=lambda code: int(code.split("+")[0])))
