"""A hospital of 30 records of PTB-XL, from its table to a leaderboard: nothing changes on the way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.cli import app
from cohorts.catalogue import forget, open_cohort
from cohorts.errors import UsageError
from cohorts.labelled import LabelledIndex
from cohorts.preparing import prepare
from tests.cohorts.own_hospital import ID, known, write_array_description

RECORDS = 30
CONCEPTS = {"AF": "af", "LBBB": "lbbb", "NSR": "nsr"}
DESCRIPTION = """\
[cohort]
id = "my-hospital"
name = "My hospital"
index = "ecgs.csv"
record_id = "ecg_id"
patient_id = "patient"
age = "age"
sex = { column = "sex", female = "W", male = "M" }
"""
LABELS = '\n[labels]\ncolumns = { AF = "af", LBBB = "lbbb", NSR = "nsr" }\n'


def call(*arguments: str | Path) -> int:
    given = [str(argument) for argument in arguments]
    code = app(given, exit_on_error=False, print_error=False, result_action="return_value")
    assert isinstance(code, int)
    return code


@pytest.fixture
def release(shared):
    return LabelledIndex(open_cohort("ptb-xl", shared / "data"))


@pytest.fixture
def chosen(release):
    """Records with and without fibrillation."""
    positive = release.labels["AF"] == 1
    rows = [*release.index.index[positive][:12], *release.index.index[~positive][:: len(positive) // 30]]
    return sorted(rows[:RECORDS])


@pytest.fixture
def hospital(shared, release, chosen, tmp_path):
    """The records and their table; descriptions are written by the tests."""
    folder = tmp_path / "hospital"
    (folder / "ecg").mkdir(parents=True)
    index = release.index.loc[chosen]
    for path in index["path"]:
        for suffix in (".hea", ".dat"):
            file = (shared / "data/ptb-xl" / path).with_suffix(suffix)
            shutil.copyfile(file, folder / "ecg" / file.name)
    labels = release.labels.loc[chosen]
    rows = pd.DataFrame(
        {
            "ecg_id": index["record_id"],
            "patient": index["patient_id"] + ".0",
            "age": index["age"].astype(str),
            "sex": index["sex"].map({"female": "W", "male": "M"}),
            "file": index["path"].str.split("/").str[-1],
            **{column: labels[concept].map({1: "1", 0: "0", -1: ""}) for concept, column in CONCEPTS.items()},
        }
    )
    rows.to_csv(folder / "ecgs.csv", index=False, sep=";", encoding="utf-8-sig")
    return folder


def described(folder: Path, text: str) -> Path:
    file = folder / "cohort.toml"
    file.write_text(DESCRIPTION + text + LABELS)
    return file


def signals(file: Path, cache: Path) -> tuple[dict[str, np.ndarray], pd.DataFrame, pd.DataFrame]:
    """Signal by record, index and labels of the prepared cohort."""
    with known(file) as cohort, prepare(cohort, cache) as store:
        assert store.quarantine.empty
        ids = store.index["record_id"]
        found = {record: store.recording(at).signal for at, record in enumerate(ids)}
        return found, store.index, store.labels.set_axis(ids)


def test_the_same_records_as_files_and_as_arrays(shared, release, chosen, hospital, tmp_path):
    native, index, labels = signals(described(hospital, 'signals = "ecg/{file}"\n'), tmp_path / "cache")
    theirs = release.index.loc[chosen].set_index("record_id").loc[index["record_id"]]
    assert index["patient_id"].tolist() == theirs["patient_id"].tolist()
    np.testing.assert_array_equal(index["age"], theirs["age"])
    assert index["sex"].tolist() == theirs["sex"].tolist()
    expected = release.labels.set_axis(release.index["record_id"]).loc[labels.index, list(CONCEPTS)]
    pd.testing.assert_frame_equal(labels[list(CONCEPTS)], expected, check_names=False)
    with prepare(open_cohort("ptb-xl", shared / "data"), tmp_path / "cache") as store:
        for at, record in enumerate(store.index["record_id"]):
            if record in native:
                np.testing.assert_array_equal(native[record], store.recording(at).signal)

    # One array in microvolts, samples before leads, in the order of the table.
    order = pd.read_csv(hospital / "ecgs.csv", sep=";", dtype=str, encoding="utf-8-sig")["ecg_id"]
    whole = np.stack([native[record] for record in order])
    np.save(hospital / "ecgs.npy", np.rint(whole * 1000).astype(np.int16).transpose(0, 2, 1))
    array = write_array_description(["records", "samples", "leads"], "uV")
    text = 'signals = "ecgs.npy"\nformat = "npy"\n' + array
    found, _, their_labels = signals(described(hospital, text), tmp_path / "npy")
    pd.testing.assert_frame_equal(their_labels, labels)
    for record, signal in native.items():
        np.testing.assert_array_equal(found[record], signal)

    # HDF5 in float32 millivolts, leads first, each record in a file.
    import h5py

    for record, signal in native.items():
        with h5py.File(hospital / f"{record}.h5", "w") as file:
            file["ecg"] = signal * np.float32(1e-3)
    array = write_array_description(["leads", "samples"], "V", dataset="ecg")
    text = 'signals = "{ecg_id}.h5"\nformat = "hdf5"\n' + array
    found, _, their_labels = signals(described(hospital, text), tmp_path / "hdf5")
    pd.testing.assert_frame_equal(their_labels, labels)
    for record, signal in native.items():
        np.testing.assert_allclose(found[record], signal, atol=1e-6)


def test_from_a_table_to_a_leaderboard(shared, hospital, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEADBOARD_CACHE", str(tmp_path / "cache"))
    described(hospital, 'signals = "ecg/{file}"\n')
    (tmp_path / "leadboard.toml").write_text(
        f'data = "{shared / "data"}"\n[cohorts]\nmy-hospital = "hospital/cohort.toml"\n'
    )
    try:
        assert call("prepare", ID) == 0
        assert f"{ID}: {RECORDS} records, " in capsys.readouterr().out
        models = ("--model", "prevalence", "--model", "age-sex")
        assert call("run", "--cohort", ID, *models, "--resamples", "50", "--out", "run") == 0
        for model in ("prevalence", "age-sex"):
            record = json.loads((tmp_path / f"run/{model}/as-is/{ID}.json").read_text())
            assert record["cohort"]["private"] is True
            assert record["relation"] == "internal", "its recordings are PTB-XL's, whatever it is called"
            assert record["records"]["scored"] == RECORDS
            assert set(record["evaluation"]["concepts"]) == set(CONCEPTS)
        rows = pd.read_csv(hospital / "ecgs.csv", sep=";", dtype=str, encoding="utf-8-sig")
        scores = pd.DataFrame({"record_id": rows["ecg_id"], "AF": np.linspace(0, 1, RECORDS)})
        scores.to_csv("scores.csv", index=False)
        joins = ("--cohort", ID, "--name", "mine", "--resamples", "50", "--out", "run")
        assert call("score", "scores.csv", *joins) == 0
        assert call("report", "run") == 0
        page = (tmp_path / "run/leaderboard.html").read_text()
        assert "My hospital" in page
        assert "mine" in page
        capsys.readouterr()
        assert call("verify", "run") == 0
        assert " 0 differ" in capsys.readouterr().out
        assert call("cohorts", "--json") == 0
        listed = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
        assert (listed[ID]["access"], listed[ID]["records"], listed[ID]["found"]) == (
            "private",
            RECORDS,
            True,
        )
    finally:
        forget(ID)


def test_a_name_in_the_configuration_must_be_the_id(hospital, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    described(hospital, 'signals = "ecg/{file}"\n')
    (tmp_path / "leadboard.toml").write_text('[cohorts]\nother = "hospital/cohort.toml"\n')
    with pytest.raises(UsageError, match=r"calls the cohort of .* 'other', but its id is 'my-hospital'"):
        call("cohorts")
