"""SaMi-Trop: tracings found by their place alone, one label."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import open_cohort
from cohorts.errors import UsageError
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.recording import STANDARD_LEADS
from tests.cohorts.array_releases import ecg, write_code_15, write_sami_trop, write_table


def test_line_i_is_tracing_i_whatever_the_ids(tmp_path):
    folder = write_sami_trop(tmp_path)
    cohort = open_cohort("sami-trop", tmp_path)
    table = pd.read_csv(folder / "exams.csv", dtype=str)
    assert not table["exam_id"].is_monotonic_increasing, "sorting the index must not move a tracing"
    for number, exam_id in enumerate(table["exam_id"]):
        recording = cohort.read(exam_id).to_recording()
        assert (recording.sampling_rate, recording.leads) == (400.0, STANDARD_LEADS)
        np.testing.assert_allclose(recording.signal, ecg(number, (4000, 2800)[number % 2]), atol=1e-4)


def test_rows_are_read_as_they_stand(tmp_path):
    write_sami_trop(tmp_path)
    rows = open_cohort("sami-trop", tmp_path).index().set_index("record_id")
    assert rows.loc["3671", "statements"] == ("normal_ecg",)
    assert rows.loc["3664", "statements"] == ()
    assert rows.loc["3671", "sex"] == "male"
    assert rows.loc["3664", "sex"] == "female"
    assert rows.loc["3664", "age"] == 41.0
    assert list(rows["patient_id"]) == list(rows.index)


def test_every_recording_is_normal_or_not_and_nothing_else_is_known(tmp_path):
    write_sami_trop(tmp_path)
    labels = load_ontology().labels("sami-trop", "code", [["normal_ecg"], []])
    assert labels["NORM"].tolist() == [1, 0]
    assert (labels.drop(columns="NORM") == -1).all(axis=None)


@pytest.mark.parametrize("rows", [5, 7])
def test_a_table_of_another_length_is_refused_and_never_cut(tmp_path, rows):
    folder = write_sami_trop(tmp_path)
    table = pd.read_csv(folder / "exams.csv", dtype=str).to_dict("records")
    write_table(folder / "exams.csv", [*table, {**table[0], "exam_id": "9"}][:rows])
    with pytest.raises(UsageError, match=f"has {rows} rows and exams.hdf5 has 6 tracings"):
        open_cohort("sami-trop", tmp_path).index()


@pytest.mark.parametrize(
    ("cells", "record_id", "reason"),
    [
        ({"exam_id": ""}, "line-3", "line 3 of exams.csv has no exam_id"),
        ({"normal_ecg": "maybe"}, "3664", "normal_ecg is neither True nor False"),
    ],
)
def test_a_row_that_cannot_be_believed_keeps_its_place(tmp_path, cells, record_id, reason):
    folder = write_sami_trop(tmp_path)
    table = pd.read_csv(folder / "exams.csv", dtype=str).to_dict("records")
    table[1] |= cells
    write_table(folder / "exams.csv", table)
    cohort = open_cohort("sami-trop", tmp_path)
    assert cohort.unreadable["record_id"].tolist() == [record_id]
    assert reason in cohort.unreadable["reason"][0]
    signal = cohort.read(table[2]["exam_id"]).to_recording().signal
    np.testing.assert_allclose(signal, ecg(2, 4000), atol=1e-4)


def test_damaged_tracings_quarantine_every_recording(tmp_path):
    folder = write_sami_trop(tmp_path)
    (folder / "exams.hdf5").write_bytes(b"no HDF5")
    store = prepare(open_cohort("sami-trop", tmp_path), tmp_path / "cache")
    assert (len(store), len(store.quarantine)) == (0, 6)
    assert "exams.hdf5 cannot be read" in store.quarantine["reason"][0]


def test_a_folder_of_code_15_is_not_taken_for_it(tmp_path):
    folder = write_code_15(tmp_path)
    with pytest.raises(UsageError, match="does not hold SaMi-Trop"):
        open_cohort("sami-trop", None, {"sami-trop": folder})


def test_one_channel_in_another_place_is_told(tmp_path):
    folder = write_sami_trop(tmp_path)
    with h5py.File(folder / "exams.hdf5", "r+") as file:
        file["tracings"][...] = file["tracings"][...][:, :, [0, 1, 2, 4, 5, 3, *range(6, 12)]]
    (warning,) = open_cohort("sami-trop", tmp_path).warnings()
    assert "follow from I and II as aVL, aVF, aVR" in warning
