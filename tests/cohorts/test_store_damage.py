"""A store whose bytes are not those that were written: told, made again, and never another number."""

from __future__ import annotations

import os

import h5py
import pytest

from cohorts.errors import LeadboardError
from cohorts.preparing import prepare
from cohorts.store import Store
from cohorts.store_file import DamagedStoreError, open_file


@pytest.mark.parametrize("value", ["text", 10**15, [1, 2]])  # h5py writes text in another way than bytes
@pytest.mark.parametrize("name", ["fingerprint", "card", "stamp"])
def test_facts_of_another_kind_are_damage(georgia, cache, name, value):
    path = prepare(georgia(), cache).path
    with h5py.File(path, "r+", libver="v110") as file:
        file.attrs[name] = value
    with pytest.raises(DamagedStoreError, match="delete it and prepare it again"):
        Store(path)


def everything(store):
    """All that a store gives, to be compared."""
    with store:
        signals = [store.recording(position).signal.tobytes() for position in range(len(store))]
        tables = [table.to_json() for table in (store.index, store.labels, store.quarantine)]
        facts = [store.fingerprint, store.stamp, store.ontology_hash, store.ontology_version, store.card]
        return signals, tables, facts, store.warnings, store.rates.tolist(), store.lengths.tolist()


def flip(path, place, bit=0):
    """Flip one bit of a file; once more, and it is as it was."""
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1 << bit]))


def place_of(path, table):
    """Where the content of a table begins in the file, and how many bytes it has, as h5py finds it."""
    with open_file(path) as file:
        dataset = file[table]
        if dataset.chunks is None:
            return dataset.id.get_offset(), dataset.nbytes
        chunk = dataset.id.get_chunk_info(0)
        return chunk.byte_offset, chunk.size


def test_a_store_that_is_not_there_or_damaged_is_told_in_a_sentence(georgia, cache, tmp_path):
    with pytest.raises(LeadboardError, match="is not there; prepare the cohort first"):
        Store(tmp_path / "none.h5")
    path = prepare(georgia(), cache).path
    whole = path.read_bytes()
    for damaged in (b"", b"garbage", whole[: len(whole) // 2], whole[:-100], b"\0" * len(whole)):
        path.write_bytes(damaged)
        with pytest.raises(LeadboardError, match="delete it and prepare it again"):
            Store(path)
        assert len(prepare(georgia(), cache)) == 6, "prepare writes it anew"


def test_another_layout_version_is_told_and_rebuilt(georgia, cache):
    path = prepare(georgia(), cache).path
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = 999
    with pytest.raises(LeadboardError, match="layout of another version"):
        Store(path)
    assert len(prepare(georgia(), cache)) == 6


@pytest.mark.parametrize("missing", ["signals", "labels", "index", "quarantine", "warnings"])
def test_a_store_without_one_of_its_tables_is_damaged(georgia, cache, missing):
    path = prepare(georgia(), cache).path
    with h5py.File(path, "r+") as file:
        del file[missing]
    with pytest.raises(LeadboardError, match="damaged"):
        getattr(Store(path), missing)


@pytest.mark.parametrize("table", ["labels", "concepts", "index/report", "signals/gain", "quarantine/reason"])
def test_a_table_that_became_a_group_is_damage(georgia, cache, table):
    path = prepare(georgia(), cache).path
    with h5py.File(path, "r+", libver="v110") as file:
        del file[table]
        file.create_group(table)
    with pytest.raises(DamagedStoreError, match=f"{table} is no table"):
        everything(Store(path))
    assert len(prepare(georgia(), cache)) == 6, "prepare writes it anew"


def test_a_flipped_bit_of_a_signal_is_told_with_its_record(georgia, cache):
    store = prepare(georgia(), cache)
    start, _ = place_of(store.path, "signals/counts")
    per_record = 12 * 500 * 2  # six records of twelve leads, 500 samples and 16 bits
    for place in (start + 2 * per_record, start + 3 * per_record - 1):
        whole = everything(Store(store.path))
        flip(store.path, place, bit=3)
        damaged = Store(store.path)
        for position in (0, 1, 3, 4, 5):
            assert damaged.recording(position).signal.tobytes() == whole[0][position]
        for _ in range(2):
            with pytest.raises(
                DamagedStoreError,
                match=r"h5 is damaged \(the signal of record X0003 of Georgia.* does not fit its checksum\); "
                "delete it and prepare it again",
            ):
                damaged.recording(2)
        flip(store.path, place, bit=3)
    assert everything(Store(store.path)) == whole


def test_a_signal_is_checked_again_once_the_file_was_closed(georgia, cache):
    store = Store(prepare(georgia(), cache).path)
    start, _ = place_of(store.path, "signals/counts")
    store.counts(1)
    flip(store.path, start + 12_000)
    store.close()
    with pytest.raises(DamagedStoreError, match="X0002"):
        store.counts(1)


TABLES = [
    *("labels", "concepts", "unknown_codes", "warnings"),
    *(f"index/{name}" for name in ("record_id", "patient_id", "age", "sex", "fold", "statements", "path")),
    *(f"signals/{name}" for name in ("offset", "length", "rate", "crc32", "gain", "baseline")),
]


@pytest.mark.parametrize("table", TABLES)
def test_a_flipped_bit_of_a_table_is_told_and_prepare_makes_the_store_again(georgia, cache, table):
    store = prepare(georgia(), cache)
    whole = everything(store)
    start, size = place_of(store.path, table)
    flip(store.path, start + size - 1)
    with pytest.raises(
        DamagedStoreError, match=rf"damaged \(/{table} does not fit its checksum\); delete it"
    ):
        everything(Store(store.path))
    said = []
    assert everything(prepare(georgia(), cache, say=said.append)) == whole
    assert said == [
        f"The store of {store.card.name}, {store.path}, was damaged (/{table} does not fit its checksum) "
        "and is made again."
    ]


def test_a_flipped_bit_anywhere_is_told_or_changes_nothing(georgia, cache):
    """Also in what HDF5 keeps for itself: it neither gives another number nor never comes back."""
    path = prepare(georgia(), cache).path
    whole = everything(Store(path))
    start, size = place_of(path, "signals/counts")
    places = [place for place in range(path.stat().st_size) if not start <= place < start + size]
    told = 0
    for number, place in enumerate(places[::61]):
        flip(path, place, number % 8)
        try:
            assert everything(Store(path)) == whole
        except LeadboardError:
            told += 1
        flip(path, place, number % 8)
    assert told > len(places) / 61 / 2


def test_only_damage_is_said(georgia, cache):
    said = []
    path = prepare(georgia(), cache, say=said.append).path
    prepare(georgia(), cache, say=said.append)
    os.utime(georgia().root / "g1" / "X0001.hea", ns=(1, 1))
    prepare(georgia(), cache, say=said.append)
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = 999
    prepare(georgia(), cache, say=said.append)
    assert said == []
    path.write_bytes(b"garbage")
    prepare(georgia(), cache, say=said.append)
    prepare(georgia(), cache, say=said.append)
    (sentence,) = said
    assert sentence.startswith(f"The store of Georgia 12-lead ECG Challenge database, {path}, was damaged (")
    assert sentence.endswith(") and is made again.")


def test_signals_cut_off_inside_a_valid_file_are_damage(georgia, cache):
    path = prepare(georgia(), cache).path
    with h5py.File(path, "r+") as file:
        file["signals/counts"].resize((100,))
    with pytest.raises(LeadboardError, match="damaged"):
        Store(path).counts(0)
