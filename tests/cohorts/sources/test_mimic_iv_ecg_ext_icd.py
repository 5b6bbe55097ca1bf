"""MIMIC-IV-ECG-Ext-ICD: diagnoses of stays, for recordings that lie elsewhere."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from cohorts.catalogue import open_cohort
from cohorts.errors import UsageError
from cohorts.families import icd10
from cohorts.families.icd10 import AMYLOID_HEART, CODES
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from tests.cohorts.wfdb_releases import ICD_ROWS, write_icd


def test_rows_are_read_as_they_stand(tmp_path):
    write_icd(tmp_path)
    rows = open_cohort("mimic-iv-ecg-ext-icd", tmp_path).index()
    assert list(rows["statements"]) == [
        ("I4891", "Z950"),
        (),
        ("E85", "I43", "I50", AMYLOID_HEART),
        ("R9431",),
    ]
    assert list(rows["fold"]) == [0, 17, 18, 19], "strat_fold, not fold"
    np.testing.assert_array_equal(rows["age"], [57.0, 57.4, 90.0, np.nan])
    assert list(rows["sex"].fillna("?")) == ["female", "male", "male", "?"]
    assert list(rows["patient_id"]) == ["10000032", "10000032", "10000033", "10000033"]


def test_the_recordings_are_those_of_mimic_iv_ecg(tmp_path):
    write_icd(tmp_path)
    original, labelled = (open_cohort(name, tmp_path) for name in ("mimic-iv-ecg", "mimic-iv-ecg-ext-icd"))
    assert list(labelled.index()["record_id"]) == list(original.index()["record_id"])
    for record_id in labelled.index()["record_id"]:
        np.testing.assert_array_equal(labelled.read(record_id).counts, original.read(record_id).counts)
    assert prepare(labelled, tmp_path / "cache").quarantine.empty


def test_the_table_may_lie_with_the_recordings(tmp_path):
    folder = write_icd(tmp_path)
    elsewhere = shutil.move(tmp_path / "mimic-iv-ecg", tmp_path / "other")
    shutil.copy(folder / "records_w_diag_icd10.csv", elsewhere)
    cohort = open_cohort("mimic-iv-ecg-ext-icd", tmp_path, {"mimic-iv-ecg-ext-icd": elsewhere})
    assert len(prepare(cohort, tmp_path / "cache")) == len(ICD_ROWS)


def test_without_the_recordings_it_says_where_they_belong(tmp_path):
    write_icd(tmp_path)
    shutil.rmtree(tmp_path / "mimic-iv-ecg")
    with pytest.raises(UsageError, match=r"diagnoses only, .* not in .*mimic-iv-ecg; put them there"):
        prepare(open_cohort("mimic-iv-ecg-ext-icd", tmp_path), tmp_path / "cache")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("[]", "F", "57", "0"), "No diagnosis of a stay is linked to this record."),
        (("", "F", "57", "0"), "all_diag_all cannot be read"),
        (("['I10', __import__('os')]", "F", "57", "0"), "all_diag_all cannot be read"),
        (("['I10']", "F", "57", ""), "strat_fold or"),
        (("['I10']", "F", "57", "20"), "strat_fold or"),
    ],
)
def test_a_row_that_cannot_be_used_is_quarantined_and_not_lost(tmp_path, row, reason):
    write_icd(tmp_path, [*ICD_ROWS, row])
    cohort = open_cohort("mimic-iv-ecg-ext-icd", tmp_path)
    assert len(cohort.index()) == len(ICD_ROWS)
    assert list(cohort.unreadable["record_id"]) == ["40000021"]
    assert reason in cohort.unreadable["reason"][0]


def test_every_code_that_is_told_apart_is_in_the_vocabulary_and_no_other():
    assert set(load_ontology().vocabularies["icd10"]["code"]) == CODES | {AMYLOID_HEART}


@pytest.mark.parametrize(
    ("diagnoses", "statements"),
    [
        ("['I2109']", ("I210",)),
        ("['I214', 'I219']", ("I21",)),
        ("['I480', 'I4820', 'I489', 'I48']", ("I48", "I480", "I482")),
        ("['I4510', 'I4519', 'I450', 'I451']", ("I450", "I4510", "I4519")),
        ("['Z95810', 'Z951', 'Z9581']", ("Z95", "Z95810")),
        ("['C50911', 'J449', 'XI10']", ()),
    ],
)
def test_a_diagnosis_is_the_longest_code_that_it_begins_with(diagnoses, statements):
    assert tuple(sorted(icd10.statements(re.findall(r"\w+", diagnoses)))) == statements


def test_a_diagnosis_of_the_stay_is_no_reading_of_the_recording():
    ontology = load_ontology()
    labels = ontology.labels("mimic-iv-ecg-ext-icd", "icd10", [[code] for code in sorted(CODES)])
    findings = ontology.concepts.index[ontology.concepts["category"] != "rare"]
    assert (labels[findings] == -1).all(axis=None)
