"""Beats: who leads, what is dropped, what comes early, and what the pauses look like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cohorts.simulator.rhythm import Beats, Rhythm, beats_of

Make = Callable[..., Any]


def drawn(rhythm: Rhythm, seed: int = 0, seconds: float = 10.0, pr: float = 0.16) -> Beats:
    return beats_of(rhythm, pr, seconds, np.random.default_rng(seed))


def test_sinus_rhythm_covers_the_recording() -> None:
    for seconds in (5.0, 10.0, 115.2, 1800.0):
        beats = drawn(Rhythm(rate=72), seconds=seconds)
        assert beats.qrs.min() < 0.5
        assert beats.qrs.max() > seconds - 0.5
        inside = np.count_nonzero((beats.qrs > 0) & (beats.qrs < seconds))
        assert inside == pytest.approx(72 * seconds / 60, abs=3 + 0.02 * seconds)
        np.testing.assert_allclose(beats.qrs - beats.p, 0.16)


def test_respiration_and_blood_pressure_modulate_the_intervals() -> None:
    beats = drawn(Rhythm(rate=75, respiratory=0.1, low_frequency=0.06), seconds=600)
    intervals = np.diff(beats.qrs)
    spectrum = np.abs(np.fft.rfft(intervals - intervals.mean())) ** 2
    hertz = np.fft.rfftfreq(len(intervals), intervals.mean())

    def power(low: float, high: float) -> float:
        return float(spectrum[(hertz >= low) & (hertz < high)].sum())

    assert power(0.16, 0.33) > power(0.05, 0.15) > 5 * power(0.35, 0.6)


def test_fibrillation_is_irregularly_irregular() -> None:
    intervals = np.diff(drawn(Rhythm(kind="fibrillation", rate=85), seconds=600).qrs)
    assert intervals.std() / intervals.mean() > 0.15
    assert abs(np.corrcoef(intervals[:-1], intervals[1:])[0, 1]) < 0.1
    assert intervals.min() >= 0.3 - 1e-9


def test_fibrillatory_waves_are_stronger_than_the_pauses_of_sinus_rhythm(measured: Make) -> None:
    for patient in range(4):
        fibrillating = measured({"AF": 0.8, "SB": 0.5}, patient, seconds=30)
        assert fibrillating.atrial_power(4, 9) > 30 * measured({"SB": 0.5}, patient, seconds=30).atrial_power(
            4, 9
        )


@pytest.mark.parametrize("conduction", [2, 3, 4])
def test_flutter_conducts_in_whole_numbers(conduction: int) -> None:
    beats = drawn(Rhythm(kind="flutter", atrial_rate=300, conduction=conduction))
    assert np.diff(beats.qrs).mean() == pytest.approx(conduction * 0.2, rel=0.01)
    assert beats.flutter_cycle == pytest.approx(0.2)
    varying = np.diff(drawn(Rhythm(kind="flutter", atrial_rate=300, conduction=0)).qrs) / 0.2
    np.testing.assert_allclose(varying, np.rint(varying), atol=0.15)
    assert len(set(np.rint(varying))) > 1


def test_flutter_waves_have_the_atrial_rate(measured: Make) -> None:
    for patient in range(4):
        m = measured({"AFL": 0.8}, patient, seconds=20)
        trace = m.signal[5]  # aVF
        spectrum = np.abs(np.fft.rfft(trace * np.hanning(len(trace)))) ** 2
        hertz = np.fft.rfftfreq(len(trace), 1 / m.rate)
        band = (hertz > 4.0) & (hertz < 5.5)
        atrial = hertz[band][np.argmax(spectrum[band])] * 60
        ratio = atrial / m.heart_rate
        assert 240 < atrial < 330
        assert ratio == pytest.approx(round(ratio), abs=0.25)


def test_pause_after_a_ventricular_beat_is_compensatory() -> None:
    for seed in range(6):
        beats = drawn(Rhythm(rate=65, early_ventricular=1, respiratory=0, low_frequency=0), seed)
        assert len(beats.pvc) >= 1
        for early in beats.pvc:
            before = beats.qrs[beats.qrs < early].max()
            after = beats.qrs[beats.qrs > early].min()
            assert early - before < 0.75 * 60 / 65
            assert after - before == pytest.approx(2 * 60 / 65, rel=0.05)


def test_pause_after_an_atrial_beat_is_not() -> None:
    for seed in range(6):
        beats = drawn(Rhythm(rate=65, early_atrial=1, respiratory=0, low_frequency=0), seed)
        for early in beats.early_p[(beats.early_p > 1) & (beats.early_p < 9)]:
            before = beats.p[beats.p < early].max()
            after = beats.p[beats.p > early].min()
            assert early - before < 0.75 * 60 / 65
            assert after - before < 1.95 * 60 / 65
            assert np.min(np.abs(beats.qrs - early - 0.16)) < 1e-9  # conducted


def test_bigeminy_is_every_second_beat() -> None:
    beats = drawn(Rhythm(rate=70, early_ventricular=4, pattern=2))
    beats_in_time = np.sort(np.concatenate([beats.qrs, beats.pvc]))
    kinds = np.isin(beats_in_time, beats.pvc)[(beats_in_time > 2.5) & (beats_in_time < 8.5)]
    assert (kinds[:-1] != kinds[1:]).all()


def test_premature_beats_are_seen_in_the_signal(measured: Make) -> None:
    for patient in range(4):
        m = measured({"PVC": 0.2}, patient)
        rr = m.rr / np.median(m.rr)
        assert rr.min() < 0.8
        assert rr.max() > 1.2
        early = measured({"PAC": 0.2}, patient)
        assert (early.rr / np.median(early.rr)).min() < 0.8
        assert (early.rr / np.median(early.rr)).max() < 1.3


def test_wenckebach_grows_then_drops() -> None:
    for seed in range(5):
        beats = drawn(Rhythm(rate=72, dropped="wenckebach", cycle=4), seed)
        # PR of every P wave that is followed by a QRS before the next P wave
        following = np.searchsorted(beats.qrs, beats.p)
        inside = following < len(beats.qrs)
        pr = np.where(inside, beats.qrs[np.minimum(following, len(beats.qrs) - 1)] - beats.p, np.nan)
        dropped = pr > 0.55
        assert dropped[4:12].sum() == 2
        for first in np.flatnonzero(dropped[:-4])[1:]:
            cycle = pr[first + 1 : first + 4]
            assert (np.diff(cycle) > 0.03).all()


def test_mobitz_drops_without_warning() -> None:
    beats = drawn(Rhythm(rate=80, dropped="mobitz", cycle=3, respiratory=0, low_frequency=0), pr=0.18)
    delays = beats.qrs[:, None] - beats.p[None, :]
    assert np.abs(np.where(np.abs(delays - 0.18) < 0.01, 0.18, np.inf).min(axis=1) - 0.18).max() < 1e-9
    assert len(beats.qrs) == pytest.approx(len(beats.p) * 2 / 3, abs=2)
    assert sorted({round(x) for x in np.diff(beats.qrs) / (60 / 80)}) == [1, 2]


def test_complete_block_dissociates(measured: Make) -> None:
    beats = drawn(Rhythm(kind="escape", rate=38, atrial_rate=85), seconds=60)
    delays = (beats.qrs[:, None] - beats.p[None, :]) % 60
    nearest = np.where(delays > 0, delays, np.inf).min(axis=1)
    assert nearest.std() > 0.12  # no PR interval
    for patient in range(3):
        m = measured({"IIIAVB": 0.3}, patient)
        assert m.heart_rate < 50
        assert m.irregularity < 0.03
        assert measured({"IIIAVB": 0.9}, patient).qrs_duration > 0.115


def test_second_degree_block_has_pauses(measured: Make) -> None:
    for patient in range(4):
        for condition in ("MoI", "MoII"):
            m = measured({condition: 0.3}, patient)
            assert m.rr.max() > 1.45 * m.rr.min()
        two_to_one = measured({"MoII": 0.9}, patient)
        assert two_to_one.heart_rate < 52
        assert two_to_one.irregularity < 0.06


def test_pacing_has_spikes_before_wide_complexes(measured: Make) -> None:
    for patient in range(4):
        paced, normal = (measured(present, patient) for present in ({"PR": 0.5}, None))
        assert paced.qrs_duration > 0.12
        assert paced.axis < -30
        jump = np.abs(np.diff(paced.signal[2])).max()  # lead III, along the stimulus
        assert jump > 3 * np.abs(np.diff(normal.signal[2])).max()
