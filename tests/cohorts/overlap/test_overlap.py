"""Copies are found however they were altered, look-alikes are not."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohorts.overlap import same_recording
from cohorts.overlap import search as overlap
from cohorts.overlap.search import find_overlap, overlap_rows, overlap_sentences, summarise
from cohorts.recording import STANDARD_LEADS, DigitalRecording, Recording
from cohorts.resampling import resample

RATE = 500


class Drawn:
    """What `find_overlap` needs of a store, over recordings in memory."""

    def __init__(self, name, recordings, *, overlaps=()):
        self.path = Path(name)
        self.card = SimpleNamespace(id=name, overlaps=overlaps, copy_of=None)
        self.recordings = recordings
        self.rates = np.array([recording.sampling_rate for recording in recordings], np.float64)
        self.lengths = np.array([recording.signal.shape[1] for recording in recordings], np.int64)
        ids = [f"{name}-{number}" for number in range(len(recordings))]
        self.index = pd.DataFrame({"record_id": pd.Series(ids, dtype="str")})

    def __len__(self):
        return len(self.recordings)

    def recording(self, position):
        return self.recordings[position]


def stored(signal, rate=RATE):
    """A signal in mV as a store would give it back: rounded to 16 bits."""
    recording = Recording(np.ascontiguousarray(signal, np.float32), float(rate), STANDARD_LEADS)
    return DigitalRecording.from_recording(recording).to_recording()


def whole_microvolts(signal):
    return np.rint(signal * 1000) / 1000


def waves(heart):
    """One beat of one heart, ``[leads, samples]``: P, Q, R, S, T as Gaussians, seen by twelve leads."""
    rng = np.random.default_rng(heart)
    time = np.arange(-0.35, 0.55, 1 / RATE)
    beat = np.zeros((12, len(time)))
    for centre, width, size in ((-0.17, 0.025, 0.12), (-0.03, 0.01, -0.15), (0.0, 0.013, 1.1)):
        beat += rng.normal(1, 0.4, (12, 1)) * size * np.exp(-(((time - centre) / width) ** 2) / 2)
    for centre, width, size in ((0.035, 0.012, -0.5), (0.28, 0.05, 0.25)):
        centre += rng.normal(0, 0.02 * (centre > 0.1))
        beat += rng.normal(0.8, 0.6, (12, 1)) * size * np.exp(-(((time - centre) / width) ** 2) / 2)
    return beat


def drawn(heart, visit=0, *, seconds=10.0, variation=0.04, noise=0.012, paced=False):
    """One recording of one heart, in mV at 500 Hz; ``visit`` tells the recordings of a heart apart."""
    rng = np.random.default_rng([heart, visit])
    interval = np.random.default_rng(heart).uniform(0.65, 1.1)
    beat, length = waves(heart), int(seconds * RATE)
    signal = np.zeros((12, length + 2 * RATE))
    at = rng.uniform(0, interval)
    while at < seconds + 1:
        place = int(at * RATE)
        breath = 1 if paced else 1 + 0.05 * np.sin(at * 1.7 + rng.normal(0, 0.2))
        signal[:, place : place + beat.shape[1]] += breath * beat
        at += 1.0 if paced else interval * (1 + variation * rng.normal())
    signal = signal[:, RATE // 2 : RATE // 2 + length]
    wander = np.cumsum(rng.normal(0, 0.0015, (12, length)), axis=1)
    muscle = rng.normal(0, noise, (12, length))
    return signal + wander + muscle


@pytest.fixture(scope="module")
def clinic():
    return Drawn("clinic", [stored(drawn(heart)) for heart in range(12)])


def copies(clinic, alter, name="copies"):
    """Altered copies of a clinic's recordings, in reversed order."""
    return Drawn(name, [stored(*alter(recording.signal)) for recording in clinic.recordings[::-1]])


def pairs_of(found):
    return {
        (int(a.split("-")[-1]), int(b.split("-")[-1]))
        for a, b in zip(found["record_a"], found["record_b"], strict=True)
    }


MIRRORED = {(number, 11 - number) for number in range(12)}


