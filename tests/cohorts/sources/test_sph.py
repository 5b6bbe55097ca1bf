"""SPH: statements with modifiers, one HDF5 file a recording, the real table of 25,770 rows."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import find_cohort, open_cohort
from cohorts.errors import RecordError, UsageError
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.recording import STANDARD_LEADS
from tests.cohorts.array_releases import write_sph, write_table

REASON = "Its signal file is not there."


def labels(codes: list[list[str]]) -> pd.DataFrame:
    return load_ontology().labels("sph", "aha", codes)


def test_rows_are_read_as_they_stand(tmp_path):
    folder = write_sph(tmp_path)
    rows = open_cohort("sph", tmp_path).index().set_index("record_id")
    assert list(rows["statements"][:3]) == [("1",), ("60+310", "147"), ("22", "23")]
    assert rows.loc["A00005", "statements"] == ("1",), "1;1 is one statement"
    assert list(rows["patient_id"]) == ["S00001", "S00001", "S00002", "S00002", "S00003", "S00003"]
    assert list(rows["sex"][:2]) == ["female", "male"]
    assert rows.loc["A00002", "age"] == 41.0
    text = (folder / "metadata.csv").read_text("utf-8")
    (folder / "metadata.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    pd.testing.assert_frame_equal(rows, open_cohort("sph", tmp_path).index().set_index("record_id"))


def test_signals_are_millivolts_to_a_fraction_of_a_float16_step(tmp_path):
    folder = write_sph(tmp_path)
    sph = open_cohort("sph", tmp_path)
    for record_id in sph.index()["record_id"]:
        with h5py.File(folder / "records" / f"{record_id}.h5") as file:
            written = file["ecg"][:].astype(np.float64)
        recording = sph.read(record_id).to_recording()
        assert recording.sampling_rate == 500.0
        assert recording.leads == STANDARD_LEADS
        assert recording.signal.shape == written.shape
        assert np.abs(recording.signal - written).max() < 1e-4


def test_missing_samples_stay_missing(tmp_path):
    folder = write_sph(tmp_path)
    with h5py.File(folder / "records" / "A00001.h5", "r+") as file:
        file["ecg"][3, 10:20] = np.nan
        file["ecg"][4, 7] = np.inf
    signal = open_cohort("sph", tmp_path).read("A00001").to_recording().signal
    assert np.isnan(signal[3, 10:20]).all()
    assert np.isnan(signal).sum() == 11


def test_a_row_without_a_signal_is_quarantined_with_the_others(tmp_path):
    folder = write_sph(tmp_path)
    (folder / "records" / "A00002.h5").unlink()
    (folder / "records" / "A00004.h5").unlink()
    store = prepare(open_cohort("sph", tmp_path), tmp_path / "cache")
    assert store.quarantine["record_id"].tolist() == ["A00002", "A00004"]
    assert set(store.quarantine["reason"]) == {REASON}
    assert len(store) == 4


def damage(file: Path, how: str) -> None:
    content = file.read_bytes()
    if how == "cut short":
        file.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "no HDF5":
        file.write_bytes(b"ECG_ID,AHA_Code\n" * 99)
    else:
        array = {
            "another name": ("signal", np.zeros((12, 100), "f2")),
            "eleven leads": ("ecg", np.zeros((11, 100), "f2")),
            "on its side": ("ecg", np.zeros((5000, 12), "f2")),
            "one row": ("ecg", np.zeros(5000, "f2")),
            "no samples": ("ecg", np.zeros((12, 0), "f2")),
            "text": ("ecg", np.full((12, 10), b"1.0")),
            "whole numbers": ("ecg", np.zeros((12, 100), "i2")),
        }[how]
        with h5py.File(file, "w") as written:
            written[array[0]] = array[1]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("cut short", "A00003.h5 cannot be read"),
        ("empty", "A00003.h5 cannot be read"),
        ("no HDF5", "A00003.h5 cannot be read"),
        ("another name", "holds no array 'ecg'"),
        ("eleven leads", "is (11, 100), not [12, samples]"),
        ("on its side", "is (5000, 12), not [12, samples]"),
        ("one row", "holds no array 'ecg'"),
        ("no samples", "is (12, 0), not [12, samples]"),
        ("text", "holds no array 'ecg'"),
        ("whole numbers", "holds no array 'ecg'"),
    ],
)
def test_a_damaged_signal_is_quarantined_and_the_others_are_read(tmp_path, how, reason):
    damage(write_sph(tmp_path) / "records" / "A00003.h5", how)
    store = prepare(open_cohort("sph", tmp_path), tmp_path / "cache")
    assert store.quarantine["record_id"].tolist() == ["A00003"]
    assert reason in store.quarantine["reason"][0]
    assert str(tmp_path) not in store.quarantine["reason"][0]
    assert len(store) == 5


def test_an_array_that_would_fill_the_memory_is_refused(tmp_path):
    file = write_sph(tmp_path) / "records" / "A00001.h5"
    with h5py.File(file, "w") as written:
        written.create_dataset("ecg", (12, 10**11), "f2", chunks=(12, 1000))
    assert file.stat().st_size < 100_000
    with pytest.raises(RecordError, match="100000000000"):
        open_cohort("sph", tmp_path).read("A00001")


def test_changed_bytes_anywhere_raise_nothing_but_a_record_error(tmp_path):
    """A flipped byte is a refusal, or a signal that HDF5 cannot tell from a good one."""
    folder = write_sph(tmp_path, records=1)
    file, sph = folder / "records" / "A00001.h5", open_cohort("sph", tmp_path)
    content, rng = file.read_bytes(), np.random.default_rng(0)
    refused = 0
    for place in [*range(0, 2048, 16), *rng.integers(2048, len(content), 80)]:
        changed = bytearray(content)
        changed[place] ^= 0xFF
        file.write_bytes(changed)
        try:
            sph.read("A00001")
        except RecordError:
            refused += 1
    assert refused > 20


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"ECG_ID": ""}, "The row at line 4 of metadata.csv has no ECG_ID."),
        ({"AHA_Code": " ; "}, "metadata.csv has no AHA_Code for this record."),
        ({"ECG_ID": "A00001"}, "Its id occurs twice"),
    ],
)
def test_a_row_that_says_nothing_is_quarantined(tmp_path, cells, reason):
    folder = write_sph(tmp_path)
    rows = pd.read_csv(folder / "metadata.csv", dtype="str", keep_default_na=False).to_dict("records")
    rows[2] |= cells
    write_table(folder / "metadata.csv", rows)
    sph = open_cohort("sph", tmp_path)
    assert len(sph.index()) == 5
    assert reason in sph.unreadable["reason"][0]


def test_cells_that_are_no_ages_or_sexes_are_unknown(tmp_path):
    folder = write_sph(tmp_path)
    rows = pd.read_csv(folder / "metadata.csv", dtype="str", keep_default_na=False).to_dict("records")
    rows[0] |= {"Age": "NaN", "Sex": "?", "Patient_ID": ""}
    rows[1] |= {"Age": "300", "Sex": " m "}
    write_table(folder / "metadata.csv", rows)
    index = open_cohort("sph", tmp_path).index()
    assert index["age"][:2].isna().all()
    assert index["sex"].isna().tolist()[:2] == [True, False]
    assert index["patient_id"].isna().tolist()[:2] == [True, False]


def test_a_path_out_of_the_release_is_refused(tmp_path):
    folder = write_sph(tmp_path)
    rows = pd.read_csv(folder / "metadata.csv", dtype="str", keep_default_na=False).to_dict("records")
    rows[0] |= {"ECG_ID": "../../elsewhere"}
    write_table(folder / "metadata.csv", rows)
    with pytest.raises(RecordError, match="leaves the release's folder"):
        open_cohort("sph", tmp_path).read("../../elsewhere")


def test_another_table_is_refused_by_name(tmp_path):
    (tmp_path / "sph").mkdir()
    (tmp_path / "sph" / "metadata.csv").write_text("id,label\n1,2\n")
    with pytest.raises(UsageError, match="has no column AHA_Code, Age, ECG_ID"):
        open_cohort("sph", tmp_path).index()


def test_without_its_table_the_release_is_not_there(tmp_path):
    (tmp_path / "sph" / "records").mkdir(parents=True)
    assert open_cohort("sph", tmp_path) is None


# --- The real table ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cells(shared: Path) -> pd.Series:
    """AHA_Code of all 25,770 records by id, read without the adapter."""
    return pd.read_csv(shared / "data/sph/metadata.csv", dtype="str").set_index("ECG_ID")["AHA_Code"]


@pytest.fixture(scope="module")
def index(shared: Path) -> pd.DataFrame:
    return open_cohort("sph", shared / "data").index()


def test_golden_statements_of_the_whole_table(cells, index):
    expected = cells.str.split(";").explode().reset_index().drop_duplicates()["AHA_Code"].value_counts()
    found = Counter(code for codes in index["statements"] for code in codes)
    assert found == expected.to_dict()
    assert len(found) == 68
    primary = Counter(code for codes in index["statements"] for code in {c.split("+")[0] for c in codes})
    assert len(primary) == 44
    assert {code: primary[code] for code in ("1", "22", "50", "60", "104", "106", "145", "147")} == {
        "1": 13_905,
        "22": 2_711,
        "50": 675,
        "60": 1_067,
        "104": 84,
        "106": 710,
        "145": 1_829,
        "147": 2_218,
    }
    assert len({m for codes in index["statements"] for code in codes for m in code.split("+")[1:]}) == 15


def test_golden_people_of_the_whole_table(index):
    assert len(index) == find_cohort("sph").card.records == 25_770
    assert index["patient_id"].nunique() == 24_666
    assert index["sex"].value_counts().to_dict() == {"male": 14_265, "female": 11_505}
    assert (index["age"].min(), index["age"].max()) == (18, 95)


# Concept: primary statements, and modifiers of which one must stand there.
BY_HAND = {
    "NORM": ({"1"}, None),
    "AF": ({"50"}, None),
    "AF_AFL": ({"50", "51"}, None),
    "PVC": ({"60"}, None),
    "PAC": ({"30", "31"}, None),
    "LPR": ({"82"}, None),
    "AVB": ({"83", "84", "85", "86", "87", "88"}, None),
    "LBBB": ({"104"}, None),
    "RBBB": ({"106"}, None),
    "IRBBB": ({"105"}, None),
    "AMI": ({"160", "165", "166"}, None),
    "IMI": ({"161"}, None),
    "MI": ({"160", "161", "165", "166"}, None),
    "STD": ({"145"}, {"362"}),
    "AFRVR": ({"50"}, {"346"}),
    "PVCbig": ({"60"}, {"341"}),
    "OldMI": ({"160", "161", "165", "166"}, {"332"}),
    "AcMI": ({"160", "161", "165", "166"}, {"330", "331"}),
    "ASMI": ({"165"}, None),
    "MobI": ({"83"}, None),
    "JESC": ({"37"}, None),
    "SPR": ({"80"}, None),
    "TAb": ({"146", "147"}, None),
    "TInv": ({"147"}, {"367"}),
}


@pytest.mark.parametrize("concept", BY_HAND)
def test_golden_positives_of_the_whole_table(cells, index, concept):
    primaries, modifiers = BY_HAND[concept]
    expected = [
        any(
            code.split("+")[0] in primaries
            and (modifiers is None or not modifiers.isdisjoint(code.split("+")[1:]))
            for code in cell.split(";")
        )
        for cell in cells.reindex(index["record_id"])
    ]
    found = labels(index["statements"].tolist())[concept] == 1
    assert found.tolist() == expected
    assert sum(expected) > 0


def test_the_real_sample_is_prepared_and_the_other_rows_have_one_reason(shared, tmp_path):
    store = prepare(open_cohort("sph", shared / "data"), tmp_path)
    assert len(store) == 8
    assert store.quarantine["reason"].value_counts().to_dict() == {REASON: 25_762}
    assert store.warnings == ()
    assert sorted(set(store.lengths)) == [5000, 5500, 6000, 6500]
    for position, record_id in enumerate(store.index["record_id"]):
        with h5py.File(shared / "data/sph/records" / f"{record_id}.h5") as file:
            assert np.abs(store.recording(position).signal - file["ecg"][:].astype(np.float64)).max() < 1e-4


def test_the_leads_of_the_real_sample_are_in_the_standard_order(shared):
    sph = open_cohort("sph", shared / "data")
    for number in range(1, 9):
        signal = sph.read(f"A{number:05d}").to_recording().signal
        one, two = signal[:2]
        expected = np.stack([two - one, -(one + two) / 2, one - two / 2, two - one / 2])
        assert np.abs(signal[2:6] - expected).max() < 0.004  # float16 of up to 3 mV


# --- What the reasons say --------------------------------------------------------------------------------


def test_the_numbers_in_the_reasons_are_those_of_the_table(cells):
    ontology = load_ontology()
    counts = cells.str.split(";").explode().reset_index().drop_duplicates()["AHA_Code"].value_counts()
    compared = 0
    for concept in ontology.concepts.index:
        reason = ontology.coverage_reason("sph", concept)
        stated = re.search(r"Stated: (.*?) of 25,770 records\.", reason)
        for code, number in re.findall(r"(\S+) in ([\d,]+)", stated.group(1) if stated else ""):
            assert counts[code] == int(number.replace(",", "")), (concept, code)
            compared += 1
        if re.match(r"No record of|None of", reason):
            single = labels([[code] for code in counts.index])
            assert (single[concept] == -1).all()
    assert compared > 60


def test_what_is_annotated_is_stated_somewhere(cells):
    positives = (labels([cell.split(";") for cell in cells.unique()]) == 1).sum()
    coverage = load_ontology().coverage("sph")
    assert (positives[coverage == "annotated"] > 0).all()
    assert (positives[coverage != "annotated"] == 0).all()
