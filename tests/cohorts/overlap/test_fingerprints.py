"""A fingerprint finds its recording again however it was rewritten, and finds no other."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt

from cohorts.errors import LeadboardError
from cohorts.overlap.fingerprint import MARK, TICK, Fingerprints, fingerprints_of, marks_of
from cohorts.overlap.fingerprint_file import FIRST_LINE, CohortFacts, CohortFingerprints, from_bytes, to_bytes
from cohorts.overlap.fingerprint_search import Pair, confirmed, find_pairs
from cohorts.resampling import resample
from tests.cohorts.overlap.test_overlap import RATE, Drawn, drawn, stored, whole_microvolts

HEARTS = range(12)


def together(recordings):
    return fingerprints_of(Drawn("some", recordings))


@pytest.fixture(scope="module")
def clinic():
    return [stored(drawn(heart, noise=0.02)) for heart in HEARTS]


@pytest.fixture(scope="module")
def known(clinic):
    return together(clinic)


def as_muse(signal):
    """Eight leads in steps of 4.88 uV, the others derived."""
    steps = np.rint(signal[[0, 1, *range(6, 12)]] / 0.00488) * 0.00488
    one, two = steps[:2]
    return np.stack([one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2, *steps[2:]])


def consistent(signal):
    """Limb leads that go together, as they do on a patient."""
    one, two = signal[:2]
    return np.stack([one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2, *signal[6:]])


REWRITTEN = {
    "100 Hz": lambda x: (whole_microvolts(resample(x, RATE, 100)), 100),
    "257 Hz": lambda x: (whole_microvolts(resample(x, RATE, 257)), 257),
    "1 uV": lambda x: (whole_microvolts(x), RATE),
    "4.88 uV": lambda x: (np.rint(x / 0.00488) * 0.00488, RATE),
    "times 0.2": lambda x: (whole_microvolts(0.2 * x), RATE),
    "turned leads": lambda x: (x[::-1], RATE),
    "40 Hz": lambda x: (sosfilt(butter(4, 40, fs=RATE, output="sos"), x, axis=1), RATE),
    "8 s": lambda x: (x[:, 437:4437], RATE),
    "padded": lambda x: (np.pad(x, ((0, 0), (385, 1000)), mode="edge"), RATE),
}


@pytest.mark.parametrize("how", REWRITTEN)
def test_a_rewritten_recording_is_found_and_is_the_only_one(clinic, known, how):
    rewritten = [stored(*REWRITTEN[how](recording.signal)) for recording in clinic]
    pairs = find_pairs(together(rewritten), known)
    assert {(pair.a, pair.b) for pair in pairs if pair.sure} == {(heart, heart) for heart in HEARTS}


def test_derived_limb_leads_at_another_rate_hide_no_copy():
    ours = [stored(consistent(drawn(heart, noise=0.02))) for heart in HEARTS]
    theirs = [stored(resample(as_muse(one.signal), RATE, 250), 250) for one in ours]
    pairs = find_pairs(together(theirs), together(ours))
    assert {(pair.a, pair.b) for pair in pairs if pair.sure} == {(heart, heart) for heart in HEARTS}


def test_the_moment_that_is_given_is_the_same_in_both(clinic, known):
    late = [stored(recording.signal[:, 1000:]) for recording in clinic]
    pairs = [pair for pair in find_pairs(together(late), known) if pair.sure]
    assert len(pairs) == len(HEARTS)
    for pair in pairs:
        assert pair.time_b - pair.time_a == pytest.approx(2.0, abs=0.005)
        assert 0 < pair.time_a < 8


def test_the_signals_decide_where_the_fingerprints_are_not_sure(clinic, known):
    ours, others = Drawn("ours", clinic), Drawn("others", [stored(drawn(heart, 1)) for heart in HEARTS])
    pairs = [pair for pair in find_pairs(known, known) if pair.a == pair.b]
    assert confirmed(pairs, ours, others) == pairs  # sure: no signal is looked at
    doubtful = [pair._replace(agreeing=2, differing=0.1) for pair in pairs]
    assert confirmed(doubtful, ours, ours) == doubtful
    assert confirmed(doubtful, ours, others) == []
    other = np.random.default_rng(0).normal(0, 0.1, (4, 5000))  # limb leads that do not go together
    odd = [stored(np.concatenate([one.signal[:2], other, one.signal[6:]])) for one in clinic]
    assert confirmed(doubtful, ours, Drawn("odd", odd)) == doubtful


@pytest.mark.parametrize("paced", [False, True])
def test_another_recording_of_the_same_heart_is_no_copy(paced):
    visits = [[stored(drawn(heart, visit, paced=paced)) for heart in range(20)] for visit in (0, 1)]
    pairs = find_pairs(together(visits[0]), together(visits[1]))
    assert not [pair for pair in pairs if pair.sure]


def test_what_is_kept_does_not_depend_on_the_shape_or_size_of_the_beats(clinic):
    one = marks_of(clinic[0])
    larger = marks_of(stored(3.7 * clinic[0].signal + 0.4))
    assert np.array_equal(one["start"], larger["start"])
    assert np.bitwise_count(one["code"] ^ larger["code"]).mean() < 0.5
    assert set(MARK.names) == {"start", "interval", "code"}


@pytest.mark.parametrize(
    "signal",
    [
        np.zeros((12, 5000)),
        np.full((12, 5000), np.nan),
        np.full((12, 5000), 3.0),
        np.ones((12, 2999)),
        np.zeros((12, 1)),
    ],
    ids=["silent", "missing", "constant", "short", "empty"],
)
def test_what_has_no_beats_has_no_fingerprint(signal):
    assert len(marks_of(stored(signal))) == 0


def test_times_are_those_of_the_beats():
    recording = stored(drawn(3, paced=True))
    marks = marks_of(recording)
    assert len(marks) >= 6
    assert marks["interval"] * TICK == pytest.approx(1.0, abs=0.004)
    assert np.diff(marks["start"].astype(int)) * TICK == pytest.approx(1.0, abs=0.004)


# --- files --------------------------------------------------------------------------------------------


def facts(found):
    return CohortFacts(
        cohort="some",
        name="Some",
        version="1",
        simulated=True,
        fingerprint="f",
        records=len(found),
        marks=len(found.marks),
    )


def file_of(found):
    return to_bytes([CohortFingerprints(facts(found), found)])


def test_a_file_gives_back_what_it_was_made_from(known):
    content = file_of(known)
    assert len(content) < 150 * len(known) + 600
    (again,) = from_bytes(content)
    assert np.array_equal(again.fingerprints.marks, known.marks)
    assert np.array_equal(again.fingerprints.counts, known.counts)
    assert from_bytes(to_bytes([])) == ()


def test_a_file_to_be_shared_says_nothing_about_the_order(known):
    shuffled = np.random.default_rng(0).permutation(len(known))
    pieces = np.split(known.marks, known.bounds[1:-1])
    other = Fingerprints(np.concatenate([pieces[i] for i in shuffled]), known.counts[shuffled])
    one, two = (CohortFingerprints(facts(found), found).anonymous() for found in (known, other))
    assert to_bytes([one]) == to_bytes([two])
    pairs = find_pairs(known, one.fingerprints)
    assert {pair.a for pair in pairs if pair.sure} == set(HEARTS)
    assert [pair.b for pair in pairs if pair.sure] != list(HEARTS)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_told_from_a_whole_one(known, data):
    content = bytearray(file_of(known))
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= data.draw(st.integers(1, 255))
    else:
        del content[place:]
    try:
        (found,) = from_bytes(bytes(content))
    except LeadboardError:
        return
    assert np.array_equal(found.fingerprints.marks, known.marks)  # a letter of the name, for one


def test_numbers_that_do_not_add_up_are_refused(known):
    content = file_of(Fingerprints(known.marks, known.counts[::-1] + 1))
    with pytest.raises(LeadboardError, match="do not add up"):
        from_bytes(content)
    with pytest.raises(LeadboardError, match="another version"):
        from_bytes(FIRST_LINE.replace(b"1", b"2") + b"{}\n")
    with pytest.raises(LeadboardError, match="holds no fingerprints"):
        from_bytes(b"PK\x03\x04")
    header = json.dumps({"cohorts": [{**facts(known).model_dump(), "records": 10**12}], "sha256": ""})
    with pytest.raises(LeadboardError, match="whose"):
        from_bytes(FIRST_LINE + header.encode() + b"\n")


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), sizes=st.lists(st.integers(0, 6), min_size=1, max_size=8))
def test_a_strangers_marks_are_searched_whatever_they_are(known, seed, sizes):
    rng = np.random.default_rng(seed)
    marks = np.frombuffer(rng.bytes(MARK.itemsize * sum(sizes)), MARK)
    odd = Fingerprints(marks, np.array(sizes, np.int64))
    for pair in (*find_pairs(odd, known), *find_pairs(known, odd)):
        assert not pair.sure
    both = Fingerprints(np.repeat(known.marks[:1], 5), np.array([5]))
    find_pairs(both, both)


def test_few_or_doubtful_marks_do_not_make_a_copy():
    assert Pair(0, 0, 1.0, 1.0, agreeing=4, common=5, differing=0.1).sure
    assert not Pair(0, 0, 1.0, 1.0, agreeing=3, common=3, differing=0.0).sure
    assert not Pair(0, 0, 1.0, 1.0, agreeing=4, common=6, differing=0.0).sure
    assert not Pair(0, 0, 1.0, 1.0, agreeing=4, common=4, differing=0.11).sure
    assert not Pair(0, 0, 1.0, 1.0, agreeing=10, common=10, differing=0.16).sure
    assert Pair(0, 0, 1.0, 1.0, agreeing=2, common=9, differing=0.12).possible
    assert not Pair(0, 0, 1.0, 1.0, agreeing=2, common=2, differing=0.13).possible
    assert not Pair(0, 0, 1.0, 1.0, agreeing=1, common=1, differing=0.0).possible
    assert not Pair(0, 0, 1.0, 1.0, agreeing=9, common=9, differing=0.21).possible
