"""A store that is changed or damaged while somebody reads it: the same numbers as before, or a sentence."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from cohorts.catalogue import open_cohort
from cohorts.errors import LeadboardError
from cohorts.preparing import prepare
from cohorts.store import Store
from cohorts.store_file import DamagedStoreError
from cohorts.task_store import open_task
from tests.cohorts.test_store_damage import everything, flip, place_of

PROJECT = Path(__file__).resolve().parents[2]


def one_more(cohort, write_record, counts_of):
    """Put another recording before the others, so that all of them move in the store."""
    write_record(
        cohort.root / "g0" / "A0000.hea",
        counts_of(99, 700),
        comments=["Age: 30", "Sex: Male", "Dx: 164889003"],
    )


def test_a_release_that_is_prepared_again_changes_nothing_for_who_reads_the_former(
    georgia, cache, write_record, counts_of
):
    whole = everything(prepare(georgia(), cache))
    lazy = prepare(georgia(), cache)  # nothing is read of it yet
    begun = prepare(georgia(), cache)
    begun.counts(0)
    one_more(georgia(), write_record, counts_of)
    after = prepare(georgia(), cache)
    assert (len(after), after.fingerprint == lazy.fingerprint) == (7, False)
    assert everything(begun) == whole
    assert everything(lazy) == whole


def test_the_same_holds_for_a_task(write_release, cache):
    data = write_release("ptb-xl")
    store = prepare(open_cohort("ptb-xl", data), cache)
    seen = open_task("ptbxl-super", store, data)
    table = data / "ptb-xl" / "ptbxl_database.csv"
    table.write_text(table.read_text().replace("{'NORM': 100.0", "{'IMI': 100.0"))
    after = open_task("ptbxl-super", prepare(open_cohort("ptb-xl", data), cache), data)
    assert seen.labels.loc[0, ["PTBXL_NORM", "PTBXL_MI"]].tolist() == [1, 0]
    assert after.labels.loc[0, ["PTBXL_NORM", "PTBXL_MI"]].tolist() == [0, 1]
    seen.close()
    with pytest.raises(LeadboardError, match="was prepared again, from a changed release, while it"):
        seen.counts(0)


@pytest.mark.parametrize("read", ["counts", "index", "labels", "quarantine", "warnings"])
def test_a_file_that_has_to_be_opened_again_is_compared(georgia, cache, write_record, counts_of, read):
    store = prepare(georgia(), cache)
    os.utime(georgia().root / "g1" / "X0001.hea", ns=(1, 1))
    assert prepare(georgia(), cache).stamp != store.stamp
    store.close()
    assert store.counts(0).shape == (12, 500), "the same recordings, prepared again, are the same store"
    one_more(georgia(), write_record, counts_of)
    prepare(georgia(), cache)
    store.close()
    for _ in range(2):
        with pytest.raises(LeadboardError, match=r"h5 was prepared again.*; run the same command again"):
            store.counts(0) if read == "counts" else getattr(store, read)


def test_other_labels_are_another_store(georgia, cache, stub_ontology, new_stub):
    store = prepare(georgia(), cache)
    stub_ontology(new_stub("two", value=1))
    assert prepare(georgia(), cache).labels.to_numpy().all()
    assert not store.labels.to_numpy().any()
    other = prepare(georgia(), cache)
    stub_ontology(new_stub("three"))
    prepare(georgia(), cache)
    other.close()
    with pytest.raises(LeadboardError, match="prepared again"):
        _ = other.labels


def test_another_process_gets_the_same_store_or_none(georgia, cache, write_record, counts_of):
    store = prepare(georgia(), cache)
    packed = pickle.dumps(store)
    assert everything(pickle.loads(packed)) == everything(store)
    one_more(georgia(), write_record, counts_of)
    prepare(georgia(), cache)
    with pytest.raises(LeadboardError, match="was prepared again"):
        pickle.loads(packed)


FORKED = """
import os, sys
from pathlib import Path
from cohorts.errors import LeadboardError
from cohorts.store import Store
store = Store(Path(sys.argv[1]))
store.counts(0)
if sys.argv[2] == "changed":
    os.replace(sys.argv[3], sys.argv[1])
child = os.fork()
if not child:
    try:
        seen = store.counts(3).tobytes() == Store(Path(sys.argv[1])).counts(3).tobytes()
        os._exit(0 if seen else 1)
    except LeadboardError:
        os._exit(2)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
