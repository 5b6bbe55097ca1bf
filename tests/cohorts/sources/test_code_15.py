"""CODE-15 %: recordings found by id in HDF5 parts, zero padding, six classes and what they do not say."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import open_cohort
from cohorts.errors import RecordError
from cohorts.families.code import CLASSES, without_padding
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.recording import STANDARD_LEADS
from tests.cohorts.array_releases import (
    CODE_TEST_LEADS,
    code_15_row,
    ecg,
    padded,
    write_code_15,
    write_part,
    write_table,
)

CONCEPTS = {"1dAVb": "IAVB", "RBBB": "RBBB", "LBBB": "LBBB", "SB": "SB", "AF": "AF", "ST": "STach"}


def read_rows(file: Path) -> list[dict[str, object]]:
    return pd.read_csv(file, dtype="str", keep_default_na=False).to_dict("records")


def reasons(cohort) -> dict[str, str]:
    return dict(zip(cohort.unreadable["record_id"], cohort.unreadable["reason"], strict=True))


def test_every_recording_is_found_by_its_id(tmp_path):
    write_code_15(tmp_path, records=12)
    code = open_cohort("code-15", tmp_path)
    index = code.index()
    assert len(index) == 12
    assert code.unreadable.empty
    for exam_id in index["record_id"]:
        recording = code.read(exam_id).to_recording()
        written = ecg(int(exam_id), (4000, 2800, 2934)[int(exam_id) % 3])
        assert recording.leads == STANDARD_LEADS
        assert recording.sampling_rate == 400.0
        np.testing.assert_allclose(recording.signal, written, atol=1e-4)


def test_the_rows_of_a_part_are_not_in_the_order_of_the_table(tmp_path):
    folder = write_code_15(tmp_path)
    table = pd.read_csv(folder / "exams.csv")
    with h5py.File(folder / "exams_part0.hdf5") as part:
        stored = part["exam_id"][:-1].tolist()
    assert stored != table.loc[table["trace_file"] == "exams_part0.hdf5", "exam_id"].tolist()


def test_cells_become_statements_people_and_ages(tmp_path):
    folder = write_code_15(tmp_path)
    rows = open_cohort("code-15", tmp_path).index().set_index("record_id")
    assert rows.loc["700", "statements"] == ("normal_ecg",)
    assert rows.loc["713", "statements"] == ("AF",)
    assert rows.loc["726", "statements"] == ("1dAVb", "RBBB")
    assert rows.loc["739", "statements"] == ("ST",)
    assert rows.loc["752", "statements"] == ()
    assert set(rows.loc["765", "statements"]) == {"SB", "LBBB"}
    assert rows.loc["713", "sex"] == "female"
    assert rows.loc["700", "sex"] == "male"
    assert rows.loc["700", "patient_id"] == "350"
    assert rows.loc["700", "age"] == 50.0
    before = rows.reset_index()
    text = (folder / "exams.csv").read_text("utf-8").replace("True", "1").replace("False", "0")
    (folder / "exams.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    pd.testing.assert_frame_equal(before, open_cohort("code-15", tmp_path).index())


def test_six_classes_are_annotated_and_nothing_else():
    ontology = load_ontology()
    for cohort in ("code-15", "code-test"):
        coverage = ontology.coverage(cohort)
        assert set(coverage.index[coverage == "annotated"]) == set(CONCEPTS.values())
        labels = ontology.labels(cohort, "code", [[], *([name] for name in CLASSES), ["normal_ecg"]])
        assert (labels.loc[0, list(CONCEPTS.values())] == 0).all()
        assert (labels.loc[7, list(CONCEPTS.values())] == 0).all()
        for row, name in enumerate(CLASSES, start=1):
            positives = labels.columns[labels.loc[row] == 1]
            assert list(positives) == [CONCEPTS[name]]
        assert (labels.drop(columns=list(CONCEPTS.values())) == -1).all(axis=None)


def test_no_recording_without_a_class_is_called_normal():
    """Half of CODE-15 % has neither a class nor normal_ecg."""
    ontology = load_ontology()
    assert ontology.coverage("code-15")["NORM"] == "ambiguous"
    assert "173,347" in ontology.coverage_reason("code-15", "NORM")
    labels = ontology.labels("code-15", "code", [[], ["normal_ecg"], ["AF"]])
    assert (labels["NORM"] == -1).all()


def test_a_missing_part_quarantines_its_recordings_only(tmp_path):
    folder = write_code_15(tmp_path)
    (folder / "exams_part1.hdf5").unlink()
    code = open_cohort("code-15", tmp_path)
    assert len(code.index()) == 3
    assert set(reasons(code).values()) == {"exams_part1.hdf5 is not there."}
    store = prepare(code, tmp_path / "cache")
    assert (len(store), len(store.quarantine)) == (3, 3)


def damage(part: Path, how: str) -> None:
    content = part.read_bytes()
    if how == "cut short":
        part.write_bytes(content[: len(content) // 2])
        return
    if how == "no HDF5":
        part.write_bytes(b"PK\x03\x04" + bytes(1000))
        return
    with h5py.File(part, "r+") as file:
        if how in {"no ids", "ids of text", "an id too few"}:
            ids = file["exam_id"][:]
            del file["exam_id"]
            if how != "no ids":
                file["exam_id"] = ids[:-1] if how == "an id too few" else ids.astype("S8")
        else:
            tracings = file["tracings"][:]
            del file["tracings"]
            changed = {
                "no tracings": None,
                "eleven leads": tracings[:, :, :11],
                "leads first": tracings.transpose(0, 2, 1),
                "two axes": tracings[:, :, 0],
                "no samples": tracings[:, :0],
                "whole numbers": tracings.astype(np.int16),
            }[how]
            if changed is not None:
                file["tracings"] = changed


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("cut short", "exams_part1.hdf5 cannot be read (Unable"),
        ("no HDF5", "exams_part1.hdf5 cannot be read (Unable"),
        ("no ids", "exams_part1.hdf5 holds no whole numbers as exam_id."),
        ("ids of text", "exams_part1.hdf5 holds no whole numbers as exam_id."),
        ("an id too few", "exams_part1.hdf5 does not hold one exam_id a tracing."),
        ("no tracings", "exams_part1.hdf5 holds no array of tracings."),
        ("eleven leads", "(4, 4096, 11), not [tracings, 4096, 12]."),
        ("leads first", "(4, 12, 4096), not [tracings, 4096, 12]."),
        ("two axes", "(4, 4096), not [tracings, 4096, 12]."),
        ("no samples", "(4, 0, 12), not [tracings, 4096, 12]."),
        ("whole numbers", "exams_part1.hdf5 holds no array of tracings."),
    ],
)
def test_a_damaged_part_quarantines_its_recordings_only(tmp_path, how, reason):
    damage(write_code_15(tmp_path) / "exams_part1.hdf5", how)
    code = open_cohort("code-15", tmp_path)
    assert len(code.index()) == 3
    assert len(code.unreadable) == 3
    (only,) = set(code.unreadable["reason"])
    assert reason in only
    assert str(tmp_path) not in only


def test_a_row_without_a_tracing_and_a_tracing_without_a_row(tmp_path):
    folder = write_code_15(tmp_path)
    rows = read_rows(folder / "exams.csv")
    rows[1] |= {"exam_id": "999999"}
    write_table(folder / "exams.csv", rows)
    code = open_cohort("code-15", tmp_path)
    assert reasons(code) == {
        "999999": "exams_part1.hdf5 has no tracing with its exam_id.",
        "713": "exams.csv has no row for this tracing of exams_part1.hdf5.",
    }
    assert len(code.index()) == 5


def test_a_part_that_no_row_names_is_not_passed_over(tmp_path):
    folder = write_code_15(tmp_path)
    write_part(folder / "exams_part7.hdf5", [31, 32], [padded(ecg(1, 4000)), padded(ecg(2, 4000))])
    assert set(reasons(open_cohort("code-15", tmp_path))) == {"31", "32"}


def test_an_id_that_a_part_has_twice_is_nobody(tmp_path):
    folder = write_code_15(tmp_path, records=2)
    write_part(folder / "exams_part0.hdf5", [700, 700], [padded(ecg(1, 4000)), padded(ecg(2, 4000))])
    code = open_cohort("code-15", tmp_path)
    assert reasons(code) == {"700": "exams_part0.hdf5 has several tracings with its exam_id."}


@pytest.mark.parametrize(
    ("cells", "record_id", "reason"),
    [
        ({"exam_id": ""}, "line-3", "The row at line 3 of exams.csv has no exam_id."),
        ({"exam_id": "0"}, "line-3", "The row at line 3 of exams.csv has no exam_id."),
        ({"exam_id": "700", "trace_file": "exams_part0.hdf5"}, "700", "Its id occurs twice"),
        ({"trace_file": "../exams_part1.hdf5"}, "713", "exams.csv names no part of the release"),
        ({"trace_file": ""}, "713", "exams.csv names no part of the release"),
        ({"AF": ""}, "713", "AF is neither True nor False in exams.csv."),
        ({"1dAVb": "nan"}, "713", "1dAVb is neither True nor False in exams.csv."),
    ],
)
def test_a_row_that_cannot_be_believed_is_quarantined(tmp_path, cells, record_id, reason):
    folder = write_code_15(tmp_path)
    rows = read_rows(folder / "exams.csv")
    rows[1] |= cells
    write_table(folder / "exams.csv", rows)
    code = open_cohort("code-15", tmp_path)
    assert len(code.index()) == 5
    assert reason in reasons(code)[record_id]


def test_what_is_not_known_of_a_person_is_unknown(tmp_path):
    folder = write_code_15(tmp_path)
    rows = read_rows(folder / "exams.csv")
    rows[0] |= {"age": "", "is_male": "", "patient_id": "", "normal_ecg": ""}
    write_table(folder / "exams.csv", rows)
    first = open_cohort("code-15", tmp_path).index().set_index("record_id").loc["700"]
    assert np.isnan(first["age"])
    assert first[["sex", "patient_id"]].isna().all()
    assert first["statements"] == ()


def test_all_zeros_is_quarantined_and_one_zero_lead_is_not(tmp_path):
    folder = write_code_15(tmp_path)
    with h5py.File(folder / "exams_part0.hdf5", "r+") as file:
        file["tracings"][0] = 0.0
        file["tracings"][1, :, 8] = 0.0
        file["tracings"][2, 1000:1010, 3] = np.nan
        ids = file["exam_id"][:].astype(str)
    store = prepare(open_cohort("code-15", tmp_path), tmp_path / "cache")
    assert store.quarantine.to_dict("records") == [{"record_id": ids[0], "reason": "All samples are zero."}]
    at = {record_id: position for position, record_id in enumerate(store.index["record_id"])}
    assert (store.recording(at[ids[1]]).signal[8] == 0).all()
    assert np.isnan(store.recording(at[ids[2]]).signal).sum() == 10


@pytest.mark.parametrize("samples", [1, 2, 2799, 2800, 2934, 3999, 4000, 4095, 4096])
def test_the_padding_is_cut_exactly(samples):
    signal = ecg(samples, samples).astype(np.float32)
    np.testing.assert_array_equal(without_padding(padded(signal)).T, signal)


@pytest.mark.parametrize(("start", "end"), [(1, 0), (0, 2), (37, 0), (0, 400), (5, 3)])
def test_zeros_of_the_recording_itself_are_kept_where_one_end_tells(start, end):
    """Where both ends are zero, as many samples of each as the shorter run has are lost: all zeros."""
    signal = ecg(0, 2800)
    signal[:, :start] = 0.0
    signal[:, 2800 - end :] = 0.0
    cut = without_padding(padded(signal)).T
    lost = min(start, end)
    np.testing.assert_array_equal(cut, signal[:, lost : 2800 - lost])


def test_the_zeros_before_and_after_are_counted_to_the_sample():
    """As many before as after, or one more after; what else one end has is the recording's own."""
    recorded = np.arange(1, 6, dtype=np.float32)[:, None].repeat(12, axis=1)
    for before, after, kept_before, kept_after in [
        (3, 4, 0, 0),
        (3, 3, 0, 0),
        (4, 3, 1, 0),
        (3, 5, 0, 2),
        (0, 1, 0, 0),
        (1, 0, 1, 0),
        (0, 2, 0, 2),
        (0, 0, 0, 0),
    ]:
        tracing = np.pad(recorded, ((before, after), (0, 0)))
        expected = np.pad(recorded, ((kept_before, kept_after), (0, 0)))
        np.testing.assert_array_equal(without_padding(tracing), expected)


