"""What `prepare` writes, read with h5py alone, and what it says about a release."""

from __future__ import annotations

import json
import math
import zlib

import h5py
import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import find_cohort
from cohorts.cohort import Cohort, IndexRow, Unreadable
from cohorts.preparing import prepare
from cohorts.recording import MISSING
from cohorts.store import Store, rows_of


def text(table):
    return json.loads(table[:].tobytes())


@pytest.fixture
def made(tmp_path, write_record, stub_ontology):
    """Prepare a Challenge folder of the given records: counts, and how each is written."""

    def make(records):
        for record_id, (counts, settings) in records.items():
            write_record(tmp_path / "made" / f"{record_id}.hea", counts, comments=["Dx: 1"], **settings)
        return prepare(find_cohort("georgia")(tmp_path / "made"), tmp_path / "cache")

    return make


def test_the_layout_is_the_one_described(made, counts_of):
    signals = {"a": counts_of(1, 500), "b": counts_of(2, 300), "c": counts_of(3, 41)}
    settings = {"a": {}, "b": {"rate": 250, "gain": "200(7)/mV"}, "c": {}}
    store = made({name: (counts, settings[name]) for name, counts in signals.items()})
    store.close()
    with h5py.File(store.path, "r") as file:
        assert file.attrs["format"] == 2
        assert json.loads(bytes(file.attrs["card"]))["id"] == "georgia"
        assert text(file["index/record_id"]) == ["a", "b", "c"]
        assert text(file["index/patient_id"]) == [None, None, None]
        assert text(file["index/statements"]) == [["1"], ["1"], ["1"]]
        assert file["index/fold"][:].tolist() == [-1, -1, -1]
        assert text(file["concepts"]) == ["AF", "NORM"]
        assert file["labels"].shape == (3, 2)
        table = file["signals"]
        assert table["offset"][:].tolist() == [0, 6000, 9600]
        assert table["length"][:].tolist() == [500, 300, 41]
        assert table["rate"][:].tolist() == [500, 250, 500]
        assert table["gain"][:].tolist() == [[1000.0] * 12, [200.0] * 12, [1000.0] * 12]
        assert table["baseline"][:].tolist() == [[0.0] * 12, [7.0] * 12, [0.0] * 12]
        counts = table["counts"][:]
        assert len(counts) == 9600 + 12 * 41
        for position, signal in enumerate(signals.values()):
            start = table["offset"][position]
            own = counts[start : start + signal.size].astype("<i2")
            np.testing.assert_array_equal(own.reshape(12, -1), signal)
            assert table["crc32"][position] == zlib.crc32(own.tobytes())


def test_records_may_lie_across_the_pieces_in_which_signals_are_written(made, counts_of):
    """A piece is 2 to the power of 20 counts: the first record is four short of one, the third fills two."""
    lengths = {"a": 87_381, "b": 200, "c": 180_000, "d": 100}
    signals = {name: counts_of(number, length) for number, (name, length) in enumerate(lengths.items())}
    store = made({name: (counts, {}) for name, counts in signals.items()})
    with Store(store.path) as opened:
        for position, signal in enumerate(signals.values()):
            np.testing.assert_array_equal(opened.counts(position), signal)
    store.close()
    with h5py.File(store.path, "r") as file:
        assert file["signals/counts"].shape == (sum(signal.size for signal in signals.values()),)


class Listed(Cohort):
    """A release whose rows are given, all with the same signal."""

    card = find_cohort("ptb-xl").card
    rows: tuple[IndexRow | Unreadable, ...] = ()

    def _read_index(self):
        yield from self.rows


@pytest.fixture
def listed(tmp_path, write_record, counts_of, stub_ontology):
    """Prepare a cohort of these rows."""
    write_record(tmp_path / "r.hea", counts_of(1))

    def make(*rows):
        kind = type("Listed", (Listed,), {"rows": rows, "__module__": __name__})
        return prepare(kind(tmp_path), tmp_path / "cache")

    return make


