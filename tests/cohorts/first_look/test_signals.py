"""Real recordings, made wrong on purpose one way at a time: each is named for what it is."""

from __future__ import annotations

import numpy as np
import pytest

from cohorts.catalogue import open_cohort
from cohorts.first_look.measures import amplitude, at_rails, heart_rate, hum, still
from cohorts.first_look.signals import Doubt, doubts, usual_rate
from cohorts.recording import STANDARD_LEADS, Recording, standard_leads

RECORDS = ("1", "2", "3", "50", "100", "150", "200", "250", "300", "350")
MILLIVOLTS_OF_HUM = 0.3


@pytest.fixture(scope="session")
def recordings(shared):
    """Ten of PTB-XL in whose untouched signals nothing is doubtful."""
    cohort = open_cohort("ptb-xl", shared / "data")
    return [standard_leads(cohort.read(record)).to_recording() for record in RECORDS]


def seen(recording, leads=None):
    """Doubts of a recording whose file has these leads."""
    stored = leads or recording.leads
    rows = [recording.leads.index(lead) for lead in stored]
    native = Recording(recording.signal[rows], recording.sampling_rate, tuple(stored))
    return doubts(native, recording, usual_rate(recording))


def changed(recording, change, rate=None):
    """The recording with its signals by name changed in place."""
    signals = dict(zip(recording.leads, recording.signal.copy(), strict=True))
    change(signals)
    signal = np.array([signals[lead] for lead in STANDARD_LEADS], np.float32)
    return Recording(signal, rate or recording.sampling_rate, STANDARD_LEADS)


def swap(a, b):
    def change(signals):
        signals[a], signals[b] = signals[b], signals[a]

    return change


def set_to(lead, make):
    def change(signals):
        signals[lead] = make(signals[lead])

    return change


def scale(factor):
    def change(signals):
        for lead in signals:
            signals[lead] = signals[lead] * factor

    return change


def swap_arms(signals):
    """What swapped arm electrodes do: lead I is mirrored, the others change their places."""
    signals["I"] = -signals["I"]
    swap("II", "III")(signals)
    swap("aVR", "aVL")(signals)


def mains(lead, frequency):
    time = np.arange(5000) / 500
    return set_to(lead, lambda signal: signal + MILLIVOLTS_OF_HUM * np.sin(2 * np.pi * frequency * time))


def test_nothing_is_doubtful_as_they_are(recordings):
    assert [seen(recording) for recording in recordings] == [[]] * len(RECORDS)


@pytest.mark.parametrize(
    ("pair", "detail"),
    [
        (("aVL", "aVF"), "aVL lies in aVF, aVF lies in aVL"),
        (("aVR", "aVL"), "aVR lies in aVL, aVL lies in aVR"),
        (("I", "II"), "I lies in II, II lies in I"),
        (("II", "III"), "II lies in III, III lies in II"),
        (("I", "aVR"), "I lies in aVR, aVR lies in I"),
    ],
)
def test_limb_leads_under_the_names_of_others_are_named(recordings, pair, detail):
    for recording in recordings:
        found = [doubt for doubt in seen(changed(recording, swap(*pair))) if doubt.kind != "arms"]
        assert found == [Doubt("names", detail)]


@pytest.mark.parametrize("lead", ["I", "aVR", "aVF"])
def test_an_inverted_limb_lead_is_named(recordings, lead):
    for recording in recordings:
        found = seen(changed(recording, set_to(lead, np.negative)))
        assert Doubt("sign", lead) in found
        assert {doubt.kind for doubt in found} <= {"sign", "arms"}


def test_a_limb_lead_that_belongs_to_another_recording_contradicts_the_laws(recordings):
    for recording, other in zip(recordings, recordings[1:] + recordings[:1], strict=True):
        found = seen(changed(recording, set_to("aVF", lambda _, other=other: other.signal[5])))
        assert Doubt("laws") in found


def test_laws_are_asked_only_where_the_file_has_all_limb_leads(recordings):
    stored = [lead for lead in STANDARD_LEADS if lead != "III"]
    assert seen(changed(recordings[0], swap("aVL", "aVF")), stored) == []


