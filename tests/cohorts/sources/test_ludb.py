"""LUDB: statements in cells of several lines, with 150 real recordings."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import open_cohort
from cohorts.errors import UsageError
from cohorts.formats.wfdb_header import read_header
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.recording import standard_leads
from tests.cohorts.wfdb_releases import LOWER, counts_of, write_ludb

# Records with each statement among the 150 real ones, counted in the table with another program.
GOLDEN = {
    "Sinus rhythm": 105,
    "Sinus bradycardia": 20,
    "Atrial fibrillation": 14,
    "Left ventricular hypertrophy": 91,
    "Left atrial hypertrophy": 89,
    "Incomplete right bundle branch block": 26,
}


@pytest.fixture
def real(shared):
    cohort = open_cohort("ludb", shared / "data")
    if cohort is None:
        pytest.skip("there is no sample of LUDB")
    return cohort


def labels(*statements: str) -> pd.Series:
    return load_ontology().labels("ludb", "ludb", [statements]).loc[0]


def test_rows_are_read_as_they_stand(tmp_path):
    write_ludb(tmp_path)
    rows = open_cohort("ludb", tmp_path).index().set_index("record_id")
    assert rows.loc["1", "statements"] == (
        "Sinus bradycardia",
        "Electric axis of the heart: not stated",
        "Left atrial overload",
    )
    assert rows.loc["2", "statements"][2:] == ("Scar formation: septal", "Scar formation: anterior wall")
    assert list(rows["age"]) == [51.0, 90.0, 64.0], "above 89 is at least 90"
    assert list(rows["sex"]) == ["female", "male", "male"]
    assert rows["patient_id"].isna().all()


def test_signals_have_a_gain_and_a_baseline_for_every_lead(tmp_path):
    write_ludb(tmp_path)
    recording = open_cohort("ludb", tmp_path).read("2").to_recording()
    lead = np.arange(12)[:, None]
    wanted = (counts_of(2, LOWER) - 3 * lead) / (400.5 + 10 * lead)
    np.testing.assert_allclose(recording.signal, wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "record_id", "reason"),
    [
        ("Sinus bradycardia", "", "1", "states no rhythm"),
        ('"1\n"', '""', "line-5", "has no ID"),
        ('"1\n"', '"../../1\n"', "line-6", "has no ID"),
        ('"1\n"', '"2\n"', "2", "occurs twice"),
        ('"3\n"', '"4\n"', "4", "cannot be read"),
    ],
)
def test_a_row_that_cannot_be_used_is_quarantined(tmp_path, old, new, record_id, reason):
    table = write_ludb(tmp_path) / "ludb.csv"
    text = table.read_text("utf-8")
    assert old in text
    table.write_text(text.replace(old, new, 1), "utf-8")
    store = prepare(open_cohort("ludb", tmp_path), tmp_path / "cache")
    assert len(store) == 2
    assert record_id in store.quarantine["record_id"].tolist()
    assert reason in " ".join(store.quarantine["reason"])


def test_an_unusual_table_is_the_same_release_and_a_wrong_one_is_an_error(tmp_path):
    table = write_ludb(tmp_path) / "ludb.csv"
    rows = open_cohort("ludb", tmp_path).index()
    text = table.read_text("utf-8")
    table.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    pd.testing.assert_frame_equal(open_cohort("ludb", tmp_path).index(), rows)
    table.write_text(text.replace("Ischemia", "Isch"), "utf-8")
    with pytest.raises(UsageError, match="has no column Ischemia"):
        open_cohort("ludb", tmp_path).index()
    table.unlink()
    assert open_cohort("ludb", tmp_path) is None


def test_a_cut_off_signal_is_quarantined(tmp_path):
    signal = write_ludb(tmp_path) / "data" / "2.dat"
    signal.write_bytes(signal.read_bytes()[:-7])
    store = prepare(open_cohort("ludb", tmp_path), tmp_path / "cache")
    assert store.quarantine["record_id"].tolist() == ["2"]


def test_every_real_record_is_prepared_and_every_statement_known(real, tmp_path):
    store = prepare(real, tmp_path)
    assert len(store) == 150
    assert store.quarantine.empty
    assert store.warnings == ()
    assert set(store.rates) == {500.0}
    assert set(store.lengths) == {5000}
    statements = real.index()["statements"]
    assert load_ontology().unknown_codes("ludb", statements.tolist()) == {}
    found = Counter(code for codes in statements for code in codes)
    assert {code: found[code] for code in GOLDEN} == GOLDEN


def plain(text: str) -> str:
    return " ".join(text.lower().replace(".", " ").split()).removeprefix("rhythm: ")


def test_the_real_table_says_what_the_headers_say(real):
    """Headers repeat the row, but for a pacemaker whose way of pacing is named: that it is there."""
    only_in_table = Counter()
    for row in real.index().itertuples():
        age, sex, _, *lines = read_header(real.root / row.path).comments
        stated = {plain(line) for line in lines} - {""}
        own = {plain(code) for code in row.statements} - {"electric axis of the heart: not stated"}
        assert stated <= own, row.record_id
        only_in_table.update(own - stated)
        assert sex == f"<sex>: {row.sex[0].upper()}"
        assert age == f"<age>: {int(row.age)}"
    assert only_in_table == {"pacemaker presence, undefined": 9}


def test_the_real_labels_have_three_states_where_the_statements_leave_something_open(real):
    index = real.index()
    table = load_ontology().labels("ludb", "ludb", index["statements"].tolist())
    positive, unknown = (table == 1).sum(), (table == -1).sum()
    assert (positive["LVH"], positive["MI"], positive["AF"], positive["AFL"]) == (91, 22, 14, 3)
    assert (unknown["MI"], unknown["AMI"], unknown["AF"]) == (13, 16, 0)
    assert (table[["NORM", "STD", "TInv", "LPR", "WPW"]] == -1).all(axis=None)


@pytest.mark.parametrize(
    ("statement", "concept", "label"),
    [
        ("Stemi: septal", "MI", 1),
        ("Stemi: septal", "AMI", -1),
        ("Stemi: septal", "IMI", 0),
        ("Scar formation: inferior wall", "IMI", 1),
        ("Undefined ischemia/scar/supp.nstemi: lateral wall", "MI", -1),
        ("Undefined ischemia/scar/supp.nstemi: lateral wall", "MIs", -1),
        ("Ischemia: lateral wall", "MI", 0),
        ("Ischemia: lateral wall", "STTC", 1),
        ("Irregular sinus rhythm", "SA", -1),
        ("Incomplete right bundle branch block", "RBBB", 0),
        ("Incomplete right bundle branch block", "BBB_ANY", 1),
        ("Electric axis of the heart: not stated", "LAD", -1),
        ("Electric axis of the heart: normal", "LAD", 0),
        ("Pacemaker presence, undefined", "PR", -1),
    ],
)
def test_traps(statement, concept, label):
    assert labels(statement)[concept] == label


def test_the_standard_leads_are_found_by_name(tmp_path):
    write_ludb(tmp_path)
    standard = standard_leads(open_cohort("ludb", tmp_path).read("1"))
    np.testing.assert_array_equal(standard.counts, counts_of(1, LOWER))
