"""What the real samples share: renamed PTB-XL in the Challenge, records issued twice, and nothing else."""

from __future__ import annotations

import pytest

from cohorts.catalogue import open_cohort
from cohorts.overlap.search import find_overlap, overlap_sentences, summarise
from cohorts.preparing import prepare
from cohorts.sources.ptb_xl import PtbXl
from cohorts.store import Store
from tests.cohorts.overlap.test_overlap import Drawn, stored


@pytest.fixture(scope="module")
def stores(shared, tmp_path_factory):
    """Stores of the real samples by cohort id, PTB-XL also at 100 Hz."""
    cache = tmp_path_factory.mktemp("cache")
    made: dict[str, Store] = {}
    for name in ("challenge-ptb-xl", "georgia", "ningbo", "chapman-shaoxing", "cpsc-2018-extra", "ptb"):
        made[name] = prepare(open_cohort(name, shared / "data"), cache)
    for rate in (100, 500):
        made[f"ptb-xl at {rate}"] = prepare(PtbXl(shared / "data" / "ptb-xl", rate), cache)
    return made


@pytest.mark.parametrize("rate", [100, 500])
def test_renamed_records_of_ptb_xl_are_found_in_the_challenge(stores, rate):
    challenge, ptb_xl = stores["challenge-ptb-xl"], stores[f"ptb-xl at {rate}"]
    ids = set(ptb_xl.index["record_id"])
    expected = {(name, str(int(name[2:]))) for name in challenge.index["record_id"]}
    expected = {pair for pair in expected if pair[1] in ids}
    assert len(expected) == 6
    found = find_overlap(challenge, ptb_xl)
    assert set(zip(found["record_a"], found["record_b"], strict=True)) == expected
    assert found["similarity"].min() > 0.999
    summary = summarise(found, challenge, ptb_xl)
    assert summary["stated"]
    assert overlap_sentences(summary) == [
        "6 of 27 records of challenge-ptb-xl are also in ptb-xl (6 of its 400)."
    ]


def test_the_publishers_two_rates_are_the_same_recordings(stores):
    low, high = stores["ptb-xl at 100"], stores["ptb-xl at 500"]
    found = find_overlap(low, high)
    pairs = set(zip(found["record_a"], found["record_b"], strict=True))
    twice = {("137", "138"), ("143", "144")}
    expected = {(name, name) for name in low.index["record_id"]} | twice | {(b, a) for a, b in twice}
    assert pairs == expected
    assert found["similarity"].min() > 0.999


def test_records_that_were_published_twice_are_found(stores):
    ptb_xl = stores["ptb-xl at 500"]
    found = find_overlap(ptb_xl, ptb_xl)
    assert list(zip(found["record_a"], found["record_b"], strict=True)) == [("137", "138"), ("143", "144")]
    patients = ptb_xl.index.set_index("record_id")["patient_id"]
    assert (patients[found["record_a"]].to_numpy() == patients[found["record_b"]].to_numpy()).all()


def test_unrelated_cohorts_share_nothing(stores):
    names = ["georgia", "ningbo", "chapman-shaoxing", "cpsc-2018-extra", "ptb", "ptb-xl at 500"]
    for number, a in enumerate(names):
        for b in names[number + 1 :]:
            assert find_overlap(stores[a], stores[b]).empty, (a, b)


def test_other_pieces_of_the_same_recording_are_no_copies_and_excerpts_are(stores):
    whole = stores["ptb"]
    pieces = [
        stored(recording.signal[:, start : start + 10_000], 1000)
        for recording in map(whole.recording, range(len(whole)))
        for start in range(0, recording.signal.shape[1] - 9_999, 10_000)
    ]
    assert len(pieces) > 80
    cohort = Drawn("pieces", pieces)
    assert find_overlap(cohort, cohort).empty
    found = find_overlap(whole, cohort)
    assert len(found) == len(pieces)
    assert sorted(found["record_b"]) == sorted(cohort.index["record_id"])