def test_zeros_within_and_single_leads_do_not_end_a_recording():
    signal = ecg(0, 4000)
    signal[:, 100:2000] = 0.0
    signal[1:, :50] = 0.0
    np.testing.assert_array_equal(without_padding(padded(signal)).T, signal)


def test_changed_bytes_anywhere_raise_nothing_but_a_reason(tmp_path):
    """A changed byte is a refusal, or a tracing that HDF5 cannot tell from a good one."""
    file = write_code_15(tmp_path, records=2) / "exams_part0.hdf5"
    content, rng = file.read_bytes(), np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, 2048, 150):
        changed = bytearray(content)
        changed[place] ^= int(rng.integers(1, 256))
        file.write_bytes(changed)
        code = open_cohort("code-15", tmp_path)
        refused += len(code.unreadable)
        for path in code.index()["path"]:
            try:
                code.read_path(path)
            except RecordError:
                refused += 1
    assert refused > 20


def test_the_order_of_leads_of_code_15_is_looked_at_too(tmp_path):
    folder = write_code_15(tmp_path, records=4)
    assert open_cohort("code-15", tmp_path).warnings() == ()
    for part, ids in ((0, [726, 700]), (1, [739, 713])):
        tracings = [padded(ecg(exam_id, 4000, CODE_TEST_LEADS)) for exam_id in ids]
        write_part(folder / f"exams_part{part}.hdf5", ids, tracings)
    (warning,) = open_cohort("code-15", tmp_path).warnings()
    assert "In 4 of 4 tracings" in warning
    assert "as aVL, aVF, aVR;" in warning


def test_no_class_is_forgotten():
    codes = [*CLASSES, "normal_ecg"]
    assert load_ontology().unknown_codes("code", [codes]) == {}
    assert set(load_ontology().vocabularies["code"]["code"]) == set(codes)
    assert set(code_15_row(1, 0)) >= set(codes)
