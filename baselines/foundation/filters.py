"""Filters of published preprocessing chains in torch, on the device of the signals.

On a processor they go through a recording step by step, as scipy's do. Elsewhere that would hold up the
device. There a recursive filter with a given start is used as what it is, a linear map: the signal convolved
with the response to an impulse, plus the first sample times the response to the start alone. Both are
computed once by scipy, and the convolution is done in the frequency domain in double precision; the two ways
agree to 1e-11.

Authors write a band-pass as one transfer function of high order. That loses some digits, differently on every
machine (1e-6 of the largest value for a Butterworth filter of order 4 from 0.67 Hz), so it is computed as
second-order sections here, with the ends treated as ``filtfilt`` treats them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import signal

from baselines.foundation.compiled_filters import moving_medians, through_sections

Doubles = npt.NDArray[np.float64]


class ZeroPhase:
    """A filter forwards and backwards, with what ``filtfilt`` and ``sosfiltfilt`` do at the ends.

    Parameters
    ----------
    coefficients
        Second-order sections ``[sections, 6]``, or a finite impulse response ``[taps]``.
    padding
        Samples by which both ends are extended, turned about their last value; if not given, as many as scipy
        takes for such coefficients.
    """

    def __init__(self, coefficients: Any, padding: int | None = None) -> None:
        self._coefficients: Doubles = np.asarray(coefficients, dtype=np.float64)
        self.padding = _usual_padding(self._coefficients) if padding is None else padding
        self._responses = lru_cache(maxsize=8)(self._responses_on)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Filter float64 ``[..., samples]``, more samples than the padding."""
        if x.device.type != "cpu":
            return self.in_frequency(x)
        extended = self._extended(x)
        if self._coefficients.ndim == 1:
            return self._symmetric(extended)
        moments = extended.reshape(-1, extended.shape[-1]).T.contiguous().numpy()
        start = signal.sosfilt_zi(self._coefficients)
        for _ in range(2):
            moments = np.ascontiguousarray(through_sections(moments, self._coefficients, start)[::-1])
        inner = moments[self.padding : -self.padding].T
        return torch.from_numpy(np.ascontiguousarray(inner)).reshape(x.shape)

    def _symmetric(self, extended: torch.Tensor) -> torch.Tensor:
        """Convolve with a finite response and its mirror image at once.

        The padding is longer than the response, so that how a pass begins is seen in the padding alone.
        """
        both = np.correlate(self._coefficients, self._coefficients, "full")
        spare = self.padding - len(self._coefficients) + 1
        rows = extended[..., spare:-spare].reshape(-1, extended.shape[-1] - 2 * spare).numpy()
        y = signal.oaconvolve(rows, both[None], mode="valid", axes=-1)
        return torch.from_numpy(y).reshape(*extended.shape[:-1], -1)

    def in_frequency(self, x: torch.Tensor) -> torch.Tensor:
        """Do the same on any device, by convolution."""
        y = self._extended(x)
        for _ in range(2):
            y = self._filtered(y).flip(-1)
        return y[..., self.padding : -self.padding]

    def _extended(self, x: torch.Tensor) -> torch.Tensor:
        before = 2 * x[..., :1] - x[..., 1 : self.padding + 1].flip(-1)
        after = 2 * x[..., -1:] - x[..., -self.padding - 1 : -1].flip(-1)
        return torch.cat([before, x, after], dim=-1)

    def _filtered(self, x: torch.Tensor) -> torch.Tensor:
        samples = x.shape[-1]
        impulse, start = self._responses(samples, x.device)
        length = 2 * (impulse.shape[-1] - 1)
        y = torch.fft.irfft(torch.fft.rfft(x, length) * impulse, length)[..., :samples]
        filtered: torch.Tensor = y + x[..., :1] * start
        return filtered

    @torch.inference_mode(False)
    def _responses_on(self, samples: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        unit = np.zeros(samples)
        unit[0] = 1
        if self._coefficients.ndim == 1:
            one = np.ones(1)
            state = signal.lfilter_zi(self._coefficients, one)
            impulse = signal.lfilter(self._coefficients, one, unit)
            start = signal.lfilter(self._coefficients, one, 0 * unit, zi=state)[0]
        else:
            impulse = signal.sosfilt(self._coefficients, unit)
            start = signal.sosfilt(self._coefficients, 0 * unit, zi=signal.sosfilt_zi(self._coefficients))[0]
        length = 1 << (2 * samples - 1).bit_length()
        return (
            torch.fft.rfft(torch.from_numpy(impulse), length).to(device),
            torch.from_numpy(start).to(device),
        )


def _usual_padding(coefficients: Doubles) -> int:
    if coefficients.ndim == 1:
        return 3 * len(coefficients)
    trivial = min((coefficients[:, 2] == 0).sum(), (coefficients[:, 5] == 0).sum())
    return int(3 * (2 * len(coefficients) + 1 - trivial))


def notch(frequency: float, quality: float, rate: float) -> ZeroPhase:
    """Make ``filtfilt`` with the coefficients of ``iirnotch``."""
    return ZeroPhase(signal.tf2sos(*signal.iirnotch(frequency, quality, fs=rate)))


def band_pass(order: int, band: tuple[float, float], rate: float) -> ZeroPhase:
    """Make ``filtfilt`` with a Butterworth band-pass."""
    sections = signal.butter(order, band, btype="bandpass", fs=rate, output="sos")
    return ZeroPhase(sections, padding=3 * (2 * order + 1))


def band_pass_fir(taps: int, band: tuple[float, float], rate: float) -> ZeroPhase:
    """Make ``filtfilt`` with a band-pass of finite length and a Hamming window."""
    return ZeroPhase(signal.firwin(taps, band, pass_zero=False, fs=rate))


def running_median(x: torch.Tensor, samples: int) -> torch.Tensor:
    """Give the median of so many samples, an odd number, around each; zeros lie beyond the ends.

    A median is one of the samples, so both ways of finding it give the same.

    Parameters
    ----------
    x
        float64 ``[..., samples]``
    """
    if x.device.type == "cpu":
        half = samples // 2
        rows = np.pad(x.reshape(-1, x.shape[-1]).numpy(), ((0, 0), (half, half)))
        medians = moving_medians(rows, np.argsort(rows, axis=-1), samples)
        return torch.from_numpy(medians).reshape(x.shape)
    return median_elsewhere(x, samples)


def median_elsewhere(x: torch.Tensor, samples: int) -> torch.Tensor:
    """Do the same on any device."""
    half = samples // 2
    windows = torch.nn.functional.pad(x, (half, half)).unfold(-1, samples, 1).flatten(0, -3)
    return torch.stack([row.median(dim=-1).values for row in windows]).reshape(x.shape)
