"""What holds for every cohort: on the tiny releases that the tests write and on the real samples."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import all_cohorts, facts_known, find_cohort, open_cohort
from cohorts.conformance import problems
from cohorts.ontology.labelling import hash_of_labelling
from cohorts.ontology.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.recording import STANDARD_LEADS, standard_leads
from tests.cohorts.own_hospital import ID, known, write_hospital

COHORTS = [
    "brugada-huca",
    "challenge-ptb-xl",
    "chapman-shaoxing",
    "code-15",
    "code-test",
    "cpsc-2018",
    "cpsc-2018-extra",
    "ecg-arrhythmia",
    "echonext",
    "georgia",
    "heedb-emory",
    "heedb-mgh",
    "hefei",
    "incart",
    "incartdb",
    "ludb",
    "mimic-iv-ecg",
    "mimic-iv-ecg-ext-icd",
    "ningbo",
    "ptb",
    "ptb-xl",
    "ptbdb",
    "sami-trop",
    "sph",
    "zzu-pecg",
]
MAY_STATE_NOTHING = {"code-15", "code-test", "echonext", "mimic-iv-ecg-ext-icd", "sami-trop", ID}
"""Releases that ask for some findings only: a record with none of them has no statement."""

# Records in the real sample tree, native samples per second, and the first counts of leads I and V6 of
# the first record, read off the files with wfdb (incart has no sample).
REAL = {
    "challenge-ptb-xl": (27, {500.0}),
    "chapman-shaoxing": (13, {500.0}),
    "cpsc-2018": (7, {500.0}),
    "cpsc-2018-extra": (16, {500.0}),
    "georgia": (47, {500.0}),
    "ludb": (150, {500.0}),
    "ningbo": (51, {500.0}),
    "ptb": (9, {1000.0}),
    "ptb-xl": (400, {500.0}),
}


@pytest.fixture(params=[*COHORTS, *(f"real {cohort_id}" for cohort_id in REAL), ID])
def cohort(request, tmp_path, write_release, write_record):
    """Every cohort twice: written here, and real where there is a sample; and a hospital's own."""
    kind, _, cohort_id = request.param.rpartition(" ")
    if cohort_id == ID:
        with known(write_hospital(tmp_path / "hospital", write_record)) as own:
            yield own
        return
    root = request.getfixturevalue("shared") / "data" if kind else write_release(cohort_id)
    found = open_cohort(cohort_id, root)
    assert found is not None
    yield found


def test_every_cohort_that_comes_with_leadboard_is_tested_here():
    published = {cohort_id for cohort_id in all_cohorts() if facts_known(cohort_id)}
    assert set(COHORTS) == published, "list it in COHORTS, and how it looks on disk in the WRITERS of a file"