# --- copies -------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    power=st.floats(-2, 2),
    rate=st.sampled_from([100, 128, 250, 257, 400, 500, 1000]),
    seed=st.integers(0, 10_000),
    shuffled=st.booleans(),
    turned=st.booleans(),
)
def test_gain_offset_rate_rounding_and_names_of_leads_hide_no_copy(power, rate, seed, shuffled, turned):
    rng = np.random.default_rng(seed)
    hearts = rng.integers(0, 1000, 3)
    order = rng.permutation(12) if shuffled else np.arange(12)
    gain = 10**power
    ours = Drawn("ours", [stored(drawn(heart)) for heart in hearts])

    def altered(signal):
        offset = rng.normal(0, gain, (12, 1))
        return whole_microvolts(gain * resample(signal[order], RATE, rate) + offset), rate

    theirs = Drawn("theirs", [stored(*altered(recording.signal)) for recording in ours.recordings])
    found = find_overlap(theirs, ours) if turned else find_overlap(ours, theirs)

    assert pairs_of(found) == {(i, j) for i in range(3) for j in range(3) if hearts[i] == hearts[j]}
    for note in found["note"]:
        assert (f"{rate} Hz" in note or f"{rate} and" in note) == (rate != RATE)
        assert ("times as large" in note) == (abs(gain - 1) > 0.02)
        assert ("leads renamed" in note) == (order != np.arange(12)).any()


@pytest.mark.parametrize("gain", [0.5, 4.88, 2000])
def test_what_was_changed_is_told(clinic, gain):
    order = np.array([1, 0, *range(2, 12)])
    found = find_overlap(
        clinic, copies(clinic, lambda signal: (gain * resample(signal[order, 1000:], RATE, 100), 100))
    )
    assert pairs_of(found) == MIRRORED
    for note in found["note"]:
        before, told, after = re.fullmatch(r"(.+; record_b is )(\S+)( times as large; .+)", note).groups()
        assert before == "500 and 100 Hz; 10.0 and 8.0 s long; starts 2.00 s into record_a; record_b is "
        assert "e" not in told
        assert float(told) == pytest.approx(gain, rel=0.005)
        assert after == " times as large; leads renamed: I is II, II is I"


def test_of_an_exact_copy_there_is_nothing_to_tell(clinic):
    found = find_overlap(clinic, copies(clinic, lambda signal: (signal, RATE)))
    assert list(found["similarity"]) == [1.0] * 12
    assert list(found["note"]) == [""] * 12
    assert list(found["record_a"]) == list(clinic.index["record_id"])


@pytest.mark.parametrize("start", [0.0, 0.7134, 3.25, 17.0023, 49.9])
@pytest.mark.parametrize("turned", [False, True])
def test_an_excerpt_is_found_wherever_it_starts(start, turned):
    long = Drawn("long", [stored(drawn(heart, seconds=60)) for heart in (0, 1)])
    first = int(start * RATE)
    excerpt = long.recordings[1].signal[:, first : first + 10 * RATE]
    short = Drawn("short", [stored(whole_microvolts(resample(excerpt, RATE, 250)), 250)])
    found = find_overlap(short, long) if turned else find_overlap(long, short)
    assert pairs_of(found) == ({(0, 1)} if turned else {(1, 0)})
    note = found["note"][0]
    outer = "record_b" if turned else "record_a"
    assert (f"starts {start:.2f} s into {outer}" in note) == (start > 0)


def test_recordings_of_six_seconds_are_found_whole(clinic):
    short = Drawn("short", [stored(r.signal[:, : 6 * RATE]) for r in clinic.recordings])
    assert pairs_of(find_overlap(short, copies(short, lambda signal: (3 * signal, RATE)))) == MIRRORED


def test_padding_with_zeros_hides_no_copy(clinic):
    def padded(signal):
        return np.pad(signal - signal.mean(axis=1, keepdims=True), ((0, 0), (385, 1000))), RATE

    found = find_overlap(copies(clinic, padded), clinic)
    assert pairs_of(found) == MIRRORED
    assert all("starts 0.77 s into record_a" in note for note in found["note"])


def test_missing_samples_and_flat_leads_hide_no_copy(clinic):
    def damaged(signal):
        signal = signal.copy()
        signal[7:] = 0
        signal[2, 1200:1300] = np.nan
        signal[5] = np.nan
        return signal

    ours = Drawn("ours", [stored(damaged(recording.signal)) for recording in clinic.recordings])
    theirs = copies(ours, lambda signal: (signal[np.r_[6:12, 0:6]] * 2 + 50, RATE))
    found = find_overlap(ours, theirs)
    assert pairs_of(found) == MIRRORED
    assert found["similarity"].min() > 0.99


