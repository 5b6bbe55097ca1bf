"""Chapman-Shaoxing and Ningbo in one tree: two annotations in one, and headers that lack a line break."""

from __future__ import annotations

import numpy as np
import pytest

from cohorts.catalogue import all_cohorts, open_cohort
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from tests.cohorts.wfdb_releases import write_ecg_arrhythmia


def test_rows_are_read_as_they_stand(tmp_path):
    write_ecg_arrhythmia(tmp_path)
    cohort = open_cohort("ecg-arrhythmia", tmp_path)
    rows = cohort.index()
    assert list(rows["record_id"]) == ["JS00001", "JS00002", "JS00003"]
    assert set(rows["statements"]) == {("164889003", "59118001", "164934002")}
    assert (rows["age"] == 85.0).all()
    assert cohort.read("JS00002").to_recording().signal.shape == (12, 500)


def test_a_header_whose_first_lines_run_together_is_quarantined_with_its_reason(tmp_path):
    """As in JS01052 and JS23074 of the release."""
    folder = write_ecg_arrhythmia(tmp_path)
    header = folder / "WFDBRecords/01/010/JS00002.hea"
    header.write_text(header.read_text().replace("\n", "", 1))
    store = prepare(open_cohort("ecg-arrhythmia", tmp_path), tmp_path / "cache")
    assert list(store.index["record_id"]) == ["JS00001", "JS00003"]
    assert store.quarantine["record_id"].tolist() == ["JS00002"]
    assert store.quarantine["reason"].str.len().gt(20).all()


def test_a_concept_is_annotated_only_where_both_hospitals_annotate_it():
    ontology = load_ontology()
    whole = ontology.coverage("ecg-arrhythmia")
    parts = [ontology.coverage(cohort) for cohort in ("chapman-shaoxing", "ningbo")]
    both = (parts[0] == "annotated") & (parts[1] == "annotated")
    assert set(whole[both]) == {"annotated"}
    assert both.sum() > 25
    assert set(whole[~both]) == {"not annotated", "ambiguous"}


@pytest.mark.parametrize("code", load_ontology().vocabularies["snomed"]["code"].unique())
def test_no_code_says_more_here_than_in_either_hospital(code):
    ontology = load_ontology()
    here = ontology.labels("ecg-arrhythmia", "snomed", [[code]]).loc[0].to_numpy()
    covered = (ontology.coverage("ecg-arrhythmia") == "annotated").to_numpy()
    for cohort in ("chapman-shaoxing", "ningbo"):
        there = ontology.labels(cohort, "snomed", [[code]]).loc[0].to_numpy()
        positive = (here == 1) & covered
        assert (there[positive] != 0).all(), (cohort, code)


def test_it_shares_recordings_with_both_cohorts_of_the_challenge():
    card = all_cohorts()["ecg-arrhythmia"].card
    parts = [all_cohorts()[cohort].card for cohort in card.overlaps]
    assert sum(part.records for part in parts) == card.records == 45_152
    assert np.isclose(card.sampling_rates, parts[0].sampling_rates).all()
