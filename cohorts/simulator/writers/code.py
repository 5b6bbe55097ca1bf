"""CODE-15 %, CODE-test and SaMi-Trop: many recordings in one HDF5 array, zero-padded.

The table of CODE-15 % is not in the order of the arrays, and every part ends with a row of zeros whose
``exam_id`` is 0. CODE-test has no ids at all: row i of every table is tracing i, and its limb leads
come in another order (aVL, aVF, aVR). SaMi-Trop's array has no ids either, its table has.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
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
    """Write CODE-15 %, a recording at a time."""
    rows: list[list[object]] = []
    exam_ids: list[list[int]] = [[] for _ in range(_PARTS)]
    names = [f"exams_part{part}.hdf5" for part in range(_PARTS)]
    with ExitStack() as stack:
        stores = [stack.enter_context(h5py.File(folder / name, "w")) for name in names]
        tracings = [_tracings(store, "f4") for store in stores]
        for recording in recordings:
            part = recording.number % _PARTS
            tracing = padded(recording.signal, STANDARD_LEADS)
            if recording.random.random() < 0.004:
                tracing[:, recording.random.integers(6, 12)] = 0.0  # an electrode that was never attached
            _append(tracings[part], tracing)
            exam_ids[part].append(1_000_000 + 7 * recording.number)
            rows.append(_exam(recording, exam_ids[part][-1], names[part]))
        for store, found, ids in zip(stores, tracings, exam_ids, strict=True):
            _append(found, np.zeros((_SAMPLES, 12), np.float32))
            store.create_dataset("exam_id", data=np.array([*ids, 0], dtype=np.int64))
    shuffled = np.random.default_rng(len(rows)).permutation(len(rows))
    header = ["exam_id", "age", "is_male", "nn_predicted_age", *_CODE_15_CLASSES]
    header += ["patient_id", "death", "timey", "normal_ecg", "trace_file"]
    _write_table(folder / "exams.csv", header, [rows[position] for position in shuffled])


def _tracings(store: h5py.File, dtype: str) -> h5py.Dataset:
    """Make an empty array that grows."""
    return store.create_dataset(
        "tracings",
        (0, _SAMPLES, 12),
        dtype,
        maxshape=(None, _SAMPLES, 12),
        chunks=(1, _SAMPLES, 12),
        compression="gzip",
        compression_opts=1,
        shuffle=True,
    )


def _append(tracings: h5py.Dataset, tracing: npt.NDArray[np.float32]) -> None:
    tracings.resize(len(tracings) + 1, axis=0)
    tracings[-1] = tracing


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
    """Write CODE-test, a recording at a time."""
    attributes: list[list[object]] = []
    marks: dict[str, list[list[object]]] = {reader: [] for reader in ("gold_standard", *_READERS)}
    with h5py.File(folder / "ecg_tracings.hdf5", "w") as store:
        tracings = _tracings(store, "f8")
        for recording in recordings:
            _append(tracings, padded(recording.signal, CODE_TEST_LEADS))
            attributes.append([int(recording.age), "F" if recording.female else "M"])
            gold = [int(name in recording.statements.values()) for name in _CODE_TEST_CLASSES]
            marks["gold_standard"].append([*gold])
            for reader, (missed, invented) in _READERS.items():
                chances = recording.random.random(len(gold)).tolist()
                pairs = zip(gold, chances, strict=True)
                marks[reader].append([int(c >= missed if mark else c < invented) for mark, c in pairs])
    _write_table(folder / "attributes.csv", ["age", "sex"], attributes)
    (folder / "annotations").mkdir()
    for reader, rows in marks.items():
        header = list(_CODE_TEST_CLASSES)
        if reader == "dnn":  # as released: a nameless column of row numbers, in this file only
            header, rows = ["", *header], [[number, *row] for number, row in enumerate(rows)]
        _write_table(folder / "annotations" / f"{reader}.csv", header, rows)


def write_sami_trop(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write SaMi-Trop, a recording at a time; the one label is whether the ECG is normal."""
    rows: list[list[object]] = []
    with h5py.File(folder / "exams.hdf5", "w") as store:
        tracings = _tracings(store, "f8")
        for recording in recordings:
            _append(tracings, padded(recording.signal, STANDARD_LEADS))
            exam = [3_629 + 531 * recording.number, int(recording.age), not recording.female]
            followed = [recording.random.random() < 0.06, round(recording.random.uniform(0.1, 3.4), 4)]
            rows.append([*exam, "NORM" in recording.stated, *followed, round(recording.age + 3, 4)])
    columns = ["exam_id", "age", "is_male", "normal_ecg", "death", "timey", "nn_predicted_age"]
    _write_table(folder / "exams.csv", columns, rows)


def _write_table(path: Path, header: list[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)
