"""Scalograms: what is known of sine waves, and the wavelet transform as its definition says it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from baselines.clip_image.scalogram import COLUMNS, CYCLES, PALETTE, amplitudes, scalogram
from cohorts.errors import ModelError, UnknownNameError
from cohorts.recording import STANDARD_LEADS

RATE = 500
FREQUENCIES = np.geomspace(40, 0.5, 60)


def sine(frequency: float, rate: int = RATE, amplitude: float = 1.0) -> npt.NDArray[np.float64]:
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(10 * rate) / rate + 0.3)


def levels(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Positions in the palette of all pixels."""
    number = np.array([1, 1 << 8, 1 << 16])
    known = number @ PALETTE
    order = np.argsort(known)
    shown = np.tensordot(number, picture, axes=1)
    found = order[np.searchsorted(known, shown, sorter=order)]
    np.testing.assert_array_equal(known[found], shown)
    return found


@pytest.mark.parametrize("frequency", [1.0, 5.0, 12.0, 35.0])
@pytest.mark.parametrize("rate", [100, 500])
def test_a_sine_wave_has_its_amplitude_at_its_frequency(frequency: float, rate: int) -> None:
    at = np.append(FREQUENCIES, frequency)
    found = amplitudes(sine(frequency, rate, 0.8)[None], rate, at, 50)[0, :, 15:35]
    np.testing.assert_allclose(found[-1], 0.8, rtol=0.01)
    peaks = FREQUENCIES[found[:-1].argmax(axis=0)]
    np.testing.assert_allclose(peaks, frequency, rtol=0.04)


def test_two_waves_are_told_apart() -> None:
    both = amplitudes((sine(2) + sine(20))[None], RATE, np.array([20.0, 6.3, 2.0]), 20)[0, :, 6:14]
    np.testing.assert_allclose(both[[0, 2]], 1, rtol=0.01)
    assert both[1].max() < 1e-3


def test_it_is_the_convolution_with_morlets_wavelet() -> None:
    """In the time domain, for a signal that is 0 at both ends."""
    rng = np.random.default_rng(4)
    signal = np.zeros(1200)
    signal[500:700] = rng.normal(0, 1, 200)
    frequencies = np.array([4.0, 9.0, 17.0, 33.0])
    rate = 200
    found = amplitudes(signal[None], rate, frequencies, 1200 // 40)[0]
    time = np.arange(-400, 401) / rate
    for frequency, mine in zip(frequencies, found, strict=True):
        deviation = CYCLES / (2 * np.pi * frequency)
        envelope = np.exp(-0.5 * (time / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi)) / rate
        wavelet = 2 * envelope * np.exp(2j * np.pi * frequency * time)
        expected = np.abs(np.convolve(signal - signal.mean(), wavelet, mode="same"))
        # A column is 40 samples; ours is computed at every fourth, so its ends may be off by eight.
        narrow, wide = (
            np.array([expected[40 * at + cut : 40 * (at + 1) - cut].max() for at in range(6, 24)])
            for cut in (8, -8)
        )
        assert narrow.max() > 0.1
        assert (mine[6:24] >= 0.95 * narrow - 1e-6).all()
        assert (mine[6:24] <= 1.001 * wide + 1e-6).all()


@pytest.mark.parametrize(("layout", "size"), [("12x1", 224), ("3x4", 224), ("12x1", 512), ("3x4", 384)])
def test_a_wave_in_one_lead_lights_the_cell_of_this_lead(layout: str, size: int) -> None:
    signals = np.zeros((1, 12, 5000), dtype=np.float32)
    lead = STANDARD_LEADS.index("V1")
    signals[0, lead] = sine(10)
    (picture,) = scalogram(signals, RATE, STANDARD_LEADS, size=size, layout=layout)
    lit = levels(picture)
    across = COLUMNS[layout]
    down = 12 // across
    column, row = divmod(lead, down)
    height, width = size // down, size // across
    here = lit[row * height : (row + 1) * height, column * width : (column + 1) * width].copy()
    lit[row * height : (row + 1) * height, column * width : (column + 1) * width] = 0
    assert not lit.any()
    brightest = here[:, width // 4 : -width // 4].argmax(axis=0)
    expected = np.log(40 / 10) / np.log(40 / 0.5) * (height - 1)
    np.testing.assert_allclose(brightest, expected, atol=0.51)


def test_a_flat_lead_is_black_whatever_its_offset() -> None:
    signals = np.full((1, 12, 5000), 7.5, dtype=np.float32)
    assert not levels(scalogram(signals, RATE, STANDARD_LEADS)[0]).any()


def test_louder_is_brighter_and_the_palette_grows_lighter() -> None:
    shown = []
    for amplitude in (0.001, 0.01, 0.1, 1.0, 100.0):
        signals = np.tile(sine(8, 100, amplitude), (1, 12, 1)).astype(np.float32)
        shown.append(levels(scalogram(signals, 100, STANDARD_LEADS)[0]).max())
    assert shown[0] == 0
    assert shown == sorted(set(shown))
    assert shown[-1] == 255
    # From 3 µV to 2 mV: two equal steps of a decade.
    assert shown[2] - shown[1] == pytest.approx(255 / np.log10(2 / 0.003), abs=1)
    luminance = np.array([0.2126, 0.7152, 0.0722]) @ PALETTE
    assert (np.diff(luminance) >= -0.2).all()


@pytest.mark.parametrize("layout", COLUMNS)
@pytest.mark.parametrize("size", [224, 300, 512])
def test_shape_and_type(layout: str, size: int) -> None:
    rng = np.random.default_rng(5)
    signals = rng.normal(0, 0.2, (3, 12, 1000)).astype(np.float32)
    pictures = scalogram(signals, 100, STANDARD_LEADS, size=size, layout=layout)
    assert pictures.shape == (3, 3, size, size)
    assert pictures.dtype == np.uint8
    alone = scalogram(signals[1:2], 100, STANDARD_LEADS, size=size, layout=layout)
    np.testing.assert_array_equal(pictures[1:2], alone)
    order = [*range(6, 12), *range(6)]
    named = scalogram(signals[:, order], 100, [STANDARD_LEADS[i] for i in order], size=size, layout=layout)
    np.testing.assert_array_equal(pictures, named)


@pytest.mark.parametrize("samples", [2, 30, 700, 6000])
def test_recordings_of_any_length_fill_the_picture(samples: int) -> None:
    rng = np.random.default_rng(6)
    signals = rng.normal(0, 0.5, (1, 12, samples)).astype(np.float32)
    lit = levels(scalogram(signals, 100, STANDARD_LEADS)[0])
    assert lit[:18].any(axis=0).all()


def test_what_cannot_be_drawn_is_refused() -> None:
    signals = np.zeros((1, 12, 1000), dtype=np.float32)
    with pytest.raises(UnknownNameError, match="Unknown layout"):
        scalogram(signals, 100, STANDARD_LEADS, layout="2x6")
    with pytest.raises(ModelError, match="224 to 512 pixels"):
        scalogram(signals, 100, STANDARD_LEADS, size=1024)
    with pytest.raises(ModelError, match="V6 is not among"):
        scalogram(signals[:, :11], 100, STANDARD_LEADS[:11])
