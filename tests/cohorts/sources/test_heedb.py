"""HEEDB: two hospitals as two cohorts, names in several spellings, codes that a physician confirmed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import find_cohort, open_cohort
from cohorts.families.twelve_sl import statements
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.sources.heedb import _name
from tests.cohorts.wfdb_releases import HEEDB_CODES, write_heedb

HOSPITALS = {"heedb-mgh": "I0001", "heedb-emory": "I0006"}


def labels(*records: list[str]) -> pd.DataFrame:
    return load_ontology().labels("heedb-mgh", "12sl", records)


@pytest.mark.parametrize("cohort_id", HOSPITALS)
def test_rows_are_read_as_they_stand(tmp_path, cohort_id):
    write_heedb(tmp_path, HOSPITALS[cohort_id])
    rows = open_cohort(cohort_id, tmp_path).index()
    assert list(rows["statements"]) == [
        ("SRTH", "NML"),
        ("AFIB", "PVC+OR", "ABER+OR", "AB"),
        ("SBRAD", "IMI+CRO+AU", "AB"),
        ("SRTH", "RBBB", "no conclusion"),
    ]
    assert list(rows["patient_id"]) == ["1000", "1000", "1001", "1001"]
    assert list(rows["sex"].fillna("?")) == ["female", "male", "?", "female"]
    np.testing.assert_allclose(rows["age"], [50.0, 33000 / 365.25, np.nan, np.nan])


def test_the_two_hospitals_are_two_cohorts(tmp_path):
    mgh, emory = map(find_cohort, HOSPITALS)
    assert mgh.card.records + emory.card.records == 11_670_015
    assert mgh.card.folder != emory.card.folder
    write_heedb(tmp_path, "I0006")
    assert open_cohort("heedb-mgh", tmp_path) is None
    assert len(open_cohort("heedb-emory", tmp_path).index()) == 4


@pytest.mark.parametrize("cell", ["", "[]", "nan"])
def test_what_no_physician_read_is_not_used(tmp_path, cell):
    write_heedb(tmp_path, "I0001", (*HEEDB_CODES, cell))
    store = prepare(open_cohort("heedb-mgh", tmp_path), tmp_path / "cache")
    assert len(store) == len(HEEDB_CODES)
    assert list(store.quarantine["record_id"]) == ["S0001/2012/05/ecg_4"]
    assert "no physician's codes" in store.quarantine["reason"][0]


def test_a_code_that_the_dictionary_lacks_is_kept_and_warned_of(tmp_path):
    write_heedb(tmp_path, "I0001", ("[22, 99999, 1699]",))
    cohort = open_cohort("heedb-mgh", tmp_path)
    assert cohort.index()["statements"][0] == ("SRTH", "99999", "AB")
    assert "99999" in " ".join(prepare(cohort, tmp_path / "cache").warnings)


@pytest.mark.parametrize(
    "file",
    [
        "/S0001/2010/05/x",
        "./S0001/2010/05/x.hea\n",
        "WFDB/S0001/2010/05/x",
        "S0001/2010/05/x",
        " /WFDB/S0001/2010/05/x.hea",
    ],
)
def test_a_recording_is_found_however_its_file_is_spelled(file):
    assert _name(file) == "S0001/2010/05/x"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("NSR NML", ("NSR", "NML")),
        ("SRTH $SWITH FAV COMMA OCC PAC AB", ("SRTH", "FAV", "PAC", "AB")),
        ("CRO IMI COMMA AU AB", ("IMI+CRO+AU", "AB")),
        ("PO LAE AB", ("LAE+PO", "AB")),
        ("QRSV LVH LPAREN SOKOLYON RPAREN AB", ("QRSV", "LVH", "AB")),
        ("PVC $SOR ABER AB", ("PVC+OR", "ABER+OR", "AB")),
        ("RBBB", ("RBBB", "no conclusion")),
        ("AU $SOR PVC AB", ("PVC+OR", "AB")),
        ("", ("no conclusion",)),
    ],
)
def test_a_line_of_the_programme_is_taken_apart(line, found):
    assert statements([line]) == found
    assert statements(line.split()) == found


def test_hedged_statements_are_uncertain_and_dated_ones_stand():
    rows = labels(["IMI+AU", "AB"], ["IMI+CRO+AU", "AB"], ["PVC+OR", "ABER+OR", "AB"], ["NSR", "NML"])
    assert rows["IMI"].tolist() == [1, -1, 0, 0]
    assert rows["MI"].tolist() == [1, -1, 0, 0]
    assert rows["PVC"].tolist() == [0, 0, -1, 0]
    assert rows["NORM"].tolist() == [0, 0, 0, 1]


def test_a_record_without_a_conclusion_may_be_normal():
    assert labels(["SRTH", "no conclusion"])["NORM"].tolist() == [-1]


def test_an_undetermined_rhythm_leaves_every_rhythm_open():
    rows = labels(["UR", "AB"])
    assert rows.loc[0, ["NSR", "SB", "STach", "SA", "AF", "AFL", "PR"]].tolist() == [-1] * 7
    assert rows.loc[0, "RBBB"] == 0


def test_hypertrophy_by_voltage_alone_is_no_hypertrophy_and_no_negative():
    rows = labels(["LVH2", "AB"], ["QRSV", "LVH", "AB"], ["NSR", "NML"])
    assert rows["LVH"].tolist() == [1, -1, 0]


def test_no_code_of_a_hospital_has_rows_for_one_of_the_two_alone():
    both = [load_ontology().labels(cohort, "12sl", [["AFIB", "AB"], ["SMI", "AB"]]) for cohort in HOSPITALS]
    pd.testing.assert_frame_equal(*both)
