"""Simulated releases, read back with independent readers and with this project's adapters."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import wfdb
from scipy.io import loadmat

from cohorts.catalogue import all_cohorts, open_cohort
from cohorts.cohort import MARKER
from cohorts.formats.wfdb_files import read_record
from cohorts.ontology.ontology import load_ontology
from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.simulate import RELEASES, simulate
from cohorts.simulator.sites import SITES
from cohorts.simulator.statements import AHA
from cohorts.simulator.writers.code import CODE_TEST_LEADS
from cohorts.simulator.writers.mimic_iv_ecg import LEADS as MIMIC_LEADS
from cohorts.simulator.writers.mimic_iv_ecg import report_lines
from cohorts.simulator.writers.ptb_xl import LOW_RATE_RECORDS
from cohorts.simulator.writers.zzu_pecg import aha_token

SCALE = 0.15
LONG = {"ptb", "ptbdb", "incart", "incartdb"}  # few but long: at their least size already


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    simulate(root, seed=4, sites=list(RELEASES), scale=SCALE)
    return root


def headers(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.hea"))


def table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def with_wfdb(header: Path) -> Any:
    return wfdb.rdrecord(str(header.with_suffix("")), physical=False)


def test_every_release_is_marked(data: Path) -> None:
    for release in RELEASES.values():
        text = (data / release.folder / MARKER).read_text()
        assert "Synthetic" in text
        assert "seed: 4" in text


def test_headers_and_checksums_are_right_everywhere(data: Path) -> None:
    found = headers(data)
    assert len(found) > 300
    for header in found:
        read_record(header)  # verifies sizes and checksums


@pytest.mark.parametrize("release", ["ptb-xl", "chapman-shaoxing", "ptb", "ludb", "mimic-iv-ecg", "ptbdb"])
def test_wfdb_reads_the_same(release: str, data: Path) -> None:
    for header in headers(data / RELEASES[release].folder)[:6]:
        if header.read_text().splitlines()[0].split()[0].endswith(".mat"):
            continue
        theirs, ours = wfdb.rdrecord(str(header.with_suffix(""))), read_record(header)
        np.testing.assert_allclose(theirs.p_signal.T, ours.to_recording().signal, atol=2e-6)
        assert tuple(theirs.sig_name) == ours.leads


def test_ptb_xl(data: Path) -> None:
    rows = pd.read_csv(data / "ptb-xl" / "ptbxl_database.csv")
    assert len(rows) == round(SITES["ptb-xl"].records * SCALE)
    assert rows.shape[1] == 28
    assert rows["ecg_id"].is_unique
    assert rows["patient_id"].nunique() < len(rows)
    assert rows.groupby("patient_id")["strat_fold"].nunique().max() == 1
    assert rows.loc[rows["strat_fold"] > 8, "validated_by_human"].all()
    assert set(rows["sex"]) == {0, 1}
    statements = pd.read_csv(data / "ptb-xl" / "scp_statements.csv", index_col=0)
    for cell in rows["scp_codes"]:
        codes = ast.literal_eval(cell)
        assert codes
        assert set(codes) <= set(statements.index)
        assert all(not codes[c] or statements.loc[c, "diagnostic"] == 1 for c in codes)
    assert statements["diagnostic_class"].dropna().isin(["NORM", "MI", "STTC", "CD", "HYP"]).all()
    first = with_wfdb(data / "ptb-xl" / f"{rows['filename_hr'][0]}.hea")
    assert (first.fs, first.sig_len, first.fmt[0]) == (500, 5000, "16")
    slow = with_wfdb(data / "ptb-xl" / f"{rows['filename_lr'][0]}.hea")
    assert (slow.fs, slow.sig_len) == (100, 1000)
    lows = len(headers(data / "ptb-xl" / "records100"))
    assert lows == min(LOW_RATE_RECORDS, len(rows))


def test_challenge_tree(data: Path) -> None:
    tree = data / "challenge-2021" / "training"
    for database in ("cpsc_2018", "georgia", "chapman_shaoxing", "ningbo", "ptb", "st_petersburg_incart"):
        for header in headers(tree / database)[:5]:
            lines = header.read_text().splitlines()
            matrix = loadmat(header.with_suffix(".mat"))["val"]
            ours = read_record(header)
            assert matrix.dtype == np.int16
            assert (matrix == ours.counts).all()
            assert ours.leads == STANDARD_LEADS
            assert "+24" in lines[1]
            keys = [line.lstrip("# ").split(":")[0] for line in lines if line.startswith("#")]
            assert keys[:5] == ["Age", "Sex", "Dx", "Rx", "Hx"]
    assert headers(tree / "georgia")[0].read_text().split()[0].endswith(".mat")
    lengths = {read_record(h).counts.shape[1] for h in headers(tree / "cpsc_2018")}
    assert len(lengths) > 3
    assert {read_record(h).sampling_rate for h in headers(tree / "ptb")} == {1000.0}
    assert {read_record(h).sampling_rate for h in headers(tree / "st_petersburg_incart")} == {257.0}
    assert {p.parent.name for p in headers(tree / "ptb-xl")} == {"g1", "g2"}


def codes(header: Path) -> list[str]:
    line = next(x for x in header.read_text().splitlines() if x.lstrip("# ").startswith("Dx"))
    return line.split(":")[1].strip().split(",")


def test_sites_code_in_their_own_way(data: Path) -> None:
    tree = data / "challenge-2021" / "training"
    every = {name.name: [codes(h) for h in headers(name)] for name in tree.iterdir()}
    flat = {name: {code for record in records for code in record} for name, records in every.items()}
    assert "164889003" not in flat["ningbo"]  # fibrillation is coded as flutter there
    assert "164890007" in flat["ningbo"]
    nine = {"426783006", "164889003", "270492004", "164909002", "59118001", "284470004", "63593006"}
    assert flat["cpsc_2018"] <= nine | {"164884008", "429622005", "164931005"}
    assert all("426783006" not in record or set(record) == {"426783006"} for record in every["cpsc_2018"])
    assert all("426783006" not in record or set(record) == {"426783006"} for record in every["georgia"])
    known = load_ontology().vocabularies["snomed"]["code"]
    assert set().union(*flat.values()) - set(known) <= {"698252002"} | set(known)


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


def test_ludb(data: Path) -> None:
    with (data / "ludb" / "ludb.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["Sex"].endswith("\n") and row["Age"].endswith("\n") for row in rows)
    assert any("\n" in row["Hypertrophies"] for row in rows)
    record = wfdb.rdrecord(str(data / "ludb" / "data" / rows[0]["ID"]))
    assert record.sig_name[:4] == ["i", "ii", "iii", "avr"]
    assert len(set(record.adc_gain)) == 12
    assert record.comments[2] == "<diagnoses>:"
    limb = record.p_signal[:, :6].T
    np.testing.assert_allclose(limb[2], limb[1] - limb[0], atol=0.005)


def test_mimic_iv_ecg(data: Path) -> None:
    folder = data / "mimic-iv-ecg"
    listed, measured = table(folder / "record_list.csv"), table(folder / "machine_measurements.csv")
    assert list(listed["study_id"]) == list(measured["study_id"])
    assert measured.shape[1] == 33
    record = read_record(folder / f"{listed['path'][0]}.hea")
    assert record.leads == MIMIC_LEADS
    signal = record.to_recording().signal
    at = MIMIC_LEADS.index
    np.testing.assert_allclose(signal[at("aVF")], signal[1] - signal[0] / 2, atol=0.006)
    np.testing.assert_allclose(signal[at("aVL")], signal[0] - signal[1] / 2, atol=0.006)
    fibrillating = measured["report_0"].str.contains("Atrial fibrillation")
    assert (measured.loc[fibrillating, "p_onset"] == "29999").all()
    sinus = measured["report_0"].str.startswith("Sinus")
    assert (measured.loc[sinus, "p_onset"] == "40").all()
    assert callable(report_lines)


def test_missing_samples_are_missing(tmp_path: Path) -> None:
    simulate(tmp_path, seed=0, sites=["mimic-iv-ecg"], scale=1.0)
    gaps = [np.isnan(read_record(h).to_recording().signal).any() for h in headers(tmp_path)]
    assert 0 < np.mean(gaps) < 0.1


def test_ptbdb_holds_the_recordings_of_the_tree(data: Path) -> None:
    native, tree = headers(data / "ptbdb"), headers(data / RELEASES["ptb"].folder)
    assert len(native) == len(tree)
    record = read_record(native[0])
    assert record.leads[12:] == ("vx", "vy", "vz")
    assert native[0].read_bytes().count(b"\r\n") == 1 + 15 + 48
    by_number = sorted(native, key=lambda header: header.stem)
    for one, other in zip(by_number, tree, strict=True):
        ours, theirs = (read_record(h).to_recording().signal[:12] for h in (one, other))
        np.testing.assert_allclose(ours, theirs, atol=0.0016)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # wfdb with the newest pandas
def test_incartdb(data: Path) -> None:
    native, tree = headers(data / "incartdb"), headers(data / RELEASES["incart"].folder)
    annotated = wfdb.rdann(str(native[0].with_suffix("")), "atr")
    assert set(annotated.symbol) <= {"N", "V"}
    assert 1000 < len(annotated.sample) < 5000
    assert annotated.sample[0] > 0
    assert annotated.sample[-1] < 462_600
    comments = [line for line in native[0].read_text().splitlines() if line.startswith("#")]
    assert len(comments) == 3
    assert comments[1].startswith("# patient ")
    for one, other in zip(native, tree, strict=True):
        ours, theirs = (read_record(h).to_recording().signal for h in (one, other))
        np.testing.assert_allclose(ours, theirs, atol=0.006)


def test_ecg_arrhythmia_holds_both_hospitals(data: Path) -> None:
    native = {h.stem: h for h in headers(data / "ecg-arrhythmia")}
    tree = [h for name in ("chapman-shaoxing", "ningbo") for h in headers(data / RELEASES[name].folder)]
    assert set(native) == {h.stem for h in tree}
    for header in tree:
        assert native[header.stem].with_suffix(".mat").read_bytes() == header.with_suffix(".mat").read_bytes()
        assert codes(native[header.stem]) == codes(header)
    assert (data / "ecg-arrhythmia" / "ConditionNames_SNOMED-CT.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    names = (data / "ecg-arrhythmia" / "RECORDS").read_text().split()
    assert all((data / "ecg-arrhythmia" / f"{name}.mat").is_file() for name in names)


def test_challenge_copy_of_ptb_xl_has_the_same_samples(data: Path) -> None:
    for number in (1, 2, 50):
        ours = read_record(data / "ptb-xl" / "records500" / "00000" / f"{number:05d}_hr.hea")
        theirs = read_record(
            next((data / "challenge-2021" / "training" / "ptb-xl").rglob(f"HR{number:05d}.hea"))
        )
        assert (ours.counts == theirs.counts).all()


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


def test_zzu_pecg(data: Path) -> None:
    folder = data / "zzu-pecg"
    rows = table(folder / "AttributesDictionary.csv")
    assert {"9", "12"} == set(rows["Lead"])
    assert rows["Age"].str.fullmatch(r"\d+d").all()
    known = table(folder / "ECGCode.csv")
    for row in rows.itertuples():
        record = read_record(folder / "Child_ecg" / f"{row.Filename}.hea")
        assert str(len(record.leads)) == row.Lead
        assert ("V2" in record.leads) == (row.Lead == "12")
        assert str(record.counts.shape[1]) == row.Sampling_point
        assert row.pSQI.count("Null") == 12 - int(row.Lead)
    tokens = {t.strip("'").split("+")[0] for cell in rows["AHA_code"] for t in cell.split(";")}
    named = set(known["AHA(Category&Code)"]) | set(known["Description"])
    assert tokens <= named
    assert aha_token("145+362") == "L145+Modifier362"
    assert aha_token("21") == "C21"


@pytest.mark.parametrize("cohort_id", sorted(set(all_cohorts()) & set(RELEASES)))
def test_adapters_read_every_record(cohort_id: str, data: Path) -> None:
    cohort = open_cohort(cohort_id, data)
    assert cohort is not None
    index = cohort.index()
    count = sum(max(2, round(SITES[s].records * SCALE)) for s in RELEASES[cohort_id].sites)
    assert len(index) == count
    assert cohort.unreadable.empty
    if cohort_id != "mimic-iv-ecg":  # ships neither age nor sex
        assert index["age"].notna().mean() > 0.8
        assert index["sex"].notna().mean() > 0.8
    for record_id in index["record_id"][:4]:
        assert cohort.read(record_id).counts.shape[0] >= 9


def test_default_suite_fits_on_small_disks(data: Path) -> None:
    total = 0.0
    for release in RELEASES.values():
        if release.default:
            files = [path for path in (data / release.folder).rglob("*") if path.is_file()]
            total += sum(path.stat().st_size for path in files if "records100" not in path.parts) / SCALE
    assert total < 290e6
