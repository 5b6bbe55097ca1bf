"""Which cohorts take part in a run: never the same recordings twice."""

from __future__ import annotations

import pytest

from benchmark.models.contamination import relation
from benchmark.run.cohorts import Places, choose_cohorts
from cohorts.errors import UsageError
from tests.cohorts.wfdb_releases import write_icd


def test_two_sources_of_labels_for_the_same_recordings_never_stand_beside_each_other(tmp_path):
    write_icd(tmp_path)
    places = Places(data=tmp_path, cache=tmp_path / "cache")
    chosen, absent = choose_cohorts([], places)
    assert chosen == ["mimic-iv-ecg"]
    reasons = {one.cohort: one.reason for one in absent}
    assert reasons["mimic-iv-ecg-ext-icd"] == "holds recordings of mimic-iv-ecg, which takes part"
    for asked in (["mimic-iv-ecg-ext-icd", "mimic-iv-ecg"], ["mimic-iv-ecg", "mimic-iv-ecg-ext-icd"]):
        with pytest.raises(UsageError, match="hold the same recordings; evaluate one of the two"):
            choose_cohorts(asked, places)
    assert choose_cohorts(["mimic-iv-ecg-ext-icd"], places)[0] == ["mimic-iv-ecg-ext-icd"]


def test_a_model_trained_on_the_recordings_knows_both_sources_of_labels():
    assert relation(("mimic-iv-ecg",), "mimic-iv-ecg-ext-icd") == "internal"
