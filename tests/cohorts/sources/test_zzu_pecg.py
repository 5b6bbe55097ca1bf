"""ZZU-pECG: children, packed strings, and records of nine leads."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import open_cohort
from cohorts.errors import UsageError
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from tests.cohorts.wfdb_releases import NINE_LEADS, UPPER, ZZU_ROWS, counts_of, write_zzu

# The release's ECGCode.csv: its AHA codes by letter, and what AHA has no code for.
CODES = {
    "A": (1, 2),
    "C": (21, 22, 23, 25, 26),
    "D": (30, 31, 36, 37, 39),
    "E": (50, 51, 52, 54, 55),
    "F": (60, 61, 62),
    "G": (70, 72, 74),
    "H": (80, 81, 82, 83, 84, 85, 86, 87, 88, 89),
    "I": (101, 102, 104, 105, 106, 107, 108),
    "J": (120, 121, 124, 125),
    "K": (140, 141, 142, 143),
    "L": (145, 146, 147, 148, 149, 150, 151, 152, 155),
    "M": (160, 161, 162, 163, 165, 166),
    "N": (180, 181),
}
PROSE = (
    "First-degree AV block",
    "Nonspecific intraventricular block",
    "Preexcitation syndrome",
    "Left ventricular high voltage",
    "Right ventricular high voltage",
    "Abnormal precordial R-wave progression",
    "Prolonged QTc interval",
    "Short QTc interval",
    "Abnormal Q wave",
    "Osborn wave",
    "Atrial reciprocal beats",
    "Atrial escape complex(es)",
    "Accelerated atrial autonomous rhythm",
    "Sinoatrial node to atrial internal migratory rhythm",
)


def labels(*codes: str) -> pd.Series:
    return load_ontology().labels("zzu-pecg", "zzu", [codes]).loc[0]


def with_row(tmp_path, **cells: str):
    write_zzu(tmp_path, [{**ZZU_ROWS[0], **cells}, *ZZU_ROWS[1:]])
    return open_cohort("zzu-pecg", tmp_path)


def test_rows_are_read_as_they_stand(tmp_path):
    write_zzu(tmp_path)
    rows = open_cohort("zzu-pecg", tmp_path).index()
    assert list(rows["record_id"]) == ["P00001_E01", "P00002_E01", "P00003_E01"]
    assert list(rows["patient_id"]) == ["P00001", "P00002", "P00003"]
    assert rows["statements"][0] == ("C21", "L145+Modifier362")
    assert rows["statements"][2] == ("I105", "Abnormal Q wave")
    np.testing.assert_allclose(rows["age"], [572 / 365.25, 12.0, 1 / 365.25], atol=1e-3)
    assert list(rows["sex"]) == ["female", "male", "male"]


@pytest.mark.parametrize("age", ["", "d", "0d", "-3d", "5y", "1e3d", "nan", "999999d", "50000d"])
def test_ages_that_are_none(tmp_path, age):
    assert np.isnan(with_row(tmp_path, Age=age).index()["age"][0])


def test_signals_have_a_gain_and_a_baseline_for_every_lead(tmp_path):
    write_zzu(tmp_path)
    recording = open_cohort("zzu-pecg", tmp_path).read("P00003_E01").to_recording()
    lead = np.arange(12)[:, None]
    wanted = (counts_of(3, UPPER) + 40 * lead) / (8000.5 + lead)
    np.testing.assert_allclose(recording.signal, wanted, atol=1e-6)


def test_records_of_nine_leads_are_quarantined_and_counted(tmp_path):
    """V2, V4 and V6 are never made up."""
    write_zzu(tmp_path, leads=NINE_LEADS)
    write_zzu(tmp_path / "other")
    nine = prepare(open_cohort("zzu-pecg", tmp_path), tmp_path / "cache")
    assert len(nine) == 0
    assert len(nine.quarantine) == 3
    assert nine.quarantine["reason"].str.contains("Lead V2 is missing and cannot be derived").all()
    assert len(prepare(open_cohort("zzu-pecg", tmp_path / "other"), tmp_path / "cache")) == 3


@pytest.mark.parametrize(
    ("cells", "record_id", "reason"),
    [
        ({"AHA_code": ""}, "P00001_E01", "no AHA_code"),
        ({"AHA_code": "'';''"}, "P00001_E01", "no AHA_code"),
        ({"AHA_code": "Null"}, "P00001_E01", "no AHA_code"),
        ({"Filename": ""}, "P00001_E01", "no Filename"),
        ({"Filename": "../../../etc/passwd"}, "P00001_E01", "leaves the release's folder"),
        ({"Filename": "P00/P00001/nothing"}, "P00001_E01", "nothing.hea"),
        ({"ECG_ID": ""}, "line-2", "no ECG_ID"),
        ({"ECG_ID": "P00002_E01"}, "P00002_E01", "occurs twice"),
    ],
)
def test_a_row_that_cannot_be_used_is_quarantined(tmp_path, cells, record_id, reason):
    store = prepare(with_row(tmp_path, **cells), tmp_path / "cache")
    assert len(store) == 2
    assert store.quarantine["record_id"].tolist() == [record_id]
    assert reason in store.quarantine["reason"][0]


def test_an_unusual_table_is_the_same_release_and_a_wrong_one_is_an_error(tmp_path):
    table = write_zzu(tmp_path) / "AttributesDictionary.csv"
    rows = open_cohort("zzu-pecg", tmp_path).index()
    text = table.read_text("utf-8")
    table.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    pd.testing.assert_frame_equal(open_cohort("zzu-pecg", tmp_path).index(), rows)
    table.write_text(text.replace("AHA_code", "CHN_code"), "utf-8")
    with pytest.raises(UsageError, match="has no column AHA_code"):
        open_cohort("zzu-pecg", tmp_path).index()
    table.unlink()
    assert open_cohort("zzu-pecg", tmp_path) is None


def test_a_cut_off_signal_is_quarantined(tmp_path):
    folder = write_zzu(tmp_path)
    signal = next(folder.rglob("P00002_E01.dat"))
    signal.write_bytes(signal.read_bytes()[:-1])
    store = prepare(open_cohort("zzu-pecg", tmp_path), tmp_path / "cache")
    assert store.quarantine["record_id"].tolist() == ["P00002_E01"]


def test_no_code_of_the_release_is_forgotten():
    listed = [f"{letter}{number}" for letter, numbers in CODES.items() for number in numbers]
    listed += [*PROSE, "N(180 + 181)", "N(180+181)", "Pacing rhythm"]
    assert load_ontology().unknown_codes("zzu", [[code] for code in listed]) == {}
    modified = ["L145+Modifier362", "L146+Modifier363", "L147+Modifier367", "F60+Modifier310"]
    assert load_ontology().unknown_codes("zzu", [modified]) == {}


def test_an_aha_code_means_what_it_means_in_the_vocabulary_of_aha():
    ontology = load_ontology()
    zzu, aha = ontology.vocabularies["zzu"], ontology.vocabularies["aha"]

    def rows(table, code):
        own = table[table["code"] == code]
        return set(zip(own["concept"], own["relation"], strict=True))

    for letter, numbers in CODES.items():
        for number in numbers:
            code = f"{letter}{number}"
            assert rows(zzu, code) == rows(aha, str(number)), code
    for modified in ("145+362", "145+363", "146+362", "146+363", "147+367", "160+332", "165+332"):
        letter = "M" if modified.startswith("16") else "L"
        code = letter + modified.replace("+", "+Modifier")
        assert rows(zzu, code) == rows(aha, modified), code


@pytest.mark.parametrize(
    ("codes", "wanted"),
    [
        (["C21", "L145+Modifier362"], {"STach": 1, "STD": 1, "STE": 0, "SB": 0}),
        (["L145"], {"STD": -1, "STE": -1, "STTC": 1}),
        (["L147"], {"TAb": 1, "TInv": -1}),
        (["H82"], {"LPR": 1, "IAVB": -1}),
        (["First-degree AV block"], {"IAVB": 1, "AVB": 1}),
        (["Left ventricular high voltage"], {"LVHV": 1, "LVH": 1}),
        (["Right ventricular high voltage"], {"LVH": 0}),
        (["Abnormal Q wave"], {"QAb": 1, "MI": 0}),
        (["E51"], {"AFL": 1, "AF": 0, "AF_AFL": 1}),
        (["F60+Modifier310"], {"PVC": 1}),
        (["A1"], {"NORM": 1, "NSR": -1, "AF": 0, "BBB_ANY": -1, "SHD": -1}),
    ],
)
def test_labels(codes, wanted):
    found = labels(*codes)
    assert {concept: int(found[concept]) for concept in wanted} == wanted