def test_contract(cohort, tmp_path):
    index = cohort.index()
    names = "record_id patient_id age sex fold statements report path"
    assert list(index.columns) == names.split()
    assert index.dtypes.astype(str).to_dict() == {
        "record_id": "str",
        "patient_id": "str",
        "age": "float64",
        "sex": "str",
        "fold": "Int64",
        "statements": "object",
        "report": "str",
        "path": "str",
    }
    assert len(index) > 0
    assert index["record_id"].is_unique
    assert index["record_id"].is_monotonic_increasing
    assert list(index.index) == list(range(len(index)))
    assert index["age"].dropna().between(0, 120, inclusive="right").all()
    assert set(index["sex"].dropna()) <= {"female", "male"}
    least = 0 if cohort.card.id in MAY_STATE_NOTHING else 1
    for codes in index["statements"]:
        assert isinstance(codes, tuple)
        assert len(set(codes)) == len(codes) >= least
    others = [text for text in problems(cohort) if "sexes" not in text]
    assert others == [], "some of the releases that are written here have sexes that nobody understands"

    calls = []
    with prepare(
        cohort, tmp_path / "cache", progress=lambda done, total: calls.append((done, total))
    ) as store:
        assert calls == [(number + 1, len(index)) for number in range(len(index))]
        pd.testing.assert_frame_equal(store.index, index)
        assert store.quarantine.empty
        assert store.card == cohort.card
        assert len(store) == len(index) == len(store.labels) == len(store.lengths) == len(store.rates)
        ontology = load_ontology()
        labelling = ontology.label_hashes(cohort.card.id, cohort.card.vocabulary)
        assert store.ontology_hash == hash_of_labelling(labelling)
        assert store.ontology_version == ontology.version
        expected = ontology.labels(cohort.card.id, cohort.card.vocabulary, index["statements"].tolist())
        np.testing.assert_array_equal(store.labels.to_numpy(), expected.to_numpy())
        assert list(store.labels.columns) == list(expected.columns)
        assert set(store.labels.dtypes) == {np.dtype(np.int8)}
        for position in range(0, len(store), max(1, len(store) // 7)):
            native = standard_leads(cohort.read(index["record_id"][position]))
            recording = store.recording(position)
            assert recording.leads == STANDARD_LEADS
            assert recording.signal.dtype == np.float32
            assert recording.signal.shape == (12, store.lengths[position])
            assert recording.sampling_rate == store.rates[position] == native.sampling_rate
            np.testing.assert_array_equal(store.counts(position), native.counts)
            np.testing.assert_array_equal(recording.signal, native.to_recording().signal)

    fresh = type(cohort)(cohort.root)
    assert prepare(fresh, tmp_path / "elsewhere").fingerprint == store.fingerprint


@pytest.mark.parametrize("cohort_id", REAL)
def test_real_numbers_of_records_and_rates(shared, tmp_path, cohort_id):
    cohort = open_cohort(cohort_id, shared / "data")
    records, rates = REAL[cohort_id]
    assert len(cohort.index()) == records
    store = prepare(cohort, tmp_path)
    assert set(store.rates) == rates == {cohort.card.sampling_rates[0]}


def test_gains_that_differ_from_the_release_are_warned_of(shared, tmp_path):
    georgia = prepare(open_cohort("georgia", shared / "data"), tmp_path)
    assert "E00015 (4880/mV), E00018 (4880/mV)" in georgia.warnings[0]
    copy = prepare(open_cohort("challenge-ptb-xl", shared / "data"), tmp_path)
    assert "HR00599 (200/mV), HR20715 (200/mV)" in copy.warnings[0]
    assert len(prepare(open_cohort("ningbo", shared / "data"), tmp_path).warnings) == 0


def test_known_real_rows(shared):
    rows = open_cohort("georgia", shared / "data").index().set_index("record_id")
    assert np.isnan(rows.loc["E00001", "age"])
    assert rows.loc["E00001", "sex"] == "female"
    assert rows.loc["E00001", "statements"] == ("426783006",)
    first = open_cohort("ptb-xl", shared / "data").index().set_index("record_id").loc["1"]
    assert first["patient_id"] == "15709"
    assert (first["age"], first["sex"], first["fold"]) == (56.0, "female", 3)
    assert first["statements"] == ("NORM", "LVOLT", "SR", "axis not stated")
    assert first["report"] == "sinusrhythmus periphere niederspannung"


def test_the_challenge_copy_of_ptb_xl_holds_the_same_recordings(shared):
    """HR00001 is record 1: same counts, sex, age (where neither is hidden)."""
    original = open_cohort("ptb-xl", shared / "data")
    copy = open_cohort("challenge-ptb-xl", shared / "data")
    ids = {f"HR{int(record_id):05d}": record_id for record_id in original.index()["record_id"]}
    shared_ids = [record_id for record_id in copy.index()["record_id"] if record_id in ids]
    assert shared_ids
    ours, theirs = original.index().set_index("record_id"), copy.index().set_index("record_id")
    for record_id in shared_ids:
        np.testing.assert_array_equal(copy.read(record_id).counts, original.read(ids[record_id]).counts)
        assert theirs.loc[record_id, "sex"] == ours.loc[ids[record_id], "sex"]
    assert copy.card.copy_of == "ptb-xl"


def test_wfdb_agrees_on_golden_values(shared):
    """First counts of leads I, II and V6, as `wfdb.rdrecord(..., physical=False)` gives them."""
    golden = {
        ("chapman-shaoxing", "JS00004"): (195, 107, 342),
        ("cpsc-2018", "A0002"): (-1, -15, -11),
        ("cpsc-2018-extra", "Q0001"): (0, 10, 9),
        ("georgia", "E00001"): (136, 87, 78),
        ("ptb", "S0001"): (-245, -229, 195),
        ("ptb-xl", "1"): (-115, -50, -75),
    }
    for (cohort_id, record_id), counts in golden.items():
        digital = standard_leads(open_cohort(cohort_id, shared / "data").read(record_id))
        assert tuple(digital.counts[[0, 1, 11], 0]) == counts, cohort_id


# --- the Challenge's own rules ---------------------------------------------------------------------


def challenge_with(write_release, old, new, record="g1/X0001.hea"):
    root = write_release("georgia")
    header = root / find_cohort("georgia").card.folder / record
    header.write_text(header.read_text().replace(old, new))
    return open_cohort("georgia", root)


def test_challenge_values(write_release):
    rows = open_cohort("georgia", write_release("georgia")).index().set_index("record_id")
    assert rows.loc["X0003", "statements"] == ("426783006",), "# Dx: with a blank"
    assert rows.loc["X0005", "statements"] == ("426783006", "164889003"), "a repeated code counts once"
    assert np.isnan(rows.loc["X0004", "age"])
    assert rows["patient_id"].isna().all()
    assert rows["report"].isna().all()
    assert rows["fold"].isna().all()


@pytest.mark.parametrize("age", ["0", "-1", "121", "300", "nan", "inf", "56y", "", "1e400"])
def test_ages_that_are_none(write_release, age):
    rows = challenge_with(write_release, "Age: 41", f"Age: {age}").index()
    assert np.isnan(rows["age"][0])


@pytest.mark.parametrize("sex", ["Unknown", "", "NaN", "2", "Femal"])
def test_sexes_that_are_none(write_release, sex):
    assert pd.isna(challenge_with(write_release, "Sex: Female", f"Sex: {sex}").index()["sex"][0])


def test_contradicting_repeated_fields_are_unknown_and_repeated_codes_are_joined(write_release):
    rows = challenge_with(write_release, "#Age: 41", "#Age: 41\n#Age: 42\n#Dx: 1,426783006").index()
    assert np.isnan(rows["age"][0])
    assert rows["statements"][0] == ("1", "426783006")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("#Dx: 426783006", "#Dx:", "no diagnosis"),
        ("#Dx", "#Ex", "no diagnosis"),
        ("Dx: 426783006", "Dx: Unknown", "no diagnosis that can be read"),
        ("Dx: 426783006", 'Dx: "426783006,164889003"', "no diagnosis that can be read"),
        ("Dx: 426783006", "Dx: 426783006 164889003", "no diagnosis that can be read"),
        ("Dx: 426783006", "Dx: 426783006;164889003", "no diagnosis that can be read"),
        ("Dx: 426783006", "Dx: 426783006.0", "no diagnosis that can be read"),
        ("X0001 12", "X0001 twelve", "not a readable WFDB header"),
        (" 1000/mV", " nan/mV", "gain"),
    ],
)
def test_a_challenge_header_that_cannot_be_used_is_quarantined(write_release, tmp_path, old, new, reason):
    store = prepare(challenge_with(write_release, old, new), tmp_path / "cache")
    assert list(store.quarantine["record_id"]) == ["X0001"]
    assert reason in store.quarantine["reason"][0]
    assert "X0001" not in set(store.index["record_id"])
    assert len(store) == 5