assert store.counts(5).shape == (12, 500)
print(code)
"""


@pytest.mark.parametrize(("what", "code"), [("same", 0), ("changed", 2)])
def test_a_forked_process_gets_the_same_store_or_none(
    georgia, cache, tmp_path, write_record, counts_of, what, code
):
    path = prepare(georgia(), cache).path
    one_more(georgia(), write_record, counts_of)
    other = prepare(georgia(), tmp_path / "other").path
    command = [sys.executable, "-c", FORKED, path, what, other]
    done = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)
    assert done.stdout == f"{code}\n"


def test_a_damaged_signal_is_made_again_while_it_is_read(georgia, cache):
    whole = everything(prepare(georgia(), cache))
    said = []
    store = prepare(georgia(), cache, say=said.append)
    start, _ = place_of(store.path, "signals/counts")
    flip(store.path, start + 30_000)
    assert everything(store) == whole
    assert said == [
        f"The store of {store.card.name}, {store.path}, was damaged (the signal of record X0003 of "
        f"{store.card.name} does not fit its checksum) and is made again."
    ]
    store.close()
    assert everything(Store(store.path)) == whole


@pytest.mark.parametrize("table", ["labels", "index/age", "quarantine/reason", "warnings"])
def test_a_table_that_is_damaged_after_it_was_opened_is_made_again(georgia, cache, table):
    whole = everything(prepare(georgia(), cache))
    said = []
    store = prepare(georgia(), cache, say=said.append)
    store.close()
    start, size = place_of(store.path, table)
    flip(store.path, start + size - 1)
    assert everything(store) == whole
    (sentence,) = said
    assert f"was damaged (/{table} does not fit its checksum) and is made again." in sentence


def test_a_task_mends_the_store_of_its_cohort(write_release, cache):
    data, said = write_release("ptb-xl"), []
    store = prepare(open_cohort("ptb-xl", data), cache, say=said.append)
    seen = open_task("ptbxl-super", store, data)
    fingerprint, signal = seen.fingerprint, seen.counts(0)
    start, _ = place_of(store.path, "signals/counts")
    flip(store.path, start)
    seen.close()
    np.testing.assert_array_equal(seen.counts(0), signal)
    assert (len(said), seen.fingerprint) == (1, fingerprint)


def test_damage_and_a_changed_release_stop_the_reader(georgia, cache, write_record, counts_of):
    said = []
    store = prepare(georgia(), cache, say=said.append)
    start, _ = place_of(store.path, "signals/counts")
    flip(store.path, start)
    one_more(georgia(), write_record, counts_of)
    with pytest.raises(LeadboardError, match="was prepared again, from a changed release"):
        store.counts(0)
    assert len(prepare(georgia(), cache)) == 7


def test_damage_without_the_release_is_told(write_release, cache):
    data = write_release("ptb-xl")
    store = prepare(open_cohort("ptb-xl", data), cache)
    start, _ = place_of(store.path, "signals/counts")
    flip(store.path, start)
    (data / "ptb-xl" / "records500").rename(data / "gone")
    with pytest.raises(
        DamagedStoreError,
        match=r"does not fit its checksum, and it cannot be made again: .*records500 cannot be read "
        r"\(No such file or directory\); is .* complete\?\); delete it and prepare it again",
    ):
        store.counts(0)


def test_many_threads_mend_a_store_once(georgia, cache):
    whole = [prepare(georgia(), cache).counts(position).copy() for position in range(6)]
    said, found = [], {}
    store = prepare(georgia(), cache, say=said.append)
    start, _ = place_of(store.path, "signals/counts")
    for position in range(6):
        flip(store.path, start + 12_000 * position)

    def read(position):
        found[position] = store.counts(position).copy()

    threads = [threading.Thread(target=read, args=(position,)) for position in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(said) == 1
    for position in range(6):
        np.testing.assert_array_equal(found[position], whole[position])


def test_a_store_holds_nothing_that_was_read_of_its_release(write_release, cache):
    """The index of a large release is a gigabyte, and an open file of arrays would be read as it was."""
    for cohort_id in ("georgia", "code-15"):
        cohort = open_cohort(cohort_id, write_release(cohort_id))
        store = prepare(cohort, cache)
        _, kept, _ = store.file.make_again.args
        assert "_index" in vars(cohort)
        assert "_index" not in vars(kept)
        assert not vars(kept).get("_arrays")


def test_damage_is_told_from_one_process_to_another():
    error = pickle.loads(pickle.dumps(DamagedStoreError(Path("a.h5"), "cut off")))
    assert str(error) == "a.h5 is damaged (cut off); delete it and prepare it again."
