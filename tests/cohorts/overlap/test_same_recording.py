"""What recordings are compared by: windows, filters, places between samples; by numbers known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from cohorts.overlap.same_recording import BORDER, band_pass, compare, filled, summit, window
from cohorts.recording import STANDARD_LEADS, Recording


def test_a_window_is_hanns_of_an_odd_number_of_samples_and_area_1() -> None:
    np.testing.assert_allclose(window(1, 3), [0.25, 0.5, 0.25])
    np.testing.assert_allclose(window(1, 4), np.array([0.25, 0.75, 1, 0.75, 0.25]) / 3)
    np.testing.assert_allclose(window(0.5, 1), [1.0])


def test_the_summit_is_that_of_the_parabola() -> None:
    for place in (-0.5, -0.3, 0.0, 0.25, 0.5):
        heights = [5 - 2 * (x - place) ** 2 for x in (-1, 0, 1)]
        assert summit(*heights) == pytest.approx(place)
    assert summit(0.0, 1.0, 1.9) == 0.5, "never farther than half a sample"
    assert summit(1.0, 1.0, 1.0) == 0.0, "flat"


def test_the_mean_is_taken_off_and_what_is_missing_becomes_0() -> None:
    signal = np.array([[1.0, 2.0, 6.0, np.nan], [np.nan] * 4, [4.0] * 4], np.float32)
    np.testing.assert_array_equal(filled(signal), [[-2, -1, 3, 0], [0] * 4, [0] * 4])


def test_neither_offset_nor_drift_passes_the_filter_and_a_wave_of_10_hz_does() -> None:
    time = np.arange(2000) / 500
    still = band_pass(np.stack([np.full(2000, 3.0), 2 * time]), 500, 0.04)
    assert still.shape == (2, 2000 - 2 * int(BORDER * 500))
    np.testing.assert_allclose(still, 0, atol=1e-9)
    wave = np.sin(2 * np.pi * 10 * time)
    passed = band_pass(wave, 500, 0.04)
    ratio = passed / wave[250:1750]
    steady = ratio[np.abs(wave[250:1750]) > 0.1]
    # The transform of a Hann window of 0.044 s (its 21 samples and the zeros beside them) at 10 Hz; that of
    # the window of 0.5 s is 0.
    periods = 10 * 0.044
    np.testing.assert_allclose(steady, np.sinc(periods) / (1 - periods**2), atol=0.005)


def heart(seconds: float, rate: int = 500, seed: int = 0) -> Recording:
    """Noise with the spectrum of an ECG's: as different from second to second as anything can be."""
    rng = np.random.default_rng(seed)
    signal = np.cumsum(rng.normal(0, 0.05, (12, round(seconds * rate))), axis=1)
    return Recording(signal.astype(np.float32), float(rate), STANDARD_LEADS)


@pytest.mark.parametrize("shift", [0, 3, -7])
def test_start_and_gain_of_a_copy_are_measured(shift: int) -> None:
    """The second begins 1 s later and is three times as large; the times given are up to 0.014 s wrong."""
    first = heart(12)
    second = Recording(3 * first.signal[:, 500:], 500.0, STANDARD_LEADS)
    match = compare(first, second, 6.0, 5.0 + shift / 500)
    assert match is not None
    assert match.start == pytest.approx(-1.0, abs=1e-4)
    assert match.gain == pytest.approx(3.0, rel=1e-4)
    assert match.similarity == pytest.approx(1.0, abs=1e-6)
    assert match.renamed == {}


def test_less_than_four_seconds_in_common_are_not_compared() -> None:
    """Half a second at either end, and 0.02 s for the time to be wrong by, are not looked at."""
    for seconds, compared in ((5.1, True), (5.0, False)):
        both = heart(seconds)
        assert (compare(both, both, 2.0, 2.0) is not None) == compared