def test_what_stands_beside_a_readable_code_leaves_the_rest_open(write_release, tmp_path):
    cohort = challenge_with(write_release, "Dx: 426783006", "Dx: 164889003,Unknown")
    store = prepare(cohort, tmp_path / "cache")
    assert store.index["statements"][0] == ("164889003", "Unknown")
    assert store.labels.loc[0, ["AF", "RBBB", "STach"]].tolist() == [1, -1, -1]
    assert store.labels.loc[1, ["AF", "RBBB", "STach"]].tolist() == [0, 0, 0]
    (warning,) = [text for text in store.warnings if "in no table" in text]
    assert "'snomed'" in warning
    assert warning.endswith(": 1; the codes are Unknown (1x).")


def test_a_flat_challenge_folder_is_read_like_one_with_sub_folders(write_release, tmp_path):
    root = write_release("georgia")
    folder = root / find_cohort("georgia").card.folder
    nested = prepare(open_cohort("georgia", root), tmp_path / "cache")
    for file in list(folder.rglob("X*")):
        file.rename(folder / file.name)
    flat = prepare(open_cohort("georgia", root), tmp_path / "cache")
    assert len(flat) == 6
    assert flat.fingerprint == nested.fingerprint, "where a record lies does not matter"


def test_a_record_id_that_occurs_twice_is_used_once(write_release, tmp_path):
    root = write_release("georgia")
    folder = root / find_cohort("georgia").card.folder
    shutil.copytree(folder / "g1", folder / "g9")
    store = prepare(open_cohort("georgia", root), tmp_path / "cache")
    assert len(store) == 6
    assert list(store.quarantine["record_id"]) == ["X0001", "X0002", "X0003"]
    assert "g9/X0001.hea and, used, at g1/X0001.hea" in store.quarantine["reason"][0]


@pytest.mark.parametrize(
    ("written", "sex"),
    [("female", "female"), (" F ", "female"), ("MALE", "male"), ("m", "male"), ("1.0", "female")],
)
def test_ptb_xl_with_the_sex_in_words(write_release, tmp_path, written, sex):
    cohort = ptb_xl_with_sex(write_release, written)
    assert set(cohort.index()["sex"]) == {sex}
    assert not cohort.unknown_sexes


def ptb_xl_with_sex(write_release, written):
    """PTB-XL in which every record has this in the column of the sex."""
    root = write_release("ptb-xl")
    table = root / "ptb-xl" / "ptbxl_database.csv"
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    rows.assign(sex=written).to_csv(table, index=False)
    return open_cohort("ptb-xl", root)


@pytest.mark.parametrize("written", ["", "nan", "Unknown", "N/A"])
def test_a_sex_that_is_not_stated_is_no_reason_to_warn(write_release, tmp_path, written):
    store = prepare(ptb_xl_with_sex(write_release, written), tmp_path / "cache")
    assert store.index["sex"].isna().all()
    assert store.warnings == ()


def test_a_sex_that_nobody_understands_is_said(write_release, tmp_path):
    store = prepare(ptb_xl_with_sex(write_release, "weiblich"), tmp_path / "cache")
    assert store.index["sex"].isna().all()
    assert store.warnings == ("Sexes that are not understood, so that the sex is unknown: 'weiblich' (6x).",)
    challenge = prepare(challenge_with(write_release, "Sex: Female", "Sex: 2"), tmp_path / "cache")
    assert challenge.warnings == ("Sexes that are not understood, so that the sex is unknown: '2' (1x).",)
