"""CODE-test: tables and tracings that belong together line by line, and another order of leads."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import open_cohort
from cohorts.errors import RecordError, UsageError
from cohorts.families.code import CLASSES
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.recording import STANDARD_LEADS, standard_leads
from tests.cohorts.array_releases import (
    CODE_TEST_LEADS,
    READERS,
    ecg,
    padded,
    write_code_test,
    write_table,
)

CONCEPTS = {"1dAVb": "IAVB", "RBBB": "RBBB", "LBBB": "LBBB", "SB": "SB", "AF": "AF", "ST": "STach"}


def read_rows(file: Path) -> list[dict[str, object]]:
    return pd.read_csv(file, dtype="str", keep_default_na=False).to_dict("records")


def reasons(cohort) -> dict[str, str]:
    return dict(zip(cohort.unreadable["record_id"], cohort.unreadable["reason"], strict=True))


def test_leads_are_taken_by_name_and_not_by_place(tmp_path):
    """The fourth channel is aVL here and aVR in CODE-15 %."""
    write_code_test(tmp_path)
    code = open_cohort("code-test", tmp_path)
    for number, record_id in enumerate(code.index()["record_id"]):
        digital = code.read(record_id)
        assert digital.leads == CODE_TEST_LEADS
        written = ecg(number, (4000, 2800)[number % 2])
        np.testing.assert_allclose(standard_leads(digital).to_recording().signal, written, atol=1e-4)


def test_line_i_of_every_table_is_tracing_i(tmp_path):
    write_code_test(tmp_path)
    index = open_cohort("code-test", tmp_path).index()
    assert index["record_id"].tolist() == ["000", "001", "002", "003", "004", "005"]
    assert index["path"][3] == "ecg_tracings.hdf5/3"
    assert index["statements"][:3].tolist() == [("1dAVb",), ("RBBB",), ("LBBB",)]
    assert set(index["statements"][5]) == {"1dAVb", "RBBB", "LBBB", "SB", "AF"}
    assert index["age"].tolist() == [20.0, 21.0, 22.0, 23.0, 24.0, 25.0]
    assert index["sex"].tolist() == ["female", "male"] * 3
    assert index["patient_id"].isna().all()


@pytest.mark.parametrize("table", ["attributes.csv", "annotations/gold_standard.csv"])
def test_a_table_of_another_length_is_refused(tmp_path, table):
    folder = write_code_test(tmp_path)
    write_table(folder / table, read_rows(folder / table)[:-1])
    with pytest.raises(UsageError, match=r"has [56] rows and attributes.csv has [56]; .*download"):
        open_cohort("code-test", tmp_path).index()


@pytest.mark.parametrize("tracings", [5, 7])
def test_tracings_of_another_number_are_refused(tmp_path, tracings):
    folder = write_code_test(tmp_path)
    with h5py.File(folder / "ecg_tracings.hdf5", "w") as file:
        file["tracings"] = np.stack([padded(ecg(number, 4000)) for number in range(tracings)])
    with pytest.raises(UsageError, match=rf"ecg_tracings.hdf5 has {tracings} rows and attributes.csv has 6"):
        open_cohort("code-test", tmp_path).index()


def test_a_mark_that_is_none_is_quarantined(tmp_path):
    folder = write_code_test(tmp_path)
    gold = read_rows(folder / "annotations" / "gold_standard.csv")
    gold[2]["AF"] = ""
    write_table(folder / "annotations" / "gold_standard.csv", gold)
    code = open_cohort("code-test", tmp_path)
    assert reasons(code) == {"002": "annotations/gold_standard.csv has a mark that is neither 0 nor 1."}
    assert code.index()["path"][2] == "ecg_tracings.hdf5/3", "the next record keeps its own tracing"


@pytest.mark.parametrize(
    ("how", "reason"),
    [("gone", "ecg_tracings.hdf5 is not there."), ("cut", "ecg_tracings.hdf5 cannot be read")],
)
def test_tables_without_tracings_are_a_release_of_which_nothing_can_be_read(tmp_path, how, reason):
    file = write_code_test(tmp_path) / "ecg_tracings.hdf5"
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:3000])
    store = prepare(open_cohort("code-test", tmp_path), tmp_path / "cache")
    assert len(store) == 0
    assert len(store.quarantine) == 6
    assert store.quarantine["reason"].str.startswith(reason).all()


def test_another_order_of_leads_is_warned_of(tmp_path):
    write_code_test(tmp_path / "right")
    write_code_test(tmp_path / "wrong", leads=STANDARD_LEADS)
    assert open_cohort("code-test", tmp_path / "right").warnings() == ()
    store = prepare(open_cohort("code-test", tmp_path / "wrong"), tmp_path / "cache")
    assert store.warnings == (
        "In 6 of 6 tracings looked at, the leads that CODE-test stores as aVL, aVF, aVR follow from I and II "
        "as aVR, aVL, aVF; is it another release?",
    )


@pytest.mark.parametrize(("wrong", "warned"), [(3, False), (4, True)])
def test_another_order_of_leads_in_half_of_the_tracings_is_no_reason_to_warn(tmp_path, wrong, warned):
    with h5py.File(write_code_test(tmp_path) / "ecg_tracings.hdf5", "r+") as file:
        for number in range(wrong):
            file["tracings"][number] = padded(ecg(number, 4000))
    warnings = open_cohort("code-test", tmp_path).warnings()
    assert [warning[:33] for warning in warnings] == ["In 4 of 6 tracings looked at, the"] * warned


def test_twenty_tracings_all_over_the_release_are_looked_at(tmp_path, monkeypatch):
    write_code_test(tmp_path, records=45)
    looked_at = []
    code = open_cohort("code-test", tmp_path)
    read_path = type(code).read_path
    monkeypatch.setattr(
        type(code), "read_path", lambda self, path: looked_at.append(path) or read_path(self, path)
    )
    assert code.warnings() == ()
    assert looked_at == [f"ecg_tracings.hdf5/{row}" for row in range(0, 45, 3)]


def test_readers_are_those_of_the_tables(tmp_path):
    folder = write_code_test(tmp_path)
    code = open_cohort("code-test", tmp_path)
    readers = code.readers()
    assert readers.index.tolist() == code.index()["record_id"].tolist()
    assert list(dict.fromkeys(readers.columns.get_level_values(0))) == list(READERS)
    assert set(readers.dtypes.astype(str)) == {"bool"}
    for reader in READERS:
        written = pd.read_csv(folder / "annotations" / f"{reader}.csv").astype(bool)
        np.testing.assert_array_equal(readers[reader][list(written.columns)], written)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:-1], "medical_students.csv has 5 rows and attributes.csv has 6"),
        (lambda rows: [{**rows[0], "AF": "?"}, *rows[1:]], "has a mark that is neither 0 nor 1"),
        (lambda rows: [{"x": row["AF"]} for row in rows], "medical_students.csv has no column 1dAVb, AF"),
    ],
)
def test_readers_that_do_not_fit_are_refused(tmp_path, change, message):
    file = write_code_test(tmp_path) / "annotations" / "medical_students.csv"
    write_table(file, change(read_rows(file)))
    with pytest.raises(UsageError, match=message):
        open_cohort("code-test", tmp_path).readers()


def test_values_beyond_any_voltage_are_missing(tmp_path):
    folder = write_code_test(tmp_path)
    with h5py.File(folder / "ecg_tracings.hdf5", "r+") as file:
        file["tracings"][0, 2000, 0] = 1e300
        file["tracings"][0, 2001, 0] = -np.inf
    signal = open_cohort("code-test", tmp_path).read("000").to_recording().signal
    assert np.isnan(signal[0]).sum() == 2


# --- The real annotations ----------------------------------------------------------------------------------


def test_golden_positives_of_the_gold_standard(shared):
    index = open_cohort("code-test", shared / "data").index()
    assert len(index) == 827
    labels = load_ontology().labels("code-test", "code", index["statements"].tolist())
    positives = [
        int((labels[CONCEPTS[name]] == 1).sum()) for name in ("1dAVb", "RBBB", "LBBB", "SB", "AF", "ST")
    ]
    assert positives == [28, 34, 30, 16, 13, 37]
    assert (labels[list(CONCEPTS.values())] != -1).all(axis=None)
    assert sum(codes == () for codes in index["statements"]) == 681
    gold = pd.read_csv(shared / "data/code-test/annotations/gold_standard.csv")
    for name in CLASSES:
        assert [name in codes for codes in index["statements"]] == gold[name].astype(bool).tolist()


def test_golden_readers(shared):
    readers = open_cohort("code-test", shared / "data").readers()
    assert readers.shape == (827, 30)
    for reader in READERS:
        written = pd.read_csv(shared / f"data/code-test/annotations/{reader}.csv")
        assert readers[reader].sum().to_dict() == written.sum().to_dict()


def test_the_real_sample_without_tracings(shared, tmp_path):
    store = prepare(open_cohort("code-test", shared / "data"), tmp_path)
    assert store.quarantine["reason"].value_counts().to_dict() == {"ecg_tracings.hdf5 is not there.": 827}


def test_a_row_beyond_the_array_is_refused(tmp_path):
    write_code_test(tmp_path)
    code = open_cohort("code-test", tmp_path)
    for path in ("ecg_tracings.hdf5/6", "ecg_tracings.hdf5/-1", "ecg_tracings.hdf5/x"):
        with pytest.raises(RecordError, match="has no row"):
            code.read_path(path)
