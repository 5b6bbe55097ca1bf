"""Tiny releases that come as arrays, in native layout, written without any reader of the project."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from cohorts.recording import STANDARD_LEADS

Signal = npt.NDArray[np.float64]
Table = Sequence[Mapping[str, object]]

CODE_TEST_LEADS = ("I", "II", "III", "aVL", "aVF", "aVR", "V1", "V2", "V3", "V4", "V5", "V6")
READERS = (
    "cardiologist1",
    "cardiologist2",
    "cardiology_residents",
    "emergency_residents",
    "medical_students",
)


def ecg(seed: int, samples: int, leads: Sequence[str] = STANDARD_LEADS) -> Signal:
    """Millivolts ``[12, samples]`` whose limb leads belong together; no sample is zero in all leads."""
    walk = np.cumsum(np.random.default_rng(seed).normal(0, 0.01, (8, samples)), axis=1) + 0.05
    one, two = walk[:2]
    by_name = {"I": one, "II": two, "III": two - one, "aVR": -(one + two) / 2}
    by_name |= {"aVL": one - two / 2, "aVF": two - one / 2} | {f"V{i}": walk[i + 1] for i in range(1, 7)}
    return np.stack([by_name[lead] for lead in leads])


def padded(signal: Signal, samples: int = 4096) -> Signal:
    """Tracing ``[samples, 12]`` with the zeros of CODE before and after."""
    missing = samples - signal.shape[1]
    return np.pad(signal, ((0, 0), (missing // 2, missing - missing // 2))).T


def write_table(path: Path, rows: Table, *, bom: bool = False, end: str = "\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8-sig" if bom else "utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator=end)
        table.writeheader()
        table.writerows(rows)


def write_sph(data: Path, cohort_id: str = "sph", records: int = 6, codes: Sequence[str] = ()) -> Path:
    """SPH; the codes are given in turn."""
    codes = codes or ("1", "60+310;147", "22;23", "145+362;50+346", "1;1", "161+332;147;147")
    folder = data / "sph"
    rows = []
    for number in range(records):
        name, samples = f"A{number + 1:05d}", 5000 + 500 * (number % 3)
        (folder / "records").mkdir(parents=True, exist_ok=True)
        with h5py.File(folder / "records" / f"{name}.h5", "w") as file:
            signal = ecg(number, samples).astype(np.float16)
            file.create_dataset("ecg", data=signal, chunks=(3, samples // 4), compression="gzip")
        rows.append(
            {
                "ECG_ID": name,
                "AHA_Code": codes[number % len(codes)],
                "Patient_ID": f"S{number // 2 + 1:05d}",
                "Age": 40 + number,
                "Sex": "FM"[number % 2],
                "N": samples,
                "Date": "2020-03-04",
            }
        )
    write_table(folder / "metadata.csv", rows)
    return folder


def code_15_row(exam_id: int, part: int, *findings: str, normal: bool = False) -> dict[str, object]:
    """One row of exams.csv in the release's order of columns."""
    return {
        "exam_id": exam_id,
        "age": 30 + exam_id % 40,
        "is_male": exam_id % 2 == 0,
        "nn_predicted_age": 41.5,
        **{name: name in findings for name in ("1dAVb", "RBBB", "LBBB", "SB", "ST", "AF")},
        "patient_id": exam_id // 2,
        "death": "",
        "timey": "",
        "normal_ecg": normal,
        "trace_file": f"exams_part{part}.hdf5",
    }


def write_part(file: Path, exam_ids: Sequence[int], tracings: Sequence[Signal]) -> None:
    """One part of CODE-15 % with its row of zeros at the end."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(file, "w") as part:
        part["tracings"] = np.stack([*tracings, np.zeros_like(tracings[0])]).astype(np.float32)
        part["exam_id"] = np.array([*exam_ids, 0])


def write_code_15(data: Path, cohort_id: str = "code-15", records: int = 6) -> Path:
    """CODE-15 % in two parts, whose rows are in another order than the table."""
    folder = data / "code-15"
    findings = [(), ("AF",), ("1dAVb", "RBBB"), ("ST",), (), ("SB", "LBBB")]
    ids = [700 + 13 * number for number in range(records)]
    for part in (0, 1):
        own = ids[part::2][::-1]
        write_part(
            folder / f"exams_part{part}.hdf5", own, [padded(ecg(i, (4000, 2800, 2934)[i % 3])) for i in own]
        )
    rows = [
        code_15_row(exam_id, number % 2, *findings[number % 6], normal=number % 6 == 0)
        for number, exam_id in enumerate(ids)
    ]
    write_table(folder / "exams.csv", rows)
    return folder


def write_code_test(
    data: Path, cohort_id: str = "code-test", records: int = 6, leads: Sequence[str] = CODE_TEST_LEADS
) -> Path:
    """CODE-test: tables without ids; the network's has a nameless first column."""
    folder = data / "code-test"
    classes = ("1dAVb", "RBBB", "LBBB", "SB", "AF", "ST")
    gold = [
        {name: int(number == position or number == 5) for position, name in enumerate(classes[:5])}
        | {"ST": 0}
        for number in range(records)
    ]
    write_table(folder / "annotations" / "gold_standard.csv", gold)
    for reader in READERS:
        write_table(folder / "annotations" / f"{reader}.csv", gold[::-1])
    write_table(folder / "annotations" / "dnn.csv", [{"": n, **row} for n, row in enumerate(gold)])
    write_table(folder / "attributes.csv", [{"age": 20 + n, "sex": "FM"[n % 2]} for n in range(records)])
    tracings = [padded(ecg(number, (4000, 2800)[number % 2], leads)) for number in range(records)]
    with h5py.File(folder / "ecg_tracings.hdf5", "w") as file:
        file["tracings"] = np.stack(tracings)
    return folder


