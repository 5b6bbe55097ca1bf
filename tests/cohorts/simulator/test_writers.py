"""Simulated releases, read back with independent readers and with this project's adapters."""

from __future__ import annotations

import ast
import csv
from pathlib import Path

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
from cohorts.simulator.writers.mimic_iv_ecg import LEADS as MIMIC_LEADS
from cohorts.simulator.writers.mimic_iv_ecg import report_lines
from cohorts.simulator.writers.ptb_xl import LOW_RATE_RECORDS
from cohorts.simulator.writers.zzu_pecg import aha_token
from tests.cohorts.simulator.reading import SCALE, headers, table, with_wfdb


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


def test_brugada_huca(data: Path) -> None:
    folder = data / "brugada-huca"
    rows = table(folder / "metadata.csv")
    assert set(rows["brugada"]) <= {"0", "1", "2"}
    names = (folder / "RECORDS").read_text().split()
    assert len(names) == len(set(names)) + 1 == len(rows) + 1
    record = with_wfdb(folder / f"{names[0]}.hea")
    assert (record.fs, record.sig_len, tuple(record.sig_name)) == (100, 1200, STANDARD_LEADS)


@pytest.mark.parametrize(("hospital", "ending", "rate"), [("I0001", "mat", 500), ("I0006", "dat", 250)])
def test_heedb(hospital: str, ending: str, rate: float, data: Path) -> None:
    folder = data / "heedb" / "ECG" / hospital
    rows = table(folder / "metadata" / "metadata.csv")
    known = table(folder / "12SL_diagnoses" / "diagnoses_dictionary.csv").set_index("codes")["acronym"]
    readings = table(folder / "12SL_diagnoses" / "diagnoses_acquisition.csv")
    assert list(readings["FileName"]) == list(rows["FileName"])
    for name, codes in zip(rows["FileName"], readings["codes_physician"], strict=True):
        header = folder / "WFDB" / f"{name.removeprefix('WFDB').removeprefix('/')}.hea"
        assert header.with_suffix(f".{ending}").is_file()
        assert wfdb.rdheader(str(header.with_suffix(""))).fs == rate
        acronyms = {known[code] for code in ast.literal_eval(codes)}
        assert ("NML" in acronyms) != ("AB" in acronyms)


def test_mimic_iv_ecg_ext_icd(data: Path) -> None:
    rows = table(data / "mimic-iv-ecg-ext-icd-labels" / "records_w_diag_icd10.csv")
    listed = table(data / "mimic-iv-ecg" / "record_list.csv")
    assert list(rows["study_id"]) == list(listed["study_id"])
    assert [name.partition("/")[2] for name in rows["file_name"]] == list(listed["path"])
    codes = set().union(*map(ast.literal_eval, rows["all_diag_all"]))
    assert codes >= {"I10", "E785"}
    assert any(code.startswith("I4") for code in codes)
    assert set(rows["strat_fold"]) <= {str(fold) for fold in range(20)}
    assert not (data / "mimic-iv-ecg-ext-icd-labels" / "files").exists()


@pytest.mark.parametrize("cohort_id", sorted(set(all_cohorts()) & set(RELEASES)))
def test_adapters_read_every_record(cohort_id: str, data: Path) -> None:
    cohort = open_cohort(cohort_id, data)
    assert cohort is not None
    index = cohort.index()
    count = sum(max(2, round(SITES[s].records * SCALE)) for s in RELEASES[cohort_id].sites)
    assert len(index) == count
    assert cohort.unreadable.empty
    if cohort_id not in {"mimic-iv-ecg", "brugada-huca"}:  # ship neither age nor sex
        assert index["age"].notna().mean() > 0.8
        assert index["sex"].notna().mean() > 0.8
    for record_id in index["record_id"][:4]:
        assert cohort.read(record_id).counts.shape[0] >= 8


def test_default_suite_fits_on_small_disks(data: Path) -> None:
    total = 0.0
    for release in RELEASES.values():
        if release.default:
            files = [path for path in (data / release.folder).rglob("*") if path.is_file()]
            total += sum(path.stat().st_size for path in files if "records100" not in path.parts) / SCALE
    assert total < 290e6