def test_silence_in_most_of_a_recording_hides_no_copy(clinic):
    def silent(signal):
        return np.where(np.arange(5000) < 2700, signal, 0), RATE

    ours = copies(clinic, silent, "silent")
    assert pairs_of(find_overlap(ours, copies(ours, lambda signal: (3 * signal, RATE)))) == MIRRORED


def test_a_copy_of_a_paced_recording_is_told_from_its_look_alikes():
    ours = Drawn("ours", [stored(drawn(3, visit, paced=True)) for visit in range(6)])
    theirs = copies(ours, lambda signal: (whole_microvolts(0.05 * resample(signal, RATE, 100)), 100))
    assert pairs_of(find_overlap(ours, theirs)) == {(number, 5 - number) for number in range(6)}


def test_duplicates_within_a_cohort_are_given_once(clinic):
    recordings = [*clinic.recordings, stored(2 * clinic.recordings[4].signal), clinic.recordings[4]]
    cohort = Drawn("cohort", recordings)
    found = find_overlap(cohort, cohort)
    assert pairs_of(found) == {(4, 12), (4, 13), (12, 13)}
    summary = summarise(found, cohort, cohort)
    assert (summary["pairs"], summary["shared_a"], summary["shared_b"]) == (3, 3, 3)
    assert overlap_sentences(summary) == ["3 of 14 records of cohort occur more than once."]


def test_the_answer_is_the_same_from_either_side_and_in_any_pieces(clinic, monkeypatch):
    alter = copies(clinic, lambda signal: (whole_microvolts(resample(signal, RATE, 100)), 100))
    theirs = Drawn("theirs", alter.recordings[:7])
    whole, turned = find_overlap(clinic, theirs), find_overlap(theirs, clinic)
    assert len(whole) == 7
    assert {(b, a) for a, b in pairs_of(turned)} == pairs_of(whole)
    assert set(turned["similarity"]) == set(whole["similarity"])
    monkeypatch.setattr(overlap, "_RECORDS_AT_ONCE", 5)
    monkeypatch.setattr(overlap, "_PRODUCT", 40)
    monkeypatch.setattr(overlap, "_HITS_AT_ONCE", 2)
    pd.testing.assert_frame_equal(find_overlap(clinic, theirs), whole)


# --- look-alikes --------------------------------------------------------------------------------------


def found_among(ours, theirs):
    cohort = Drawn("ours", [stored(signal) for signal in ours])
    others = Drawn("theirs", [stored(signal) for signal in theirs])
    return len(find_overlap(cohort, others)) + len(find_overlap(cohort, cohort))


def test_other_patients_and_other_recordings_of_a_patient_are_no_copies():
    hearts = range(30)
    assert found_among([drawn(heart) for heart in hearts], [drawn(heart, 1) for heart in hearts]) == 0


@pytest.mark.parametrize("noise", [0.001, 0.005, 0.02, 0.08])
def test_a_pacemaker_makes_no_copies(noise):
    ours, theirs = ([drawn(heart, visit, paced=True, noise=noise) for heart in range(8)] for visit in (0, 1))
    alike = max(
        same_recording._similarity(
            same_recording.band_pass(x, RATE, 0.04), same_recording.band_pass(y, RATE, 0.04)
        )
        for x, y in zip(align(ours), align(theirs), strict=True)
    )
    assert alike > same_recording.SIMILARITY  # or the test would be too easy
    assert found_among(ours, theirs) == 0
    assert found_among(ours, [whole_microvolts(0.03 * signal) for signal in theirs]) == 0


def test_silence_does_not_speak_for_a_copy():
    rng = np.random.default_rng(0)
    beats = drawn(3, paced=True, seconds=20, noise=0)
    noisy = [beats + rng.normal(0, 0.02, beats.shape) for _ in range(6)]
    assert found_among([np.where(np.arange(10_000) < 2700, signal, 0) for signal in noisy], noisy[:1]) == 0
    assert found_among(noisy[:3], noisy[3:]) == 0