@pytest.mark.parametrize(
    ("factor", "kind"), [(10, "large"), (1000, "large"), (0.1, "small"), (0.001, "small")]
)
def test_a_wrong_gain_is_seen(recordings, factor, kind):
    found = [seen(changed(recording, scale(factor))) for recording in recordings]
    assert sum(doubts == [Doubt(kind)] for doubts in found) >= 9, "a tenth of the largest is no small one"


def test_swapped_arms_are_doubtful_in_most(recordings):
    found = [seen(changed(recording, swap_arms)) for recording in recordings]
    assert sum(doubts == [Doubt("arms")] for doubts in found) >= 5
    assert all(doubts in ([], [Doubt("arms")]) for doubts in found), "the laws hold for swapped electrodes"


@pytest.mark.parametrize("frequency", [50, 60])
def test_hum_is_seen_at_its_frequency(recordings, frequency):
    for recording in recordings:
        assert seen(changed(recording, mains("V3", frequency))) == [Doubt("hum", str(frequency))]


def test_flat_leads_missing_samples_and_cut_peaks_are_seen(recordings):
    def gap(signal):
        signal[100] = np.nan
        return signal

    for recording in recordings:
        assert seen(changed(recording, set_to("V2", np.zeros_like))) == [Doubt("flat")]
        assert Doubt("missing") in seen(changed(recording, set_to("V2", gap)))
        size = np.ptp(recording.signal[6]) / 8
        cut = changed(recording, set_to("V1", lambda signal, size=size: np.clip(signal, -size, size)))
        assert seen(cut) == [Doubt("clipped")]


def test_a_rate_that_is_wrong_by_far_is_seen(recordings):
    slow = [seen(changed(recording, lambda _: None, rate=125)) for recording in recordings]
    fast = [seen(changed(recording, lambda _: None, rate=2000)) for recording in recordings]
    assert sum(Doubt("slow") in found for found in slow) >= 8
    assert sum(Doubt("fast") in found for found in fast) >= 8


# --- the measures ------------------------------------------------------------------------------------------


def test_amplitude_is_of_the_usual_second():
    signal = np.tile(np.concatenate([[1.5], np.zeros(99)]), 10)
    assert amplitude(signal, 100) == 1.5
    assert amplitude(signal + np.linspace(0, 1, 1000), 100) == pytest.approx(1.5, abs=0.2)
    artefact = signal.copy()
    artefact[:50] = 40
    assert amplitude(artefact, 100) == 1.5
    assert np.isnan(amplitude(np.full(1000, np.nan), 100))


@pytest.mark.parametrize("beats", [40, 72, 150, 200])
def test_heart_rate_of_a_train_of_beats(beats):
    rate, seconds = 500, 12
    signal = np.zeros(rate * seconds)
    at = np.arange(0.5, seconds, 60 / beats)
    for offset, height in ((-10, -0.2), (0, 1.0), (10, -0.3)):
        signal[(at * rate + offset).astype(int) % len(signal)] = height
    signal = np.convolve(signal, np.hanning(15), "same")
    assert heart_rate({"II": signal}, rate) == pytest.approx(beats, rel=0.02)
    assert np.isnan(heart_rate({"II": np.zeros(5000)}, rate))


def test_hum_is_a_share_of_the_power():
    time = np.arange(10_000) / 1000
    slow, fast = np.sin(2 * np.pi * 10 * time), np.sin(2 * np.pi * 50 * time)
    assert hum(slow + fast, 1000, 50) == pytest.approx(0.5, abs=0.02)
    assert hum(slow + 0.5 * fast, 1000, 50) == pytest.approx(0.2, abs=0.02)
    assert hum(slow + fast, 1000, 60) < 0.01
    white = np.random.default_rng(0).normal(size=10_000)
    assert hum(white, 1000, 50) < 0.01, "what its neighbours have as well is no hum"
    assert hum(fast, 100, 50) == 0, "nothing can be told at this rate"


def test_rails_and_stillness():
    noise = np.random.default_rng(0).normal(size=5000)
    assert at_rails(noise, 500) == 0
    assert at_rails(np.clip(np.convolve(noise, np.ones(50), "same"), -3, 3), 500) > 0.1
    assert at_rails(np.zeros(5000), 500) == 0
    assert still(noise) < 0.001
    assert still(np.concatenate([noise[:2500], np.zeros(2500)])) == 0.5
    assert still(np.zeros(10)) == still(np.full(10, np.nan)) == 1
