"""Simulated releases whose recordings lie in arrays and tables, read back with independent readers."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from cohorts.simulator.statements import AHA
from cohorts.simulator.writers.code import CODE_TEST_LEADS
from tests.cohorts.simulator.reading import table


def test_sph(data: Path) -> None:
    rows = table(data / "sph" / "metadata.csv")
    known = set(table(data / "sph" / "code.csv")["Code"])
    assert known >= {code for way in AHA.values() for text in way for code in re.split("[ +]", text)}
    for row in rows.itertuples():
        with h5py.File(data / "sph" / "records" / f"{row.ECG_ID}.h5") as store:
            assert store["ecg"].shape == (12, int(row.N))
            assert store["ecg"].dtype == np.float16
            assert 0.1 < np.abs(store["ecg"][:]).max() < 10
        statements = row.AHA_Code.split(";")
        assert statements == sorted(statements, key=lambda text: int(text.split("+")[0]))
        assert "1" not in statements or statements == ["1"]


def test_code_15(data: Path) -> None:
    exams = pd.read_csv(data / "code-15" / "exams.csv")
    assert list(exams.columns[4:10]) == ["1dAVb", "RBBB", "LBBB", "SB", "ST", "AF"]
    found: dict[int, tuple[str, np.ndarray]] = {}
    order = []
    for part in sorted((data / "code-15").glob("exams_part*.hdf5")):
        with h5py.File(part) as store:
            ids = store["exam_id"][:]
            assert ids[-1] == 0
            assert not store["tracings"][-1].any()
            assert store["tracings"].shape == (len(ids), 4096, 12)
            assert store["tracings"].dtype == np.float32
            for row, exam in enumerate(ids[:-1]):
                found[int(exam)] = (part.name, store["tracings"][row])
                order.append(int(exam))
    assert set(found) == set(exams["exam_id"])
    assert order != list(exams["exam_id"])  # the table is not in the order of the arrays
    assert all(found[row.exam_id][0] == row.trace_file for row in exams.itertuples())
    for exam in order[:20]:
        tracing = found[exam][1]
        zeros = np.flatnonzero(tracing.any(axis=1))
        assert zeros[0] in (48, 648)
        assert 4096 - 1 - zeros[-1] in (48, 648)
        np.testing.assert_allclose(tracing[:, 2], tracing[:, 1] - tracing[:, 0], atol=0.004)
        np.testing.assert_allclose(tracing[:, 3], -(tracing[:, 0] + tracing[:, 1]) / 2, atol=0.004)
    flags = exams[["1dAVb", "RBBB", "LBBB", "SB", "ST", "AF"]].any(axis=1)
    assert flags.any()
    assert not (exams["normal_ecg"] & flags).any()
    assert exams["patient_id"].nunique() < len(exams)


def test_code_test(data: Path) -> None:
    folder = data / "code-test"
    with h5py.File(folder / "ecg_tracings.hdf5") as store:
        tracings = store["tracings"][:]
    gold = pd.read_csv(folder / "annotations" / "gold_standard.csv")
    assert len(tracings) == len(gold) == len(pd.read_csv(folder / "attributes.csv"))
    one, two = tracings[:, :, 0], tracings[:, :, 1]
    at = CODE_TEST_LEADS.index
    np.testing.assert_allclose(tracings[:, :, at("aVR")], -(one + two) / 2, atol=0.004)
    np.testing.assert_allclose(tracings[:, :, at("aVL")], one - two / 2, atol=0.004)
    np.testing.assert_allclose(tracings[:, :, at("aVF")], two - one / 2, atol=0.004)
    assert at("aVL") < at("aVR")
    for reader in ("cardiologist1", "cardiologist2", "cardiology_residents", "emergency_residents"):
        read = pd.read_csv(folder / "annotations" / f"{reader}.csv")
        assert list(read.columns) == list(gold.columns)
        assert (read.to_numpy() == gold.to_numpy()).mean() > 0.95
    assert pd.read_csv(folder / "annotations" / "dnn.csv").shape[1] == 7


def test_echonext(data: Path) -> None:
    folder = data / "echonext"
    rows = pd.read_csv(folder / "echonext_metadata_100k.csv")
    for split, group in rows.groupby("split"):
        waveforms = np.load(folder / f"EchoNext_{split}_waveforms.npy")
        tabular = np.load(folder / f"EchoNext_{split}_tabular_features.npy")
        assert waveforms.shape == (len(group), 1, 2500, 12)
        assert tabular.shape == (len(group), 7)
        assert waveforms.dtype == np.float64
        if len(group) > 3:  # age is the second feature
            assert np.corrcoef(tabular[:, 1], group["age_at_ecg"])[0, 1] > 0.99
    held_out = rows[rows["split"].isin(["val", "test"])]
    assert held_out["patient_key"].is_unique
    assert not set(held_out["patient_key"]) & set(rows.loc[rows["split"] == "train", "patient_key"])
    unmeasured = rows["tr_max_velocity_value"].isna()
    assert unmeasured.any()
    assert (rows.loc[unmeasured, "tr_max_gte_32_flag"] == 0).all()
    assert (rows.loc[rows["lvef_value"].isna(), "lvef_lte_45_flag"] == 0).all()
    flags = [column for column in rows if column.endswith("_flag")]
    assert len(flags) == 12
    assert (rows[flags[:-1]].max(axis=1) == rows["shd_moderate_or_greater_flag"]).all()


def test_sami_trop(data: Path) -> None:
    rows = table(data / "sami-trop" / "exams.csv")
    with h5py.File(data / "sami-trop" / "exams.hdf5") as store:
        assert list(store) == ["tracings"]
        assert store["tracings"].shape == (len(rows), 4096, 12)
        assert store["tracings"].dtype == np.float64
    assert set(rows["normal_ecg"]) == {"True", "False"}


def test_hefei(data: Path) -> None:
    folder = data / "hefei"
    lines = (folder / "hf_round2_train.txt").read_text("utf-8").splitlines()
    known = (folder / "hf_round2_arrythmia.txt").read_text("utf-8").split()
    assert len(known) == len(set(known)) > 10
    for line in lines:
        name, age, sex, *events = line.rstrip("\t").split("\t")
        samples = pd.read_csv(folder / "hf_round2_train" / name, sep=" ")
        assert list(samples) == ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"]
        assert len(samples) == 5000
        assert age.isdecimal()
        assert sex in {"FEMALE", "MALE"}
        assert events
        assert set(events) <= set(known)
