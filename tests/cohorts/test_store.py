"""The store: reuse, quarantine, hostile content, damage, kill -9, full disk, memory."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import find_cohort, open_cohort
from cohorts.cohort import Cohort, IndexRow, Unreadable
from cohorts.errors import LeadboardError
from cohorts.ontology.labelling import hash_of_labelling
from cohorts.ontology.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.recording import MISSING, STANDARD_LEADS

PROJECT = Path(__file__).resolve().parents[2]


def forbid_reading(monkeypatch):
    def read_path(self, path):
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr(Cohort, "read_path", read_path)


# --- reuse --------------------------------------------------------------------------------------------


def test_a_second_call_reads_no_signal_and_is_quick(georgia, cache, monkeypatch):
    first = prepare(georgia(), cache)
    forbid_reading(monkeypatch)
    start = time.perf_counter()
    second = prepare(georgia(), cache)
    assert time.perf_counter() - start < 1
    assert second.fingerprint == first.fingerprint


def test_a_second_call_on_the_real_samples_is_quick(shared, cache, monkeypatch):
    ids = ["ptb-xl", "georgia", "ningbo", "ptb"]
    for cohort_id in ids:
        prepare(open_cohort(cohort_id, shared / "data"), cache)
    forbid_reading(monkeypatch)
    start = time.perf_counter()
    for cohort_id in ids:
        prepare(open_cohort(cohort_id, shared / "data"), cache)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("change", ["touched", "longer", "removed", "added"])
def test_a_changed_release_is_prepared_again(georgia, cache, change):
    before = prepare(georgia(), cache)
    header = georgia().root / "g1" / "X0001.hea"
    if change == "touched":
        os.utime(header, ns=(1, 1))
    elif change == "longer":
        header.write_text(header.read_text() + "#Dx: 164889003\n")
    elif change == "removed":
        header.unlink()
    else:
        for suffix in (".hea", ".mat"):
            copy = header.with_name(f"Y1{suffix}")
            copy.write_bytes(header.with_suffix(suffix).read_bytes())
    after = prepare(georgia(), cache)
    assert after.stamp != before.stamp
    assert (after.fingerprint == before.fingerprint) == (change == "touched")


def test_a_change_of_the_reading_code_is_noticed(georgia, cache, monkeypatch):
    before = prepare(georgia(), cache)
    monkeypatch.setattr("cohorts.store_staleness.reading_code", lambda cohort: "another")
    assert prepare(georgia(), cache).stamp != before.stamp


def test_only_labels_are_made_again_for_another_ontology(
    georgia, cache, monkeypatch, stub_ontology, new_stub
):
    before = prepare(georgia(), cache)
    stub_ontology(new_stub("two", value=1, unknown={"426783006": 3}))
    forbid_reading(monkeypatch)
    after = prepare(georgia(), cache)
    assert before.ontology_hash != after.ontology_hash
    assert (after.labels == 1).all(axis=None)
    assert after.fingerprint == before.fingerprint
    assert after.warnings[-1] == (
        "Records with a code in no table of the vocabulary 'snomed', not annotated (-1) for what no other "
        "of their codes states: 6; the codes are 426783006 (3x)."
    )
    np.testing.assert_array_equal(after.counts(2), before.counts(2))


def test_two_data_roots_do_not_share_a_store(georgia, write_release, cache, tmp_path):
    other = open_cohort("georgia", write_release("georgia", tmp_path / "other", records=3))
    assert len(prepare(other, cache)) == 3
    assert len(prepare(georgia(), cache)) == 6
    assert len(prepare(other, cache)) == 3
    assert len(list((cache / "stores").glob("*.h5"))) == 2


def test_an_up_to_date_store_in_somebody_elses_cache_needs_no_lock(georgia, cache, monkeypatch):
    prepare(georgia(), cache)

    def refuse(path, otherwise):
        raise LeadboardError(f"Cannot write {path}: Permission denied; {otherwise}.")

    monkeypatch.setattr("cohorts.preparing.alone", refuse)
    assert len(prepare(georgia(), cache)) == 6


def test_two_threads_prepare_once(georgia, cache, monkeypatch):
    reads = []
    read_path = Cohort.read_path
    monkeypatch.setattr(Cohort, "read_path", lambda self, path: reads.append(path) or read_path(self, path))
    with ThreadPoolExecutor(2) as pool:
        stores = list(pool.map(lambda _: prepare(georgia(), cache), range(2)))
    assert len(reads) == 6
    assert stores[0].fingerprint == stores[1].fingerprint


# --- quarantine and hostile content ---------------------------------------------------------------------


@pytest.fixture
def made(tmp_path, cache, write_record, counts_of, stub_ontology):
    """Prepare a Challenge folder of the given counts by record id."""
    root = tmp_path / "made"

    def make(records, **settings):
        for record_id, counts in records.items():
            write_record(root / f"{record_id}.hea", counts, comments=["Dx: 426783006"], **settings)
        return prepare(find_cohort("georgia")(root), cache)

    return make


def test_signals_without_information_are_quarantined_and_one_flat_lead_is_not(made, counts_of):
    good, flat, gone, both, one_flat = (counts_of(seed) for seed in range(5))
    flat[:] = np.arange(12)[:, None]
    gone[:] = MISSING
    both[:] = 7
    both[:, 10:20] = MISSING
    one_flat[3] = 0
    one_flat[4] = MISSING
    store = made({"good": good, "flat": flat, "gone": gone, "both": both, "one": one_flat})
    assert list(store.index["record_id"]) == ["good", "one"]
    assert store.quarantine.to_dict("list") == {
        "record_id": ["both", "flat", "gone"],
        "reason": ["All leads are flat.", "All leads are flat.", "No sample is finite."],
    }
    assert np.isnan(store.recording(1).signal[4]).all()
    assert np.isfinite(store.recording(1).signal[:4]).all()


def test_damaged_records_are_quarantined_and_the_others_go_on(made, counts_of, tmp_path, cache):
    made({record_id: counts_of(number) for number, record_id in enumerate("abcdef")})
    root = tmp_path / "made"
    (root / "b.dat").unlink()
    (root / "c.dat").write_bytes(b"")
    (root / "d.hea").write_bytes(b"\x00\xff garbage")
    (root / "e.dat").write_bytes((root / "a.dat").read_bytes())
    (root / "f.hea").write_bytes(b"")
    store = prepare(find_cohort("georgia")(root), cache)
    assert list(store.index["record_id"]) == ["a"]
    reasons = dict(zip(store.quarantine["record_id"], store.quarantine["reason"], strict=True))
    assert list(reasons) == ["b", "c", "d", "e", "f"]
    assert "No such file" in reasons["b"]
    assert "0 bytes" in reasons["c"]
    assert "record line" in reasons["d"]
    assert "checksum" in reasons["e"]
    assert "empty" in reasons["f"]
    assert not any(str(tmp_path) in reason for reason in reasons.values()), "a reason names no machine's path"


def test_missing_limb_leads_are_derived_and_a_missing_precordial_lead_is_quarantined(
    made, counts_of, tmp_path, cache
):
    counts = counts_of(1)
    kept = [0, 1, *range(6, 12)]
    store = made({"eight": counts[kept]}, leads=[STANDARD_LEADS[row] for row in kept])
    np.testing.assert_allclose(store.recording(0).signal, counts / 1000, atol=1.5e-3)
    np.testing.assert_array_equal(store.counts(0)[2], counts[2])
    store = made({"seven": counts[kept[:-1]]}, leads=[STANDARD_LEADS[row] for row in kept[:-1]])
    assert list(store.quarantine["record_id"]) == ["seven"]
    assert "V6 is missing" in store.quarantine["reason"][0]


def test_a_release_of_which_nothing_can_be_used_still_has_a_store(made):
    store = made({"flat": np.zeros((12, 100), np.int16)})
    assert len(store) == 0
    assert list(store.labels.columns) == ["AF", "NORM"]
    assert store.labels.shape == (0, 2)
    assert list(store.quarantine["record_id"]) == ["flat"]


class Hostile(Cohort):
    """A release whose text is out to break files."""

    card = find_cohort("georgia").card
    text = "NUL \0, lone \ud800 surrogate, \x1b[31m, \N{GREEK SMALL LETTER MU}, 心电图, "

    def _read_index(self):
        yield IndexRow(
            record_id=" a\0b\ud800 ",
            path="r.hea",
            statements=("x\0", "\udfff", "", "x\0", "'\";--"),
            patient_id="",
            report=self.text + "y" * 1_000_000,
        )
        yield IndexRow(
            record_id="\0", path="r.hea", statements=(), patient_id="p\n", age=float("inf"), report=" "
        )
        yield IndexRow(record_id="bad path", path="r\udc80.hea", statements=("x",))
        yield IndexRow(record_id="  ", path="r.hea", statements=("x",))
        yield Unreadable("u\0", "because \ud800")


def test_hostile_text_does_not_break_a_store(tmp_path, cache, write_record, counts_of, stub_ontology):
    write_record(tmp_path / "r.hea", counts_of(1))
    cohort = Hostile(tmp_path)
    store = prepare(cohort, cache)
    pd.testing.assert_frame_equal(store.index, cohort.index())
    assert list(store.index["record_id"]) == ["a\ufffdb?", "\ufffd"]
    assert store.index["statements"][0] == ("x\ufffd", "?", "'\";--")
    assert pd.isna(store.index["patient_id"][0])
    assert pd.isna(store.index["report"][1])
    assert np.isnan(store.index["age"]).all()
    assert len(store.index["report"][0]) == 100_000
    assert "心电图" in store.index["report"][0]
    assert sorted(store.quarantine["record_id"]) == ["", "bad path", "u\ufffd"]
    assert prepare(Hostile(tmp_path), cache).fingerprint == store.fingerprint


def test_the_fingerprint_depends_on_content_and_not_on_place_or_time(georgia, cache, tmp_path, write_release):
    first = prepare(georgia(), cache)
    elsewhere = write_release("georgia", tmp_path / "elsewhere")
    assert prepare(open_cohort("georgia", elsewhere), cache).fingerprint == first.fingerprint
    prints = {first.fingerprint}
    header = elsewhere / find_cohort("georgia").card.folder / "g1" / "X0001.hea"
    text = header.read_text()
    for old, new in [
        ("Age: 41", "Age: 42"),
        ("Female", "Male"),
        ("Dx: 4", "Dx: 164889003,4"),
        (" 1000/", " 200/"),
    ]:
        header.write_text(text.replace(old, new))
        prints.add(prepare(open_cohort("georgia", elsewhere), cache).fingerprint)
    header.write_text(text.replace(" 500 500", " 250 500"))
    prints.add(prepare(open_cohort("georgia", elsewhere), cache).fingerprint)
    assert len(prints) == 6


def test_one_changed_sample_changes_the_fingerprint(made, counts_of):
    counts = counts_of(1)
    before = made({"a": counts}).fingerprint
    counts[5, 250] += 1
    assert made({"a": counts}).fingerprint != before


# --- processes and threads ------------------------------------------------------------------------------


def _first_counts(store):
    return store.counts(0)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 on, of any process with threads
def test_a_store_survives_pickling_forking_and_threads(georgia, cache):
    store = prepare(georgia(), cache)
    expected = store.counts(0)
    clone = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(clone.counts(0), expected)
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            np.testing.assert_array_equal(pool.apply(_first_counts, (store,)), expected)
    with ThreadPoolExecutor(4) as pool:
        for counts in pool.map(lambda number: store.counts(number % 6), range(60)):
            assert counts.shape == expected.shape
    store.close()
    np.testing.assert_array_equal(store.counts(0), expected)
    store.close()
    store.close()


def test_positions_outside_the_store_are_index_errors(georgia, cache):
    store = prepare(georgia(), cache)
    np.testing.assert_array_equal(store.counts(-1), store.counts(5))
    with pytest.raises(IndexError):
        store.recording(6)


def test_labels_are_those_of_the_real_ontology(georgia, cache):
    store = prepare(georgia(), cache)
    atrial_fibrillation = store.labels["AF"]
    assert list(atrial_fibrillation) == [0, 0, 0, 0, 1, 0]
    labelling = load_ontology().label_hashes("georgia", "snomed")
    assert store.ontology_hash == hash_of_labelling(labelling)
