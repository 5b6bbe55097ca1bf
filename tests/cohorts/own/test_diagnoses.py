"""Labels of an own cohort from a table of diagnoses in ICD-10, and what it leaves open."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cohorts.errors import UsageError
from cohorts.ontology.ontology import load_ontology
from tests.cohorts.own_hospital import FILES, HEAD, ID, PEOPLE, annotated, labelled, table

SECRET = "Mustermann"
DATED = HEAD + PEOPLE + 'date = "recorded"\n' + FILES
ICD = '\n[labels.icd10]\ntable = "icd.csv"\ncode = "icd"\nwindow_days = [-10, 5]\n'


def diagnosed(folder, rows: pd.DataFrame, diagnoses: str, *, labels: str = ""):
    folder.mkdir(exist_ok=True)
    (folder / "icd.csv").write_text("patient_id,icd,date\n" + diagnoses)
    return labelled(folder, rows, DATED + labels + ICD)


def test_diagnoses_in_a_window_of_days(tmp_path):
    rows = table(6).assign(patient=["1", "1", "2", "3", "", "4"], recorded="2020-06-15")
    rows.loc[1, "recorded"] = "2020-07-15 23:00"
    rows.loc[5, "recorded"] = ""
    diagnoses = (
        "1,E85.4,2020-06-05\n1,I43.1,2020-06-20 08:00\n1,I10,2020-07-20\n"
        "2,I31.1,2020-06-21\n3,i311,2020-06-20\n9,Q22.5,2020-06-15\n4,I31.1,2020-06-15\n"
    )
    labels, warnings = diagnosed(tmp_path, rows, diagnoses)
    assert annotated(labels) == {"AMYL", "CONSTR", "EBST", "DEXTRO"}
    # 1: E85 on the first day and I43 on the last of the window; a month later hypertension alone.
    assert labels["AMYL"].tolist() == [1, 0, -1, 0, -1, -1]
    # 2: constriction is coded a day too late, so nothing is known of it; 3: on the last day.
    assert labels["CONSTR"].tolist() == [0, 0, -1, 1, -1, -1]
    assert "in the window of -10 to 5 days: 3 of 6;" in warnings[0]


def test_diagnoses_that_cannot_be_read_count_as_none(tmp_path):
    rows = table(3).assign(patient=["1", "2", "3"], recorded="2020-06-15")
    diagnoses = f"1,428.0,2020-06-15\n2,{SECRET},2020-06-15\n,I31.1,2020-06-15\n3,I31.1+,2020-06-15\n"
    labels, warnings = diagnosed(tmp_path, rows, diagnoses)
    assert labels["CONSTR"].tolist() == [-1, -1, 1]
    assert "which are not used: 3 of 4." in warnings[1]
    assert SECRET not in "".join(warnings)
    with pytest.raises(UsageError, match="dates in column 'date'"):
        diagnosed(tmp_path, rows, "1,I31.1,15.06.2020\n")


def test_far_dates_stay_with_their_patient(tmp_path):
    """A sentinel date of one patient must not fall into the window of the next."""
    rows = table(3).assign(patient=["1", "2", "3"], recorded=["2020-06-15", "0001-01-01", "9999-12-31"])
    labels, _ = diagnosed(tmp_path, rows, "1,I31.1,9999-12-31\n2,I31.1,2020-06-15\n3,I31.1,0001-01-01\n")
    assert labels["CONSTR"].tolist() == [-1, -1, -1]


def test_diagnoses_agree_with_a_join_of_every_row(tmp_path):
    rng = np.random.default_rng(3)
    ecgs, codes = 200, 400
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 60, ecgs), unit="D")
    rows = table(ecgs).assign(
        patient=rng.integers(0, 30, ecgs).astype(str), recorded=days.strftime("%Y-%m-%d")
    )
    coded_on = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 60, codes), unit="D")
    icd = rng.choice(["I311", "I10", "Q246", "Q225", "Q240", "J18"], codes)
    table_of = pd.DataFrame({"p": rng.integers(0, 40, codes).astype(str), "c": icd, "d": coded_on})
    text = "".join(f"{row.p},{row.c},{row.d:%Y-%m-%d}\n" for row in table_of.itertuples())
    labels, _ = diagnosed(tmp_path, rows, text)
    for ecg in rows.assign(day=days).itertuples():
        near = table_of[(table_of["p"] == ecg.patient) & ((table_of["d"] - ecg.day).dt.days.between(-10, 5))]
        for concept, code in (("CONSTR", "I311"), ("DEXTRO", "Q240"), ("EBST", "Q225")):
            expected = -1 if near.empty else int((near["c"] == code).any())
            assert labels.loc[ecg.ecg_id, concept] == expected, (ecg, concept)


def test_a_diagnosis_is_no_reading_of_the_tracing(tmp_path):
    rows = table(2).assign(patient=["1", "2"], recorded="2020-06-15", af=["0", "1"])
    labels, _ = diagnosed(
        tmp_path,
        rows,
        "1,I48.0,2020-06-15\n2,I10,2020-06-15\n",
        labels='\n[labels]\ncolumns = { AF = "af" }\n',
    )
    assert labels["AF"].tolist() == [0, 1]
    assert labels["AMYL"].tolist() == [0, 0]
    assert ID not in load_ontology().cohorts


def test_letters_of_certainty_of_the_german_icd_10(tmp_path):
    rows = table(8).assign(patient=[str(number) for number in range(8)], recorded="2020-06-15")
    codes = ("I31.1G", "I31.1A", "I31.1V", "i311z", "I31.1 A", "I31.1V", "I31.1", "I21.A1")
    diagnoses = "".join(f"{number},{code},2020-06-15\n" for number, code in enumerate(codes))
    diagnoses += "5,I31.1G,2020-06-15\n0,I43.1G,2020-06-15\n0,E85.4V,2020-06-15\n"
    diagnoses += "1,I43.1A,2020-06-15\n4,E85.4A,2020-06-15\n4,I43.1,2020-06-15\n1,E85.4G,2020-06-15\n"
    diagnoses += "6,I43.1,2020-06-15\n6,E85.4G,2020-06-15\n"
    labels, _ = diagnosed(tmp_path, rows, diagnoses)
    # Excluded is no; suspected and past are left open, unless another code is certain.
    assert labels["CONSTR"].tolist() == [1, 0, -1, -1, 0, 1, 1, 0]
    # Amyloid of the heart needs both codes; E85 alone, certain or suspected, leaves it open.
    assert labels["AMYL"].tolist() == [-1, -1, 0, 0, 0, 0, 1, 0]


GERMAN = "patient_id;Schlüssel;date\n1;I31.1;2020-06-15\n2;I10;2020-06-15\n"


@pytest.mark.parametrize(
    ("written", "of_index", "stated"),
    [
        ("cp1252", "", 'encoding = "cp1252"\n'),
        ("cp1252", 'encoding = "cp1252"\n', ""),
        ("utf-8", 'encoding = "cp1252"\n', 'encoding = "utf-8"\n'),
        ("utf-8-sig", "", ""),
        ("utf-16", "", 'encoding = "utf-16"\n'),
    ],
)
def test_the_encoding_of_diagnoses(tmp_path, written, of_index, stated):
    """Its own, or that of the index where none is stated."""
    (tmp_path / "icd.csv").write_bytes(GERMAN.encode(written))
    rows = table(2).assign(patient=["1", "2"], recorded="2020-06-15")
    text = HEAD + of_index + PEOPLE + 'date = "recorded"\n' + FILES + ICD.replace('"icd"', '"Schlüssel"')
    labels, _ = labelled(tmp_path, rows, text + stated)
    assert labels["CONSTR"].tolist() == [1, 0]


def test_diagnoses_in_another_encoding_than_stated_are_told(tmp_path):
    (tmp_path / "icd.csv").write_bytes(GERMAN.encode("cp1252"))
    rows = table(2).assign(patient=["1", "2"], recorded="2020-06-15")
    for encoding, said in (("utf-8", "icd.csv"), ("klingon", "encoding")):
        with pytest.raises(UsageError, match=said) as caught:
            labelled(
                tmp_path, rows, DATED + ICD.replace('"icd"', '"Schlüssel"') + f'encoding = "{encoding}"\n'
            )
        assert "I31" not in str(caught.value)
        print(caught.value)