def row(record_id, **facts):
    return IndexRow(record_id=record_id, path="r.hea", statements=("x",), **facts)


def test_no_fold_is_not_the_first_and_no_age_is_not_zero(listed):
    store = listed(row("a", fold=0, age=0.5), row("b"), row("c", fold=10, age=120.0))
    assert store.index["fold"].tolist() == [0, pd.NA, 10]
    assert store.index["age"].tolist()[::2] == [0.5, 120.0]
    assert math.isnan(store.index["age"][1])


def test_the_parts_of_a_split_are_those_of_the_card(listed):
    """PTB-XL: folds 1 to 8, 9 and 10; a record without a fold is in no part."""
    store = listed(*(row(f"{fold:02d}", fold=fold) for fold in range(1, 11)), row("11"))
    assert rows_of(store, "training").tolist() == list(range(8))
    assert rows_of(store, "validation").tolist() == [8]
    assert rows_of(store, "test").tolist() == [9]


def test_a_release_without_a_split_has_no_parts(georgia, cache):
    assert rows_of(prepare(georgia(), cache), "test").tolist() == []


def test_what_cannot_be_used_is_listed_in_order(listed, tmp_path):
    (tmp_path / "empty.hea").write_text("")
    store = listed(
        IndexRow(record_id="b", path="empty.hea", statements=("x",)), row("c"), Unreadable("d", "Why."),
        Unreadable("a", "Because."),
    )  # fmt: skip
    assert store.index["record_id"].tolist() == ["c"]
    assert store.quarantine.to_dict("list") == {
        "record_id": ["a", "b", "d"],
        "reason": ["Because.", "empty.hea is empty.", "Why."],
    }


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        (5, "5 headers declare another gain than the 1000/mV of {}, and are believed: r0 (500/mV), "
            "r1 (501/mV), r2 (502/mV), r3 (503/mV), r4 (504/mV)."),
        (7, "7 headers declare another gain than the 1000/mV of {}, and are believed: r0 (500/mV), "
            "r1 (501/mV), r2 (502/mV), r3 (503/mV), r4 (504/mV) and 2 more."),
    ],
)  # fmt: skip
def test_the_first_five_odd_headers_are_named(made, counts_of, odd, told):
    gains = ["1000/mV" if number >= odd else f"{500 + number}/mV" for number in range(8)]
    store = made({f"r{n}": (counts_of(n, 50), {"gain": gain}) for n, gain in enumerate(gains)})
    assert store.warnings == (told.format(f"{store.card.name} {store.card.version}"),)


def test_unknown_codes_are_counted_and_told(georgia, cache, stub_ontology, new_stub):
    stub_ontology(new_stub(unknown={"b": 2, "a": 1200}))
    assert prepare(georgia(), cache).warnings == (
        "Records with a code in no table of the vocabulary 'snomed', not annotated (-1) for what no other of "
        "their codes states: 0; the codes are a (1200x), b (2x).",
    )


def test_a_signal_is_usable_if_one_lead_moves_by_one_count(made, counts_of):
    still = np.full((12, 50), 3, np.int16)
    moved, with_gap, only_gap = still.copy(), still.copy(), still.copy()
    moved[11, 49] = 4
    with_gap[:, 10] = MISSING
    with_gap[11, 49] = 4
    only_gap[:, 10] = MISSING
    saturated = np.where(only_gap == MISSING, only_gap, np.int16(32767))
    signals = {"a": moved, "b": with_gap, "c": only_gap, "d": counts_of(1, 50), "e": saturated}
    store = made({name: (counts, {}) for name, counts in signals.items()})
    assert store.index["record_id"].tolist() == ["a", "b", "d"]
    assert store.quarantine["record_id"].tolist() == ["c", "e"]
    assert set(store.quarantine["reason"]) == {"All leads are flat."}