def align(signals):
    """Cut every recording so that its first beats lie upon each other."""
    starts = [int(np.abs(signal[:, RATE : 2 * RATE]).sum(axis=0).argmax()) for signal in signals]
    return [signal[:, start : start + 8 * RATE] for start, signal in zip(starts, signals, strict=True)]


def test_noise_and_flat_leads_make_no_copies():
    rng = np.random.default_rng(0)
    noise = [rng.normal(0, 0.1, (12, 5000)) for _ in range(10)]
    live = [np.where(np.arange(12)[:, None] == 3, drawn(heart), 0) for heart in range(10)]
    drift = [np.cumsum(rng.normal(0, 0.01, (12, 5000)), axis=1) for _ in range(10)]
    assert found_among([*noise[:5], *live[:5], *drift[:5]], [*noise[5:], *live[5:], *drift[5:]]) == 0


def test_the_same_artefact_makes_no_copies():
    def popped(heart):
        signal = drawn(heart)
        signal[:, 2600:] += 30.0  # an electrode pop looks the same in everybody
        signal[:, 3400:3450] += 20.0
        return signal

    assert found_among([popped(heart) for heart in range(8)], [popped(heart) for heart in range(8, 16)]) == 0
    x, y = (same_recording.band_pass(popped(heart), RATE, 0.04) for heart in (0, 1))
    assert np.corrcoef(x.ravel(), y.ravel())[0, 1] > 0.98  # what the pop does to a plain correlation
    assert same_recording._similarity(x, y) < 0.5


@pytest.mark.parametrize("rest", [0.0, 0.2])
def test_the_same_calibration_pulse_in_silence_makes_no_copies(rest):
    def pulse(heart):
        signal = np.zeros((12, 5000))
        signal[:, 2000:2100] = 1.0
        signal[:, 4000:] = drawn(heart)[:, 4000:] * rest
        return signal

    assert found_among([pulse(heart) for heart in range(6)], [pulse(heart) for heart in range(6, 12)]) == 0


# --- what else a store may hold -----------------------------------------------------------------------


def test_short_and_silent_recordings_are_left_out_and_short_ones_told(clinic):
    rng = np.random.default_rng(1)
    odd = [
        stored(clinic.recordings[0].signal[:, : int(5.9 * RATE)]),
        stored(np.zeros((12, 1))),
        stored(np.full((12, 5000), np.nan)),
        stored(np.full((12, 5000), 3.0)),
        stored(np.zeros((12, 700)), 50),
        stored(rng.normal(size=(12, 5000)) * 1e30),
    ]
    ours = Drawn("ours", [*odd, clinic.recordings[0]], overlaps=("theirs",))
    theirs = Drawn("theirs", odd)
    assert find_overlap(clinic, theirs).empty
    found = find_overlap(ours, clinic)
    assert pairs_of(found) == {(6, 0)}
    summary = summarise(found, ours, clinic)
    assert (summary["too_short_a"], summary["too_short_b"]) == (2, 0)
    assert overlap_sentences(summary) == [
        "1 of 7 records of ours are also in clinic (1 of its 12).",
        "Neither cohort's card says that the two share recordings.",
        "2 records of ours could not be compared: shorter than 6 s.",
    ]
    assert summarise(found, ours, theirs)["stated"]


@pytest.mark.parametrize("other", ["clinic", "none"])
def test_a_store_without_records_shares_nothing(clinic, other):
    none = Drawn("none", [])
    for a, b in ((none, clinic), (clinic, none), (none, none)):
        found = find_overlap(a, b)
        assert found.empty
        assert list(found) == ["record_a", "record_b", "similarity", "note"]
        assert overlap_rows(found) == []
        assert summarise(found, a, b)["shared_a"] == 0


def test_progress_counts_the_recordings_of_both(clinic):
    told = []
    find_overlap(clinic, Drawn("one", clinic.recordings[:3]), progress=lambda *now: told.append(now))
    assert told == [(number, 15) for number in range(1, 16)]


def test_rows_are_plain_values(clinic):
    found = find_overlap(clinic, Drawn("one", [stored(2 * clinic.recordings[5].signal)]))
    assert overlap_rows(found) == [
        {
            "record_a": "clinic-5",
            "record_b": "one-0",
            "similarity": 1.0,
            "note": "record_b is 2 times as large",
        }
    ]
    assert {type(value) for value in overlap_rows(found)[0].values()} == {str, float}
