"""CODE-15 % and CODE-test: many recordings in one HDF5 array, zero-padded, six classes.

The table of CODE-15 % is not in the order of the arrays, and every part ends with a row of zeros whose
``exam_id`` is 0. CODE-test has no ids at all: row i of every table is tracing i, and its limb leads
come in another order (aVL, aVF, aVR).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.drawing import twelve_leads
from cohorts.simulator.recordings import Simulated

CODE_TEST_LEADS = ("I", "II", "III", "aVL", "aVF", "aVR", "V1", "V2", "V3", "V4", "V5", "V6")

_SAMPLES = 4096
_PARTS = 3
_STEP = 512  # steps per mV: a power of two, so that the arrays compress well
_CODE_15_CLASSES = ("1dAVb", "RBBB", "LBBB", "SB", "ST", "AF")
_CODE_TEST_CLASSES = ("1dAVb", "RBBB", "LBBB", "SB", "AF", "ST")

# Reader: chance that a finding is missed, that one is invented.
_READERS = {
    "cardiologist1": (0.06, 0.004),
    "cardiologist2": (0.07, 0.004),
    "cardiology_residents": (0.09, 0.006),
    "emergency_residents": (0.15, 0.009),
    "medical_students": (0.16, 0.010),
    "dnn": (0.05, 0.003),
}


def padded(signal: npt.NDArray[np.float32], leads: Sequence[str]) -> npt.NDArray[np.float32]:
    """Tracing ``[4096, 12]`` in mV with as many zeros before it as after it."""
    order = [STANDARD_LEADS.index(lead) for lead in leads]
    quantised = np.rint(twelve_leads(signal)[order].T * _STEP) / _STEP
    tracing = np.zeros((_SAMPLES, 12), np.float32)
    start = (_SAMPLES - len(quantised)) // 2
    tracing[start : start + len(quantised)] = quantised
    return tracing


def write_code_15(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write CODE-15 %."""
    found = list(recordings)
    random = found[0].random
    exam_ids = 1_000_000 + random.permutation(len(found) * 9)[: len(found)]
    parts = np.array_split(np.arange(len(found)), _PARTS)
    rows: list[list[object]] = []
    for number, part in enumerate(parts):
        name = f"exams_part{number}.hdf5"
        with h5py.File(folder / name, "w") as store:
            tracings = _tracings(store, len(part) + 1, "f4")
            store.create_dataset("exam_id", data=np.append(exam_ids[part], 0))
            for row, position in enumerate(part):
                tracing = padded(found[position].signal, STANDARD_LEADS)
                if random.random() < 0.004:
                    tracing[:, random.integers(6, 12)] = 0.0  # an electrode that was never attached
                tracings[row] = tracing
        rows += [_exam(found[position], int(exam_ids[position]), name) for position in part]
    header = ["exam_id", "age", "is_male", "nn_predicted_age", "1dAVb", "RBBB", "LBBB", "SB", "ST", "AF"]
    header += ["patient_id", "death", "timey", "normal_ecg", "trace_file"]
    with (folder / "exams.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows[position] for position in random.permutation(len(rows)))


def _tracings(store: h5py.File, rows: int, dtype: str) -> h5py.Dataset:
    return store.create_dataset(
        "tracings",
        (rows, _SAMPLES, 12),
        dtype,
        chunks=(1, _SAMPLES, 12),
        compression="gzip",
        compression_opts=1,
        shuffle=True,
    )


def _exam(recording: Simulated, exam_id: int, trace_file: str) -> list[object]:
    """One row of exams.csv; follow-up is known for two thirds of the exams."""
    random = recording.random
    followed = random.random() < 0.67
    return [
        exam_id,
        int(recording.age),
        not recording.female,
        round(float(np.clip(recording.age + random.normal(0, 9), 16, 99)), 4),
        *(name in recording.statements.values() for name in _CODE_15_CLASSES),
        7_000 + 13 * recording.patient,
        bool(random.random() < 0.036) if followed else "",
        round(float(random.uniform(0.1, 6.5)), 4) if followed else "",
        "NORM" in recording.stated and not recording.statements,
        trace_file,
    ]


def write_code_test(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write CODE-test."""
    found = list(recordings)
    with h5py.File(folder / "ecg_tracings.hdf5", "w") as store:
        tracings = _tracings(store, len(found), "f8")
        for row, recording in enumerate(found):
            tracings[row] = padded(recording.signal, CODE_TEST_LEADS)
    _write_table(
        folder / "attributes.csv",
        ["age", "sex"],
        [[int(recording.age), "F" if recording.female else "M"] for recording in found],
    )
    annotations = folder / "annotations"
    annotations.mkdir()
    gold = np.array(
        [[name in recording.statements.values() for name in _CODE_TEST_CLASSES] for recording in found]
    )
    _write_table(annotations / "gold_standard.csv", list(_CODE_TEST_CLASSES), gold.astype(int).tolist())
    random = found[0].random
    for reader, (missed, invented) in _READERS.items():
        chance = random.random(gold.shape)
        read = np.where(gold, chance >= missed, chance < invented).astype(int).tolist()
        if reader == "dnn":  # as released: a nameless column of row numbers, in this file only
            numbered = [[row, *marks] for row, marks in enumerate(read)]
            _write_table(annotations / "dnn.csv", ["", *_CODE_TEST_CLASSES], numbered)
        else:
            _write_table(annotations / f"{reader}.csv", list(_CODE_TEST_CLASSES), read)


def _write_table(path: Path, header: list[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)