def write_sami_trop(data: Path, cohort_id: str = "sami-trop", records: int = 6) -> Path:
    """SaMi-Trop: line i of the table is row i of the array, which has no ids."""
    folder = data / "sami-trop"
    rows = [
        {
            "exam_id": 3629 + 7 * (records - number),
            "age": 40 + number,
            "is_male": number % 2 == 0,
            "normal_ecg": number % 3 == 0,
            "death": False,
            "timey": 2.1,
            "nn_predicted_age": 50.5,
        }
        for number in range(records)
    ]
    write_table(folder / "exams.csv", rows)
    with h5py.File(folder / "exams.hdf5", "w") as file:
        file["tracings"] = np.stack([padded(ecg(n, (4000, 2800)[n % 2])) for n in range(records)])
    return folder


HEFEI_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
HEFEI_LINES = (
    "100001.txt\t57\tFEMALE\t窦性心动过缓\tT波改变\t",
    "100002.txt\t\tMALE\t心房颤动\t快心室率\t",
    "100003.txt\t41\t\t电轴左偏\t左心室高电压\t",
)


def write_hefei(data: Path, cohort_id: str = "hefei", lines: Sequence[str] = HEFEI_LINES) -> Path:
    """Hefei: a list with tabs, and eight leads as text, whole numbers of 4.88 µV."""
    folder = data / "hefei"
    (folder / "hf_round2_train").mkdir(parents=True)
    for number, line in enumerate(lines):
        counts = np.rint(ecg(number, 5000, HEFEI_LEADS) / 0.00488).astype(int)
        rows = [" ".join(HEFEI_LEADS), *(" ".join(map(str, row)) for row in counts.T)]
        name = line.partition("\t")[0] or "none.txt"
        (folder / "hf_round2_train" / name).write_text("\n".join(rows) + "\n")
    (folder / "hf_round2_train.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


VALVES = (
    "aortic_stenosis",
    *(f"{valve}_regurgitation" for valve in ("aortic", "mitral", "tricuspid", "pulmonary")),
)
MEASURED: dict[str, object] = {
    "lvef_value": 60.0,
    "ivs_measurement": 1.0,
    "lvpw_measurement": 0.9,
    **{f"{valve}_value": "none" for valve in VALVES},
    "rv_systolic_function_value": "normal",
    "pericardial_effusion_value": "none",
    "pasp_value": 25.0,
    "tr_max_velocity_value": 2.1,
}
NO_FLAG: dict[str, object] = {
    "lvef_lte_45_flag": 0,
    "lvwt_gte_13_flag": 0,
    **{f"{valve}_moderate_or_greater_flag": 0 for valve in VALVES},
    "rv_systolic_dysfunction_moderate_or_greater_flag": 0,
    "pericardial_effusion_moderate_large_flag": 0,
    "pasp_gte_45_flag": 0,
    "tr_max_gte_32_flag": 0,
    "shd_moderate_or_greater_flag": 0,
}


def echonext_row(number: int, split: str, **cells: object) -> dict[str, object]:
    """One row of the table: everything measured and nothing found, unless given otherwise."""
    return {
        "": number,
        "ecg_key": 9000 + number,
        "patient_key": 100 + number // 2,
        "age_at_ecg": 50 + number,
        "sex": ("female", "male")[number % 2],
        **MEASURED,
        **NO_FLAG,
        "split": split,
    } | cells


def write_echonext(data: Path, cohort_id: str = "echonext", records: int = 6, rows: Table = ()) -> Path:
    """EchoNext: one array of z-scores for each split."""
    folder = data / "echonext"
    splits = ("train", "val", "train", "test", "no_split", "train")
    found = {"lvef_lte_45_flag": 1, "lvef_value": 30.0, "shd_moderate_or_greater_flag": 1}
    rows = rows or [
        echonext_row(number, splits[number % 6], **(found if number % 2 else {})) for number in range(records)
    ]
    write_table(folder / "echonext_metadata_100k.csv", rows)
    for split in ("train", "val", "test", "no_split"):
        own = [int(str(row["ecg_key"])) for row in rows if row["split"] == split]
        waveforms = [ecg(key, 2500).T[None] * 2 for key in own]
        array = np.stack(waveforms) if waveforms else np.zeros((0, 1, 2500, 12))
        np.save(folder / f"EchoNext_{split}_waveforms.npy", array)
    return folder


WRITERS: dict[str, Callable[..., Path]] = {
    "sph": write_sph,
    "code-15": write_code_15,
    "code-test": write_code_test,
    "echonext": write_echonext,
    "sami-trop": write_sami_trop,
    "hefei": write_hefei,
}
