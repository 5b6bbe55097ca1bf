"""Brugada-HUCA: a diagnosis of the person and a pathological recording are two columns."""

from __future__ import annotations

import numpy as np
import pytest

from cohorts.catalogue import open_cohort
from cohorts.errors import UsageError
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.recording import STANDARD_LEADS
from tests.cohorts.wfdb_releases import BRUGADA_ROWS, counts_of, write_brugada


def test_rows_are_read_as_they_stand(tmp_path):
    write_brugada(tmp_path)
    cohort = open_cohort("brugada-huca", tmp_path)
    rows = cohort.index().set_index("record_id")
    assert rows["statements"].to_dict() == {
        "188981": ("brugada: 1", "basal_pattern: 1"),
        "251972": ("brugada: 0", "basal_pattern: 0"),
        "302450": ("brugada: 2", "basal_pattern: 0"),
    }
    assert list(rows["patient_id"]) == list(rows.index), "one recording a person"
    assert rows[["age", "sex", "fold"]].isna().all(axis=None)
    recording = cohort.read("251972").to_recording()
    assert (recording.sampling_rate, recording.leads) == (100.0, STANDARD_LEADS)
    np.testing.assert_allclose(recording.signal, counts_of(1, STANDARD_LEADS, 1200) / 1000, atol=1e-6)


@pytest.mark.parametrize(
    ("cells", "record_id", "reason"),
    [
        ({"patient_id": " "}, "line-3", "line 3 of metadata.csv has no patient_id"),
        ({"brugada": "3"}, "251972", "brugada of this record is none of its values"),
        ({"basal_pattern": ""}, "251972", "basal_pattern of this record is none of its values"),
        ({"patient_id": "188981"}, "188981", "occurs twice"),
    ],
)
def test_a_row_that_cannot_be_believed_is_quarantined(tmp_path, cells, record_id, reason):
    folder = write_brugada(tmp_path)
    table = folder / "metadata.csv"
    rows = [*BRUGADA_ROWS[:1], {**BRUGADA_ROWS[1], **cells}, *BRUGADA_ROWS[2:]]
    lines = ["patient_id,basal_pattern,sudden_death,brugada", *(",".join(row.values()) for row in rows)]
    table.write_text("\n".join(lines))
    store = prepare(open_cohort("brugada-huca", tmp_path), tmp_path / "cache")
    assert len(store) == 2
    assert list(store.quarantine["record_id"]) == [record_id]
    assert reason in store.quarantine["reason"][0]


def test_another_table_is_an_error(tmp_path):
    folder = write_brugada(tmp_path)
    (folder / "metadata.csv").write_text("patient_id,brugada\n1,0\n")
    with pytest.raises(UsageError, match="has no column basal_pattern"):
        open_cohort("brugada-huca", tmp_path).index()


def test_no_negative_is_made_of_a_question_that_nobody_asked():
    every = [["brugada: 0", "basal_pattern: 0"], ["brugada: 1", "basal_pattern: 1"], ["brugada: 2"]]
    ontology = load_ontology()
    assert ontology.unknown_codes("brugada", every) == {}
    labels = ontology.labels("brugada-huca", "brugada", every)
    assert (labels[["NORM", "STE", "RBBB", "IRBBB", "AF"]] == -1).all(axis=None)
