"""Scalograms: how strong each frequency is at each moment of each lead, as a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from baselines.clip_image.rendering import Pixels, check_size, lead_rows
from benchmark.models.contract import Floats
from cohorts.errors import UnknownNameError
from cohorts.recording import STANDARD_LEADS

Doubles = npt.NDArray[np.float64]

LOWEST, HIGHEST = 0.5, 40.0
"""Frequencies at the bottom and at the top of a cell, Hz."""

CYCLES = 6.0
"""Morlet's omega 0: radians of the oscillation in one standard deviation of its Gaussian."""

FAINTEST, BRIGHTEST = 0.003, 2.0
"""Amplitudes that are black and brightest, mV."""

COLUMNS = {"3x4": 4, "12x1": 1}
"""Cells side by side, by layout. As on paper, leads follow one another down and then across."""

_MIRRORED = 4.0  # seconds beyond both ends, twice the standard deviation of the longest wavelet
_COLOURS = np.array(
    [(0, 0, 0), (38, 16, 96), (122, 28, 120), (214, 66, 72), (250, 158, 40), (255, 250, 210)], dtype=float
)


def scalogram(
    signals: Floats,
    sampling_rate: float,
    leads: Sequence[str],
    *,
    size: int = 224,
    layout: str = "12x1",
) -> Pixels:
    """Draw the continuous wavelet transform of recordings.

    Each lead has a cell with the whole recording from left to right and frequencies from 0.5 to 40 Hz, on
    a logarithmic scale, from bottom to top; brightness is the logarithm of the amplitude from 3 µV to
    2 mV. Pixels may differ by a step of colour between machines, as Fourier transforms do in their last bit.

    Parameters
    ----------
    signals
        ``[records, leads, samples]`` in mV, finite.
    sampling_rate
        In Hz.
    leads
        Names of the rows, among them all twelve standard leads.
    size
        Side of the picture in pixels, 224 to 512.
    layout
        ``"12x1"``, one lead below the other with the finest time, or ``"3x4"`` with the finest frequency.

    Returns
    -------
    uint8 ``[records, 3, size, size]``: red, green, blue.

    Raises
    ------
    ModelError
        If the size is out of range or a lead is missing.
    UnknownNameError
        If there is no such layout.
    """
    if layout not in COLUMNS:
        raise UnknownNameError("layout", layout, COLUMNS)
    check_size(size)
    rows = lead_rows(STANDARD_LEADS, leads)
    across = COLUMNS[layout]
    down = len(STANDARD_LEADS) // across
    height, width = size // down, size // across
    frequencies = np.geomspace(HIGHEST, LOWEST, height)
    pictures = np.zeros((len(signals), 3, size, size), dtype=np.uint8)
    for picture, recording in zip(pictures, signals, strict=True):
        levels = _levels(amplitudes(recording[rows], sampling_rate, frequencies, width))
        cells = levels.reshape(across, down, height, width).transpose(1, 2, 0, 3)
        picture[:, : down * height, : across * width] = PALETTE[:, cells.reshape(down * height, -1)]
    return pictures


def amplitudes(signal: npt.ArrayLike, sampling_rate: float, frequencies: Doubles, columns: int) -> Doubles:
    """Compute the amplitude of the Morlet transform, the largest within each column of time.

    The wavelet is the analytic one of Torrence and Compo, "A Practical Guide to Wavelet Analysis",
    Bulletin of the American Meteorological Society 79, 1998, but scaled so that a sine wave of 1 mV has
    an amplitude of 1 mV at its own frequency. The signal is mirrored at both ends.

    Parameters
    ----------
    signal
        ``[leads, samples]``.
    sampling_rate, frequencies
        In Hz.
    columns
        Into how many the time is divided.

    Returns
    -------
    float64 ``[leads, frequencies, columns]``, in the unit of the signal.
    """
    x = np.asarray(signal, dtype=np.float64)
    samples = x.shape[-1]
    margin = min(round(_MIRRORED * sampling_rate), samples - 1)
    mirrored = np.pad(x - x.mean(axis=-1, keepdims=True), ((0, 0), (margin, margin)), mode="reflect")
    length = mirrored.shape[-1]
    grid = np.fft.rfftfreq(length, 1 / sampling_rate)
    # Above this no wavelet passes anything, so the transform back may be as coarse as that allows.
    kept = int(np.searchsorted(grid, 1.8 * frequencies.max()))
    relative = grid[:kept] / frequencies[:, None]
    wavelets = 2 * np.exp(-0.5 * (CYCLES * (relative - 1)) ** 2) * (kept / length)
    spectrum = np.fft.rfft(mirrored)[:, None, :kept] * wavelets
    amplitude = np.abs(np.fft.ifft(spectrum, axis=-1))
    first, last = (at * kept / length for at in (margin, margin + samples))
    edges = np.linspace(first, last, columns + 1)[:-1].astype(int)
    return np.maximum.reduceat(amplitude[..., : max(round(last), edges[-1] + 1)], edges, axis=-1)


def _levels(amplitude: Doubles) -> npt.NDArray[np.uint8]:
    """Turn amplitudes in mV into positions in the palette."""
    decades = np.log(np.maximum(amplitude, FAINTEST) / FAINTEST) / np.log(BRIGHTEST / FAINTEST)
    levels: npt.NDArray[np.uint8] = np.rint(255 * np.minimum(decades, 1.0)).astype(np.uint8)
    return levels


def _palette() -> Pixels:
    """Colours that grow lighter all the way, uint8 ``[3, 256]``."""
    positions = np.linspace(0, len(_COLOURS) - 1, 256)
    channels = [np.interp(positions, np.arange(len(_COLOURS)), channel) for channel in _COLOURS.T]
    return np.rint(channels).astype(np.uint8)


PALETTE = _palette()
