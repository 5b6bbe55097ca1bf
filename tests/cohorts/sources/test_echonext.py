"""EchoNext: rows of arrays by split, z-scores undone, and flags that are 0 where nothing was measured."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import open_cohort
from cohorts.errors import RecordError, UsageError
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.sources.echonext import DEVIATION, FLAGS, HIGHEST, LOWEST, MEAN, SEVERE, EchoNext
from tests.cohorts.array_releases import MEASURED, NO_FLAG, ecg, echonext_row, write_echonext, write_table

# Flag, the concept it is, a value that makes it 1 and one that leaves it 0.
FINDINGS = {
    "lvef_lte_45_flag": ("LVEF45", {"lvef_value": 40.0}),
    "lvwt_gte_13_flag": ("LVWT13", {"ivs_measurement": 1.4}),
    "aortic_stenosis_moderate_or_greater_flag": ("AS_MOD", {"aortic_stenosis_value": "severe"}),
    "aortic_regurgitation_moderate_or_greater_flag": ("AR_MOD", {"aortic_regurgitation_value": "moderate"}),
    "mitral_regurgitation_moderate_or_greater_flag": ("MR_MOD", {"mitral_regurgitation_value": "moderate"}),
    "tricuspid_regurgitation_moderate_or_greater_flag": (
        "TR_MOD",
        {"tricuspid_regurgitation_value": "severe"},
    ),
    "pulmonary_regurgitation_moderate_or_greater_flag": (
        "PR_MOD",
        {"pulmonary_regurgitation_value": "moderate"},
    ),
    "rv_systolic_dysfunction_moderate_or_greater_flag": (
        "RVSD_MOD",
        {"rv_systolic_function_value": "severely_reduced"},
    ),
    "pericardial_effusion_moderate_large_flag": ("PEFF_MOD", {"pericardial_effusion_value": "large"}),
    "pasp_gte_45_flag": ("PASP45", {"pasp_value": 50}),
    "tr_max_gte_32_flag": ("TRV32", {"tr_max_velocity_value": 3.5}),
}
CONCEPTS = [concept for concept, _ in FINDINGS.values()]
GRADES = ["LVEF50", "LVEF40", "LVEF35", "AS_SEV", "AR_SEV", "MR_SEV", "TR_SEV", "RVSD_SEV"]
BELOW = {"LVEF45": {"LVEF50", "LVEF40"}, "AS_MOD": {"AS_SEV"}, "TR_MOD": {"TR_SEV"}, "RVSD_MOD": {"RVSD_SEV"}}
"""Grades that the values in FINDINGS make positive as well."""


def millivolts(scores: np.ndarray) -> np.ndarray:
    """Z-scores ``[12, samples]`` as the publisher's constants and MUSE's 4.88 µV make them."""
    return (scores * np.array(DEVIATION)[:, None] + np.array(MEAN)[:, None]) * 4.88e-3


def labels_of(tmp_path, **cells) -> pd.Series:
    """Labels of a recording with these cells."""
    write_echonext(tmp_path, rows=[echonext_row(0, "test", **cells)])
    codes = open_cohort("echonext", tmp_path).index()["statements"].tolist()
    assert load_ontology().unknown_codes("echonext", codes) == {}
    return load_ontology().labels("echonext", "echonext", codes).loc[0]


def test_rows_of_a_split_are_the_rows_of_its_array(tmp_path):
    write_echonext(tmp_path, records=12)
    cohort = open_cohort("echonext", tmp_path)
    index = cohort.index()
    assert len(index) == 12
    for record_id in index["record_id"]:
        recording = cohort.read(record_id).to_recording()
        assert recording.sampling_rate == 250.0
        assert recording.signal.shape == (12, 2500)
        np.testing.assert_allclose(recording.signal, millivolts(2 * ecg(int(record_id), 2500)), atol=1e-3)


def test_people_and_the_publisher_s_splits(tmp_path):
    write_echonext(tmp_path)
    cohort = open_cohort("echonext", tmp_path)
    index = cohort.index()
    assert index["fold"].tolist() == [1, 2, 1, 3, 4, 1]
    assert index["patient_id"].tolist() == ["100", "100", "101", "101", "102", "102"]
    assert index["sex"].tolist() == ["female", "male"] * 3
    assert index["age"].tolist() == [50.0, 51.0, 52.0, 53.0, 54.0, 55.0]
    folds = cohort.card.folds
    assert 4 not in (*folds.training, *folds.validation, *folds.test)


def test_nothing_found_and_everything_measured_is_negative(tmp_path):
    labels = labels_of(tmp_path)
    assert (labels[["SHD", *CONCEPTS, *GRADES]] == 0).all()
    assert (labels.drop(["SHD", *CONCEPTS, *GRADES]) == -1).all()


@pytest.mark.parametrize("flag", FINDINGS)
def test_a_finding_is_itself_and_structural_heart_disease(tmp_path, flag):
    concept, value = FINDINGS[flag]
    labels = labels_of(tmp_path, **{flag: 1, "shd_moderate_or_greater_flag": 1}, **value)
    assert set(labels.index[labels == 1]) == {"SHD", concept, *BELOW.get(concept, ())}
    assert (labels[[other for other in CONCEPTS if other != concept]] == 0).all()


@pytest.mark.parametrize("flag", FINDINGS)
@pytest.mark.parametrize("missing", ["", "NaN", " "])
def test_what_was_not_measured_is_not_negative(tmp_path, flag, missing):
    concept = FINDINGS[flag][0]
    for value in FLAGS[flag]:
        labels = labels_of(tmp_path, **{value: missing})
        assert labels[concept] == -1
        assert (labels[[other for other in CONCEPTS if other != concept]] == 0).all()


@pytest.mark.parametrize(
    "valve", [name for name in MEASURED if MEASURED[name] == "none" and "peri" not in name]
)
def test_what_was_only_presumed_is_not_negative(tmp_path, valve):
    labels = labels_of(tmp_path, **{valve: "presumed none"})
    assert (labels[CONCEPTS] == -1).sum() == 1
    assert (labels[CONCEPTS] == 0).sum() == 10


def test_a_finding_without_its_value_is_a_finding(tmp_path):
    assert labels_of(tmp_path, lvef_lte_45_flag=1, lvef_value="")["LVEF45"] == 1


def test_the_composite_is_the_publisher_s_and_not_a_sum_of_ours(tmp_path):
    """Its 0 is 'no finding was made', also where a value is missing; a finding makes it 1 all the same."""
    assert labels_of(tmp_path, **dict.fromkeys(MEASURED, ""))["SHD"] == 0
    assert labels_of(tmp_path, shd_moderate_or_greater_flag=1)["SHD"] == 1
    assert labels_of(tmp_path, shd_moderate_or_greater_flag="")["SHD"] == -1
    assert labels_of(tmp_path, pasp_gte_45_flag=1)["SHD"] == 1


@pytest.mark.parametrize("cell", ["", "nan", "?", "2", "0.5", "yes"])
def test_a_flag_that_is_neither_0_nor_1_says_nothing(tmp_path, cell):
    assert labels_of(tmp_path, lvef_lte_45_flag=cell)["LVEF45"] == -1


def test_flags_written_as_floats(tmp_path):
    labels = labels_of(tmp_path, lvef_lte_45_flag="1.0", pasp_gte_45_flag="0.0")
    assert (labels["LVEF45"], labels["PASP45"]) == (1, 0)


def test_every_flag_has_its_concept_and_its_values():
    assert set(FLAGS) | {"shd_moderate_or_greater_flag"} == set(NO_FLAG)
    assert {value for values in FLAGS.values() for value in values} == set(MEASURED)
    ontology = load_ontology()
    echo = ontology.concepts.index[ontology.concepts["category"] == "echo"]
    assert sorted(echo) == sorted(["SHD", *CONCEPTS, *GRADES])
    coverage = ontology.coverage("echonext")
    assert set(coverage.index[coverage == "annotated"]) == set(echo)
    for other in ontology.cohorts:
        if other != "echonext":
            assert (ontology.coverage(other)[echo] == "not annotated").all()


def test_an_array_that_is_not_there_quarantines_its_split(tmp_path):
    folder = write_echonext(tmp_path)
    (folder / "EchoNext_train_waveforms.npy").unlink()
    store = prepare(open_cohort("echonext", tmp_path), tmp_path / "cache")
    assert store.index["fold"].tolist() == [2, 3, 4]
    assert store.quarantine["reason"].tolist() == ["EchoNext_train_waveforms.npy is not there."] * 3


def damage(file, how: str) -> None:
    content, array = file.read_bytes(), np.load(file)
    if how == "archive":
        np.savez(file, array)
        file.with_suffix(".npy.npz").replace(file)
    elif how == "objects":
        np.save(file, np.array([{"a": 1}] * 3), allow_pickle=True)
    elif how in {"leads first", "three axes", "whole numbers"}:
        changed = {
            "leads first": array.transpose(0, 1, 3, 2),
            "three axes": array[:, 0],
            "whole numbers": array.astype(np.int32),
        }
        np.save(file, changed[how])
    else:
        file.write_bytes(
            {"cut short": content[: len(content) // 2], "empty": b"", "text": b"ecg_key,split\n" * 50}[how]
        )


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("cut short", "EchoNext_train_waveforms.npy cannot be read"),
        ("empty", "EchoNext_train_waveforms.npy cannot be read"),
        ("text", "EchoNext_train_waveforms.npy cannot be read"),
        ("objects", "EchoNext_train_waveforms.npy cannot be read"),
        ("archive", "EchoNext_train_waveforms.npy holds no array of numbers."),
        ("whole numbers", "EchoNext_train_waveforms.npy holds no array of numbers."),
        ("leads first", "is (3, 1, 12, 2500), not [recordings, 1, 2500, 12]."),
        ("three axes", "is (3, 2500, 12), not [recordings, 1, 2500, 12]."),
    ],
)
def test_a_damaged_array_quarantines_its_split(tmp_path, how, reason):
    damage(write_echonext(tmp_path) / "EchoNext_train_waveforms.npy", how)
    store = prepare(open_cohort("echonext", tmp_path), tmp_path / "cache")
    assert len(store) == 3
    assert len(store.quarantine) == 3
    assert store.quarantine["reason"].str.contains(reason, regex=False).all()
    assert not store.quarantine["reason"].str.contains(str(tmp_path), regex=False).any()


def test_changed_bytes_of_a_header_raise_nothing_but_a_reason(tmp_path):
    file = write_echonext(tmp_path) / "EchoNext_train_waveforms.npy"
    content, rng = file.read_bytes(), np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, 128, 150):
        changed = bytearray(content)
        changed[place] ^= int(rng.integers(1, 256))
        file.write_bytes(changed)
        try:
            open_cohort("echonext", tmp_path).index()
            open_cohort("echonext", tmp_path).read("9000")
        except (RecordError, UsageError):
            refused += 1
    assert refused > 50


@pytest.mark.parametrize("recordings", [0, 2, 4])
def test_an_array_of_another_length_is_refused(tmp_path, recordings):
    folder = write_echonext(tmp_path)
    np.save(folder / "EchoNext_train_waveforms.npy", np.ones((recordings, 1, 2500, 12)))
    with pytest.raises(
        UsageError, match=rf"holds {recordings} recordings, but .* has 3 rows of the split 'train'"
    ):
        open_cohort("echonext", tmp_path).index()


def test_rows_that_cannot_be_placed_do_not_shift_the_others(tmp_path):
    rows = [echonext_row(number, "test") for number in range(4)]
    folder = write_echonext(tmp_path, rows=rows)
    rows[1]["ecg_key"] = ""
    rows.insert(2, echonext_row(7, "holdout"))
    write_table(folder / "echonext_metadata_100k.csv", rows)
    cohort = open_cohort("echonext", tmp_path)
    assert cohort.index()["path"].tolist() == [f"EchoNext_test_waveforms.npy/{row}" for row in (0, 2, 3)]
    assert cohort.unreadable["record_id"].tolist() == ["9007", "line-3"]
    signal = cohort.read("9002").to_recording().signal
    np.testing.assert_allclose(signal, millivolts(2 * ecg(9002, 2500)), atol=1e-3)


def test_the_same_id_twice_is_used_once(tmp_path):
    rows = [echonext_row(number, "test") for number in range(3)]
    folder = write_echonext(tmp_path, rows=rows)
    rows[1]["ecg_key"] = rows[0]["ecg_key"]
    write_table(folder / "echonext_metadata_100k.csv", rows)
    cohort = open_cohort("echonext", tmp_path)
    assert len(cohort.index()) == 2
    assert "Its id occurs twice" in cohort.unreadable["reason"][0]


def test_missing_samples_and_flat_recordings(tmp_path):
    folder = write_echonext(tmp_path)
    file = folder / "EchoNext_train_waveforms.npy"
    array = np.load(file)
    array[0, 0, 5, 2] = np.nan
    array[0, 0, 6, 2] = 1e300
    array[1] = 0.0
    np.save(file, array)
    store = prepare(open_cohort("echonext", tmp_path), tmp_path / "cache")
    assert store.quarantine["reason"].tolist() == ["All leads are flat."]
    position = store.index["record_id"].tolist().index("9000")
    assert np.argwhere(np.isnan(store.recording(position).signal)).tolist() == [[2, 5], [2, 6]]


def test_a_row_beyond_the_array_is_refused(tmp_path):
    write_echonext(tmp_path)
    for row in ("9", "-1", "x"):
        with pytest.raises(RecordError, match="has no row"):
            open_cohort("echonext", tmp_path).read_path(f"EchoNext_train_waveforms.npy/{row}")


def test_another_table_is_refused_by_name(tmp_path):
    folder = write_echonext(tmp_path)
    (folder / "echonext_metadata_100k.csv").write_text("ecg_key,split\n1,train\n")
    with pytest.raises(UsageError, match="has no column age_at_ecg, aortic_regurgitation"):
        open_cohort("echonext", tmp_path).index()


def test_the_card_and_the_store_say_what_was_done_to_the_signals(tmp_path):
    write_echonext(tmp_path)
    cohort = open_cohort("echonext", tmp_path)
    assert cohort.card.access == "credentialed"
    store = prepare(cohort, tmp_path / "cache")
    assert store.card.signal_note == cohort.card.signal_note != ""
    assert store.warnings[0].startswith(
        "The signals of EchoNext were filtered and clipped by their publisher"
    )


def test_the_standardisation_is_undone(tmp_path):
    """By hand: 0 is the mean of lead I, 5.4389 counts of 4.88 µV; its clipping ends at 287 counts."""
    file = write_echonext(tmp_path) / "EchoNext_test_waveforms.npy"
    array = np.zeros_like(np.load(file))
    array[0, 0, 0, 0] = (287.0 - 5.438902932045533) / 32.4283237955487
    array[0, 0, 1, 3] = (-247.0 + 4.901228423594343) / 28.126380180199195
    np.save(file, array)
    signal = open_cohort("echonext", tmp_path).read("9003").to_recording().signal
    np.testing.assert_allclose(signal[:, 0][1:4], [0.0214044, -0.0043083, -0.0239180], atol=2e-5)
    assert signal[0, 0] == pytest.approx(1.40056, abs=2e-5)
    assert signal[3, 1] == pytest.approx(-1.20536, abs=2e-5)
    assert signal[0, 5] == pytest.approx(0.0265418, abs=2e-5)


@pytest.mark.parametrize("lead", [0, 3, 8, 11])
def test_what_lies_beyond_the_clipping_was_standardised_otherwise(tmp_path, lead):
    file = write_echonext(tmp_path) / "EchoNext_test_waveforms.npy"
    array = np.load(file)
    for limit, sign in ((HIGHEST, 1), (LOWEST, -1)):
        array[0, 0, 7, lead] = (limit[lead] + sign - MEAN[lead]) / DEVIATION[lead]
        np.save(file, array)
        with pytest.raises(RecordError, match="beyond the publisher's clipping"):
            open_cohort("echonext", tmp_path).read("9003")


@pytest.mark.parametrize(
    ("value", "positive"),
    [
        (30.0, ["LVEF50", "LVEF45", "LVEF40", "LVEF35"]),
        (35.0, ["LVEF50", "LVEF45", "LVEF40", "LVEF35"]),
        (36.0, ["LVEF50", "LVEF45", "LVEF40"]),
        (40.5, ["LVEF50", "LVEF45"]),
        (45.0, ["LVEF50", "LVEF45"]),
        (50.0, ["LVEF50"]),
        (50.5, []),
    ],
)
def test_lower_ejection_fractions(tmp_path, value, positive):
    labels = labels_of(tmp_path, lvef_value=value, lvef_lte_45_flag=int(value <= 45))
    family = labels[["LVEF50", "LVEF45", "LVEF40", "LVEF35"]]
    assert list(family.index[family == 1]) == positive
    assert set(family) <= {0, 1}


def test_a_low_ejection_fraction_without_its_value_leaves_open_how_low(tmp_path):
    labels = labels_of(tmp_path, lvef_value="", lvef_lte_45_flag=1)
    assert labels[["LVEF50", "LVEF45", "LVEF40", "LVEF35"]].tolist() == [1, 1, -1, -1]


@pytest.mark.parametrize("value", SEVERE)
def test_severe_findings(tmp_path, value):
    concept = {
        "aortic_stenosis_value": "AS_SEV",
        "aortic_regurgitation_value": "AR_SEV",
        "mitral_regurgitation_value": "MR_SEV",
        "tricuspid_regurgitation_value": "TR_SEV",
        "rv_systolic_function_value": "RVSD_SEV",
    }[value]
    lesser = "moderately_reduced" if concept == "RVSD_SEV" else "moderate"
    for grade, wanted in ((SEVERE[value], 1), (lesser, 0), ("", -1), ("unknown", -1)):
        labels = labels_of(tmp_path, **{value: grade})
        assert labels[concept] == wanted, grade
        assert (labels[[other for other in GRADES if other != concept]] == 0).all()


def test_the_publisher_s_reading_counts_what_was_presumed_or_not_measured_as_negative(tmp_path):
    rows = [
        echonext_row(0, "test", aortic_stenosis_value="presumed none", pasp_value=""),
        echonext_row(1, "test", lvef_lte_45_flag="", lvef_value=""),
        echonext_row(2, "test", aortic_stenosis_moderate_or_greater_flag=1, aortic_stenosis_value="severe"),
    ]
    folder = write_echonext(tmp_path, rows=rows)
    own, publisher = (
        prepare(EchoNext(folder, reading), tmp_path / "cache").labels for reading in (None, "publisher")
    )
    assert own.loc[0, ["AS_MOD", "AS_SEV", "PASP45"]].tolist() == [-1, -1, -1]
    assert publisher.loc[0, ["AS_MOD", "AS_SEV", "PASP45"]].tolist() == [0, 0, 0]
    assert publisher.loc[1, ["LVEF45", "LVEF40"]].tolist() == [-1, -1]  # no flag is no answer for anybody
    assert (publisher.loc[2] == own.loc[2]).all()
    assert publisher.loc[2, ["AS_MOD", "AS_SEV", "SHD"]].tolist() == [1, 1, 1]


def test_the_card_offers_the_publisher_s_reading_and_no_other(tmp_path):
    folder = write_echonext(tmp_path)
    assert dict(EchoNext.card.readings) == {"publisher": "echonext_publisher"}
    assert EchoNext(folder, "publisher").card.vocabulary == "echonext_publisher"
    assert EchoNext(folder).card.vocabulary == "echonext"
    with pytest.raises(UsageError, match=r"Unknown reading .publishr.\. Did you mean .publisher."):
        EchoNext(folder, "publishr")


def test_unknown_people_are_unknown(tmp_path):
    cells = {"age_at_ecg": "", "sex": "Unknown", "patient_key": ""}
    write_echonext(tmp_path, rows=[echonext_row(0, "val", **cells), echonext_row(1, "val", sex="Male")])
    index = open_cohort("echonext", tmp_path).index()
    assert math.isnan(index["age"][0])
    assert index.loc[0, ["sex", "patient_id"]].isna().all()
    assert index["sex"][1] == "male"
